"""Checkpoints: signed heads of a log, as https://c2sp.org/tlog-checkpoint has them.

    <origin>
    <size, decimal>
    <root, base64>
    [extension lines]

Extension lines are read and never written: no monitor can audit them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE
from veridict.proofs.note import (
    Note,
    NoteVerifier,
    Signature,
    Signer,
    decode_base64,
    encode_base64,
    verify_note,
)

_MAX_SIZE_DIGITS = len(str(MAX_SIZE))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`root` (32 bytes) of the first `size` leaves of the log called `origin`."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if not all(lines) or any(c < " " for line in lines for c in line):
            _bad("origin and extensions are non-empty lines")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            _bad("the size is a uint64 and the root has 32 bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            _bad("the empty tree has another root")

    def body(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, body: str) -> Checkpoint:
        """Raises EvidenceError ("checkpoint.malformed") unless `body` is one checkpoint's text."""
        lines = body.split("\n")
        if len(lines) < 4 or lines.pop() != "":
            _malformed("origin, size and root lines are expected")
        origin, digits, encoded, *extensions = lines
        root = decode_base64(encoded)
        if root is None or not is_decimal(digits):
            _malformed("the size or the root is not in its canonical form")
        try:
            return cls(origin, int(digits), root, tuple(extensions))
        except BadInput as error:
            _malformed(error.message, error)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A note whose text is a checkpoint. It parses; `verify` says whether to believe it."""

    text: str
    note: Note = field(init=False, repr=False, compare=False)
    checkpoint: Checkpoint = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        note = Note.parse(self.text)
        object.__setattr__(self, "note", note)
        object.__setattr__(self, "checkpoint", Checkpoint.parse(note.text))

    @classmethod
    def sign(cls, checkpoint: Checkpoint, signer: Signer) -> SignedCheckpoint:
        body = checkpoint.body()
        return cls(Note(body, (signer.sign(body),)).encode())

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        return self.checkpoint.root

    def with_signatures(self, added: Sequence[Signature]) -> SignedCheckpoint:
        """The same checkpoint under further signatures; those it bears already are not repeated."""
        fresh = [signature for signature in added if signature not in self.note.signatures]
        if not fresh:
            return self
        note = Note(self.note.text, (*self.note.signatures, *fresh))
        return SignedCheckpoint(note.encode())

    def verify(self, verifiers: NoteVerifier | Sequence[NoteVerifier], origin: str) -> Checkpoint:
        """The checkpoint, once a known key has signed it for the log called `origin`.

        Raises EvidenceError ("note.signature", "note.unsigned" or "checkpoint.origin").
        """
        known = verifiers if isinstance(verifiers, Sequence) else [verifiers]
        verify_note(self.note, known)
        if self.checkpoint.origin != origin:
            raise EvidenceError(
                f"this checkpoint is of log {self.checkpoint.origin!r}, not of {origin!r}",
                remedy="ask for a checkpoint of the right log",
                finding="checkpoint.origin",
            )
        return self.checkpoint


def is_decimal(text: str) -> bool:
    """ASCII digits without leading zeroes, short enough for a uint64."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_SIZE_DIGITS):
        return False
    return text == "0" or text[0] != "0"


def _bad(why: str) -> NoReturn:
    raise BadInput(f"this is not a checkpoint: {why}", remedy="build it from a log's own head")


def _malformed(why: str, cause: Exception | None = None) -> NoReturn:
    raise EvidenceError(
        f"this is not a checkpoint: {why}",
        remedy="fetch the checkpoint again from the log",
        finding="checkpoint.malformed",
    ) from cause
