"""A subject is forgotten: key and payloads are gone, every proof stands, and the log says so.

    1  fence     the subject's key seals nothing any more; what is on its way reaches the disk
    2  find      every record whose payload is sealed under that key
    3  log       the erasure, as a record that commits to whose data it was and which records
    4  delete    the payloads and what the lookup index knew of them
    5  destroy   the key, and with it every copy that lies in backups or freed pages

A kill between any two leaves an erasure that is begun: calling `erase` again goes on where
it stopped, and an audit names what is unfinished. The mirror is `services.accounts`: by
which erasure a payload is gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from veridict.core.codec import TAG_SUBJECT, commit
from veridict.core.errors import BadInput, NotFound
from veridict.core.nouns import Payload
from veridict.core.ports import Clock
from veridict.ledger.log import Log
from veridict.privacy.vault import SubjectVault
from veridict.services.accounts import spans_of
from veridict.services.records import ErasureRecord, Ground
from veridict.services.sayings import ErasureWords, said, saying


@dataclass(frozen=True, slots=True)
class Erased:
    """One key's payloads. `salt` is shown once, for the subject, and kept nowhere.

    With it the subject can prove that record `index` is about them: `subject` is
    SHA-256("S" ‖ salt ‖ name).
    """

    index: int
    count: int
    subject: str
    salt: str


@dataclass(frozen=True, slots=True)
class Eraser:
    """Erases from one log and its vault. `append` logs a record, `erasures` are those logged."""

    log: Log
    vault: SubjectVault
    clock: Clock
    append: Callable[[ErasureRecord, Payload], int]
    erasures: Sequence[tuple[int, ErasureRecord]]

    def erase(self, subject: str, ground: Ground, by: str, note: str = "") -> list[Erased]:
        """One erasure a key: usually one; more where an earlier one was interrupted.

        Raises NotFound where nothing is kept of `subject`, BadInput where `by` or `note` name
        them, StorageFailed.
        """
        _check_words(subject, by, note)
        slots = self.vault.retire(subject)  # 1
        if not slots:
            raise NotFound(
                "nothing is kept of this subject",
                remedy="they were erased before, or are called otherwise: look with "
                "`veridict log find --subject`",
            )
        self.log.settle()
        return [self._erase_one(subject, slot, ground, by, note) for slot in slots]

    def _erase_one(self, subject: str, slot: int, ground: Ground, by: str, note: str) -> Erased:
        salt = self.vault.salt(slot)
        assert salt is not None, "a retired key is there until it is destroyed"
        indices = self.log.sealed_under(slot)  # 2
        commitment = commit(TAG_SUBJECT, salt, subject.encode()).hex()
        noted = next((at for at in self.erasures if at[1].subject == commitment), None)
        if noted is None:  # else the process died after it was logged
            words = ErasureWords(by, note, spans_of(indices))
            noted = self._note(commitment, words, ground, len(indices))  # 3
        self.log.forget(slot)  # 4
        self.vault.destroy(slot)  # 5
        return Erased(noted[0], noted[1].count, commitment, salt.hex())

    def _note(
        self, commitment: str, words: ErasureWords, ground: Ground, count: int
    ) -> tuple[int, ErasureRecord]:
        now_ms = self.clock()
        payload = saying(words, name=f"erasure {commitment}", subject="", time_ms=now_ms)
        record = ErasureRecord(commitment, said(payload), count, ground, now_ms)
        return self.append(record, payload), record


def _check_words(subject: str, by: str, note: str) -> None:
    if not subject or not by:
        raise BadInput("an erasure is of someone, by someone", remedy="name both")
    named = re.compile(rf"(?<!\w){re.escape(subject)}(?!\w)", re.IGNORECASE)
    if named.search(by) or named.search(note):
        raise BadInput(
            "the words that stay would name who is erased", remedy="leave the name out of the note"
        )
