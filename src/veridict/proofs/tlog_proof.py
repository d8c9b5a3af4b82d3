"""`.tlog-proof` files: one entry, its inclusion path and the checkpoint, as c2sp.org/tlog-proof.

    c2sp.org/tlog-proof@v1
    [extra <base64>]
    index <decimal>
    <hash, base64>          one a line, from the leaf's sibling up
    <empty line>
    <checkpoint, verbatim>

`extra` is whatever the writer put there: nothing vouches for it until it hashes to the leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint, is_decimal
from veridict.proofs.merkle import HASH_BYTES, MAX_SIZE, verify_inclusion
from veridict.proofs.note import MAX_NOTE_BYTES, decode_base64, encode_base64

HEADER = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
MAX_HASHES = 64  # a tree of 2^64 leaves has 64 levels
MAX_EXTRA_BYTES = 1 << 17
MAX_BYTES = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES


@dataclass(frozen=True, slots=True)
class TlogProof:
    """That some leaf stands at `index` under `checkpoint`; it parses, `verify` believes."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: SignedCheckpoint
    extra: bytes | None = None

    def __post_init__(self) -> None:
        sound = 0 <= self.index <= MAX_SIZE and len(self.hashes) <= MAX_HASHES
        if not sound or any(len(item) != HASH_BYTES for item in self.hashes):
            raise BadInput(
                "an index is a uint64, a path at most 64 hashes of 32 bytes",
                remedy="pass a log's own inclusion proof",
            )

    def encode(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += map(encode_base64, self.hashes)
        return "\n".join(lines) + "\n\n" + self.checkpoint.text

    @classmethod
    def parse(cls, data: bytes) -> TlogProof:
        """Raises EvidenceError: "tlog-proof.malformed", or what the checkpoint has wrong."""
        if len(data) > MAX_BYTES:
            _malformed(f"{len(data)} bytes are more than {MAX_BYTES}")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            _malformed("it is not UTF-8")
        head, separator, note = text.partition("\n\n")
        header, *lines = head.split("\n")
        extra = _extra(lines.pop(0)) if lines and lines[0].startswith("extra ") else None
        line = lines.pop(0) if lines else ""
        digits = line.removeprefix("index ")
        if header != HEADER or not separator or digits == line or not is_decimal(digits):
            _malformed(f"{HEADER}, an index, a path, an empty line and a checkpoint are expected")
        hashes = tuple(map(_hash, lines))
        try:
            return cls(int(digits), hashes, SignedCheckpoint(note), extra)
        except BadInput as error:
            _malformed(error.message)

    def verify(self, leaf: bytes, trust: Callable[[SignedCheckpoint], Checkpoint]) -> Checkpoint:
        """The checkpoint under which the leaf with hash `leaf` stands.

        The steps of the text: the leaf hash is yours (1); `trust` holds the checkpoint to the
        log's keys (2) and to the witnesses you know (3), as `Policy.verify` does; then the
        path is folded (4). Raises EvidenceError.
        """
        head = trust(self.checkpoint)
        verify_inclusion(self.index, head.size, leaf, self.hashes, head.root)
        return head


def _extra(line: str) -> bytes:
    data = decode_base64(line.removeprefix("extra "))
    if data is None or len(data) > MAX_EXTRA_BYTES:
        _malformed("the extra data are not canonical base64, or too long")
    return data


def _hash(line: str) -> bytes:
    data = decode_base64(line)
    if data is None or len(data) != HASH_BYTES:
        _malformed("a line of the path is no base64 of 32 bytes")
    return data


def _malformed(why: str) -> NoReturn:
    raise EvidenceError(
        f"this is no transparency log proof: {why}",
        remedy="ask the log's keeper for the proof again",
        finding="tlog-proof.malformed",
    )
