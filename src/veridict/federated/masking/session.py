"""One group's one aggregation, and the messages its members sign for it.

    kind u8 │ sender u16 │ body │ Ed25519 signature 64B

The signature is over "veridict/masking/1\\0" ‖ session ‖ all before it.

The session's id binds federation, round, the model's digest, roster, threshold and length:
a message of another round, another group or another model has no valid signature here.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from veridict.core.errors import BadInput, EvidenceError
from veridict.federated.fixed import GROUP_MAX, check_length
from veridict.federated.masking.groups import GROUP_MIN

_DOMAIN = b"veridict/masking/1\0"
_HEAD = struct.Struct(">BH")
SIGNATURE_BYTES = 64
KEY_BYTES = 32


class Kind(IntEnum):
    """In the order of the protocol."""

    ADVERTISE = 1
    SHARE = 2
    MASK = 3
    CONFIRM = 4
    UNMASK = 5

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Session:
    """`roster`: the members' Ed25519 keys (32 bytes each); a member is its index there.

    `about`: what is summed, 32 bytes: a hash over federation, round and model. `length`:
    numbers of a vector.
    """

    about: bytes
    roster: tuple[bytes, ...]
    length: int

    def __post_init__(self) -> None:
        check_length(self.length)
        if not GROUP_MIN <= len(self.roster) <= GROUP_MAX or len(set(self.roster)) != self.n:
            raise BadInput(
                f"a group of {len(self.roster)} members",
                remedy=f"use {GROUP_MIN} to {GROUP_MAX} different members",
            )
        if len(self.about) != 32 or any(len(key) != KEY_BYTES for key in self.roster):
            raise BadInput("a session's id and keys have 32 bytes", remedy="pass raw keys")

    @property
    def n(self) -> int:
        return len(self.roster)

    @property
    def threshold(self) -> int:
        """Members whose shares open a seed: more than two thirds."""
        return 2 * self.n // 3 + 1

    @cached_property
    def id(self) -> bytes:
        head = struct.pack(">HHI", self.n, self.threshold, self.length)
        return sha256(_DOMAIN + self.about + head + b"".join(self.roster)).digest()

    @cached_property
    def _keys(self) -> tuple[Ed25519PublicKey, ...]:
        return tuple(Ed25519PublicKey.from_public_bytes(key) for key in self.roster)

    def sign(self, key: Ed25519PrivateKey, kind: Kind, sender: int, body: bytes) -> bytes:
        message = _HEAD.pack(kind, sender) + body
        return message + key.sign(_DOMAIN + self.id + message)

    def open(self, message: bytes, kind: Kind, sender: int) -> bytes:
        """The body of what `sender` signed as `kind` in this session. Raises EvidenceError."""
        head, body = message[: _HEAD.size], message[_HEAD.size : -SIGNATURE_BYTES]
        if len(message) < _HEAD.size + SIGNATURE_BYTES or head != _HEAD.pack(kind, sender):
            raise guilty("masking.malformed", sender, f"sent no {kind.word} message")
        signed = message[:-SIGNATURE_BYTES]
        try:
            self._keys[sender].verify(message[-SIGNATURE_BYTES:], _DOMAIN + self.id + signed)
        except InvalidSignature:
            raise guilty(
                "masking.signature", sender, f"did not sign this {kind.word} message"
            ) from None
        return body

    def transcript(self, messages: Mapping[int, bytes]) -> bytes:
        """A hash of messages by sender: members who saw different ones do not go on together."""
        told = sha256(_DOMAIN + self.id)
        for sender in sorted(messages):
            told.update(sha256(messages[sender]).digest())
        return told.digest()

    def enough(self, members: Sequence[int] | Mapping[int, object], what: str) -> None:
        """Raises EvidenceError unless at least `threshold` members are there."""
        if len(members) < self.threshold:
            raise EvidenceError(
                f"{len(members)} of {self.n} members {what}; the threshold is {self.threshold}",
                remedy="run the round again without those who are missing",
                finding="masking.too-few",
            )


def guilty(finding: str, member: int, what: str) -> EvidenceError:
    """A finding against one member of the roster; `facts["member"]` is its index."""
    return EvidenceError(
        f"member {member} {what}",
        remedy="leave this member out and run the round again",
        finding=finding,
        member=member,
    )


def members_of(bits: int, n: int) -> tuple[int, ...]:
    return tuple(i for i in range(n) if bits >> i & 1)


def bits_of(members: Sequence[int]) -> int:
    return sum(1 << i for i in set(members))
