"""A key for every subject: seal under it, open with it, destroy it.

    seal     AES-256-GCM under the subject's key; slot and tag are bound to the box
    open     with the key in the box's slot, as long as there is one
    retire   the key seals nothing any more: what comes gets another one
    destroy  the key is gone: so is all that it sealed, wherever copies of it lie

Whoever names nobody is sealed under a key of their own as well: see the caller.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from threading import RLock
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from veridict.core.ports import Personal, Sealed
from veridict.privacy.slotfile import FileSlots
from veridict.privacy.slots import Slots
from veridict.privacy.wrapping import NONCE_BYTES

K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED = 65_536  # subjects and keys kept in memory, of each
_CIPHERS = 8192  # 2.5 kB each
_HASH_BYTES, _TAG_BYTES, _SALT_BYTES = 16, 8, 32
# BLAKE2's personalisation keeps the hashes of different uses apart.
_SUBJECT, _NAME, _SALT = b"subject", b"name", b"salt"
_BOTH = Struct(">qq")


class SubjectVault:
    """Subjects' keys, wherever they are kept. Thread-safe."""

    def __init__(self, slots: Slots, name: str) -> None:
        """`name` tells people which vault it is. Raises StorageFailed."""
        self.name = name
        self._lock = RLock()
        self._slots = slots
        try:
            self._names_key = self._slots.names_key()
        except BaseException:
            self._slots.close()
            raise
        self._named = blake2b(digest_size=_TAG_BYTES, key=self._names_key, person=_NAME)
        self._numbers: dict[str, int] = {}
        self._keys: dict[int, bytes] = {}
        self._ciphers: dict[int, AESGCM] = {}

    def beside(self) -> SubjectVault:
        """The same vault once more, to read, for whoever closes it themselves."""
        raise NotImplementedError

    # -- veridict.core.ports.Vault -----------------------------------------------------------

    def seal(self, items: Sequence[Personal]) -> list[Sealed]:
        """Keys of new subjects are on disk on return. Raises StorageFailed."""
        with self._lock:
            self._follow_others()
            numbers = self._numbers_of(dict.fromkeys([item.subject for item in items]))
            ciphers = self._ciphers_of(numbers.values())
        pool = os.urandom(NONCE_BYTES * len(items))
        sealed: list[Sealed] = []
        for at, item in enumerate(items):
            slot, tag = numbers[item.subject], self.tag(item.name)
            nonce = pool[at * NONCE_BYTES : (at + 1) * NONCE_BYTES]
            box = ciphers[slot].encrypt(nonce, item.data, _bound(slot, tag))
            sealed.append(Sealed(slot, tag, nonce + box))
        return sealed

    def open(self, sealed: Sequence[Sealed]) -> list[bytes | None]:
        """None where the key is gone or the box was altered. Raises StorageFailed."""
        with self._lock:
            self._follow_others()
            keys = self._keys_of(dict.fromkeys(one.slot for one in sealed))
        return [_opened(keys.get(one.slot), one) for one in sealed]

    def slot(self, subject: str) -> int | None:
        """The number of the key under which is sealed what comes; None before the first."""
        with self._lock:
            return self._slots.of([self._hash(subject)]).get(self._hash(subject))

    def tag(self, name: str) -> int:
        """The number by which what was sealed under `name` is found."""
        named = self._named.copy()
        named.update(name.encode())
        return int.from_bytes(named.digest(), "big", signed=True)

    # -- erasure -----------------------------------------------------------------------------

    def retire(self, subject: str) -> list[int]:
        """All keys of the subject, oldest first; from now on none of them seals. Durable."""
        with self._lock:
            slots = self._slots.all_of(self._hash(subject))
            self._slots.retire(slots)
            self._numbers.pop(subject, None)
            return slots

    def retired(self) -> list[int]:
        """Keys of erasures that were begun and not finished."""
        with self._lock:
            return self._slots.retired()

    def salt(self, slot: int) -> bytes | None:
        """32 bytes that nobody can find again once the key is gone; None if it is."""
        with self._lock:
            key = self._keys_of([slot]).get(slot)
        if key is None:
            return None
        return blake2b(digest_size=_SALT_BYTES, key=key, person=_SALT).digest()

    def destroy(self, slot: int) -> None:
        """The key is gone on return, from disk and from this process."""
        with self._lock:
            self._keys.pop(slot, None)
            self._ciphers.pop(slot, None)
            self._slots.destroy(slot)

    def follow(self) -> None:
        """Learns what others of its users did; to be called now and then, where there are any."""
        with self._lock:
            self._follow_others()

    def behind(self) -> list[str]:
        """Hosts that have yet to give up what could open a backup from before the last erasure."""
        with self._lock:
            return self._slots.behind()

    def close(self) -> None:
        with self._lock:
            self._slots.close()
            self._forget_all()

    # -- keys --------------------------------------------------------------------------------

    def _follow_others(self) -> None:
        """Another process that shares the vault may have retired or destroyed what is known."""
        if self._slots.changed():
            self._forget_all()

    def _forget_all(self) -> None:
        self._numbers.clear()
        self._keys.clear()
        self._ciphers.clear()

    def _hash(self, subject: str) -> bytes:
        return blake2b(
            subject.encode(), digest_size=_HASH_BYTES, key=self._names_key, person=_SUBJECT
        ).digest()

    def _numbers_of(self, subjects: Iterable[str]) -> dict[str, int]:
        """Slots by subject, of new ones too."""
        found: dict[str, int] = {}
        hashes: dict[bytes, str] = {}
        for subject in subjects:
            number = self._numbers.get(subject)
            if number is None:
                hashes[self._hash(subject)] = subject
            else:
                found[subject] = number
        if hashes:
            known = self._slots.of(list(hashes))
            new = [digest for digest in hashes if digest not in known]
            if new:
                added, keys = self._slots.add(new)
                known |= added
                _remember(self._keys, keys)
            fresh = {hashes[digest]: slot for digest, slot in known.items()}
            _remember(self._numbers, fresh)
            found |= fresh
        return found

    def _keys_of(self, slots: Iterable[int]) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        missing: list[int] = []
        for slot in slots:
            key = self._keys.get(slot)
            if key is None:
                missing.append(slot)
            else:
                found[slot] = key
        if missing:
            fresh = self._slots.keys(missing)
            _remember(self._keys, fresh)
            found |= fresh
        return found

    def _ciphers_of(self, slots: Iterable[int]) -> dict[int, AESGCM]:
        """Setting one up takes longer than sealing with it."""
        found = {slot: self._ciphers.get(slot) for slot in slots}
        missing = [slot for slot, cipher in found.items() if cipher is None]
        fresh = {slot: AESGCM(key) for slot, key in self._keys_of(missing).items()}
        _remember(self._ciphers, fresh, _CIPHERS)
        return {slot: cipher for slot, cipher in found.items() if cipher is not None} | fresh


class FileVault(SubjectVault):
    """The vault in one directory, which nobody but its owner may read.

    Any number of processes of one machine may share it.
    """

    def __init__(self, directory: Path, *, writable: bool = True) -> None:
        """Creates what is not there. Raises StorageFailed."""
        self.path = directory
        super().__init__(FileSlots(directory, writable=writable), str(directory))

    @classmethod
    def open_readonly(cls, directory: Path) -> FileVault:
        """Beside the process that writes it. Raises StorageFailed where there is none."""
        return cls(directory, writable=False)

    def beside(self) -> FileVault:
        return FileVault.open_readonly(self.path)


def _bound(slot: int, tag: int) -> bytes:
    """What a box is sealed with beside its content, so that neither number can be swapped."""
    return _BOTH.pack(slot, tag)


def _opened(key: bytes | None, sealed: Sealed) -> bytes | None:
    if key is None:
        return None
    nonce, box = sealed.box[:NONCE_BYTES], sealed.box[NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, box, _bound(sealed.slot, sealed.tag))
    except (InvalidTag, ValueError):  # altered, or too short to be a box
        return None


def _remember(cache: dict[K, V], fresh: dict[K, V], most: int = _REMEMBERED) -> None:
    """Forgets all when full: what is needed comes back, and nothing is kept in order."""
    if len(cache) + len(fresh) > most:
        cache.clear()
    cache |= fresh
