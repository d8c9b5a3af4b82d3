"""What a log sends a witness, and what comes back, as https://c2sp.org/tlog-witness has it.

    old <size of the witness's last checkpoint>
    <hash, base64>          up to 63: the consistency proof
    <empty line>
    <checkpoint, verbatim>

The answer to a 200 is signature lines, to a 409 the size that the witness holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.checkpoint import SignedCheckpoint, is_decimal
from veridict.proofs.merkle import HASH_BYTES, MAX_SIZE
from veridict.proofs.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Signature,
    decode_base64,
    encode_base64,
    parse_line,
)

PATH = "add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
MAX_HASHES = 63
MAX_BODY_BYTES = MAX_NOTE_BYTES + 64 * 64
MAX_REPLY_BYTES = MAX_NOTE_BYTES


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """One request: `proof` leads from the witness's `old_size` to `checkpoint`."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: SignedCheckpoint

    def __post_init__(self) -> None:
        sound = 0 <= self.old_size <= MAX_SIZE and len(self.proof) <= MAX_HASHES
        if not sound or any(len(item) != HASH_BYTES for item in self.proof):
            raise BadInput(
                "a size is a uint64, a consistency proof at most 63 hashes of 32 bytes",
                remedy="pass a log's own consistency proof",
            )

    def encode(self) -> bytes:
        lines = [f"old {self.old_size}", *map(encode_base64, self.proof)]
        return ("\n".join(lines) + "\n\n" + self.checkpoint.text).encode()

    @classmethod
    def parse(cls, body: bytes) -> AddCheckpoint:
        """Raises EvidenceError: "witness.malformed", or what the checkpoint has wrong."""
        if len(body) > MAX_BODY_BYTES:
            _malformed(f"{len(body)} bytes are more than {MAX_BODY_BYTES}")
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            _malformed("it is not UTF-8")
        head, separator, note = text.partition("\n\n")
        first, *lines = head.split("\n")
        digits = first.removeprefix("old ")
        if not separator or not first.startswith("old ") or not is_decimal(digits):
            _malformed("an old size, a proof, an empty line and a checkpoint are expected")
        hashes = [decode_base64(line) for line in lines[: MAX_HASHES + 1]]
        try:
            return cls(int(digits), tuple(item or b"" for item in hashes), SignedCheckpoint(note))
        except BadInput as error:
            _malformed(error.message)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP: status, content type, body."""

    status: int
    kind: str
    body: bytes


def encode_size(size: int) -> bytes:
    """The body of a 409."""
    return b"%d\n" % size


def parse_size(body: bytes) -> int:
    """Raises EvidenceError ("witness.malformed") unless `body` is one size and a newline."""
    text = body[:32].decode("ascii", errors="replace")
    if len(body) > 32 or not text.endswith("\n") or not is_decimal(text[:-1]):
        _malformed("the answer to a conflict is no size")
    return int(text)


def encode_cosignatures(signatures: list[Signature]) -> bytes:
    """The body of a 200."""
    return "".join(signature.line() for signature in signatures).encode()


def parse_cosignatures(body: bytes) -> tuple[Signature, ...]:
    """At least one. Raises EvidenceError: "witness.malformed" or "note.malformed"."""
    if len(body) > MAX_REPLY_BYTES:
        _malformed(f"{len(body)} bytes are more than {MAX_REPLY_BYTES}")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        _malformed("it is not UTF-8")
    lines = text.split("\n")
    if lines.pop() != "" or not 0 < len(lines) <= MAX_SIGNATURES:
        _malformed("signature lines are expected, each with its newline")
    return tuple(map(parse_line, lines))


def _malformed(why: str) -> NoReturn:
    raise EvidenceError(
        f"this is no message of a witness's protocol: {why}",
        remedy="send what c2sp.org/tlog-witness describes",
        finding="witness.malformed",
    )
