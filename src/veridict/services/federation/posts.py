"""What members send each other: signed, one of a kind and sender a round, fetched by who needs it.

    round u32 │ sender u16 │ kind length u8 │ kind │ body │ Ed25519 signature 64B

The signature is over "veridict/federation/1\\0" ‖ chain id u64 ‖ contract 20B ‖ all before it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.signing import PrivateKey, verifies

MAX_POST = 80 << 20  # an update of LENGTH_MAX parameters, and its envelope
_DOMAIN = b"veridict/federation/1\0"
_HEAD = struct.Struct(">IHB")
_SIGNATURE = 64

Place = tuple[str, int]  # kind and sender


@dataclass(frozen=True, slots=True)
class Venue:
    """Where a federation is: what is said in another has no valid signature here."""

    chain_id: int
    contract: str

    @property
    def domain(self) -> bytes:
        return _DOMAIN + self.chain_id.to_bytes(8, "big") + bytes.fromhex(self.contract[2:])


@dataclass(frozen=True, slots=True)
class Post:
    """`data` is all of it, as it was signed and is passed on."""

    round: int
    kind: str
    sender: int
    body: bytes
    data: bytes

    @property
    def place(self) -> Place:
        return self.kind, self.sender

    @classmethod
    def sign(
        cls, venue: Venue, key: PrivateKey, round_: int, kind: str, sender: int, body: bytes
    ) -> Post:
        text = kind.encode()
        data = _HEAD.pack(round_, sender, len(text)) + text + body
        return cls(round_, kind, sender, body, data + key.sign(venue.domain + data))

    @classmethod
    def read(cls, venue: Venue, data: bytes, keys: Mapping[int, bytes]) -> Post:
        """`keys`: the members', by number. Raises BadInput, or EvidenceError for a forgery."""
        post = cls.parse(data)
        signed, signature = data[:-_SIGNATURE], data[-_SIGNATURE:]
        sender = post.sender
        if sender not in keys or not verifies(keys[sender], signature, venue.domain + signed):
            raise EvidenceError(
                f"no member {sender} signed this post",
                remedy="leave it out, and look who passed it on",
                finding="federation.forged",
                member=sender,
            )
        return post

    @classmethod
    def parse(cls, data: bytes) -> Post:
        """Of a post whose signature was checked when it was kept. Raises BadInput."""
        if not _HEAD.size + _SIGNATURE < len(data) <= MAX_POST:
            raise BadInput(f"{len(data)} bytes are no post", remedy="send a whole post")
        round_, sender, length = _HEAD.unpack_from(data)
        end = _HEAD.size + length
        kind = data[_HEAD.size : end]
        if end > len(data) - _SIGNATURE or not kind.isascii() or not kind:
            raise BadInput("a post without a kind", remedy="send a whole post")
        return cls(round_, kind.decode(), sender, data[end:-_SIGNATURE], data)


class Peer(Protocol):
    """Another member's store, over whatever connects the two. Raises PeerUnavailable."""

    def posts(self, round_: int, have: frozenset[Place]) -> list[bytes]:
        """Posts of a round at other places than `have`."""
        ...

    def state(self, digest: bytes) -> bytes | None: ...
