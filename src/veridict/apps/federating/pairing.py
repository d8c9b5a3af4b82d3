"""A private matching in a folder: what must be kept between its steps, and what may be sent.

folder/secret    0600: this party's secret, the matching's name and its identifiers; never sent
folder/offer     to be sent
folder/answer    to be sent, made from the other's offer
"""

from __future__ import annotations

import base64
import csv
from hashlib import sha256
from pathlib import Path

import msgspec

from veridict.core.errors import BadInput, BadStream, NotFound, StorageFailed
from veridict.core.files import SECRET, create_file
from veridict.federated.matching.matching import MOST, Matching
from veridict.federated.matching.points import POINT_BYTES


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    domain: str
    secret: str
    identifiers: list[str]


def begin(table: Path, column: str, name: str, folder: Path) -> tuple[int, Path]:
    """How many identifiers, and the offer. Raises BadStream, StorageFailed; BadInput for none."""
    identifiers = _identifiers(table, column)
    made = Matching.of(sha256(name.encode()).digest(), [each.encode() for each in identifiers])
    kept = _Kept(
        made.domain.hex(),
        base64.b64encode(made.secret).decode(),
        [identifier.decode() for identifier in made.identifiers],
    )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (folder / "secret").exists():
            raise BadInput(
                f"there is a matching in {folder} already",
                remedy="choose another --folder: a secret is used for one matching",
            )
        create_file(folder / "secret", msgspec.json.encode(kept), mode=SECRET)
        (folder / "offer").write_bytes(made.offer())
    except OSError as error:
        raise _failed(folder, error) from error
    return len(identifiers), folder / "offer"


def reply(offer: Path, folder: Path, most: int | None) -> tuple[int, Path]:
    """How many the other brought, and the answer to send. Raises EvidenceError."""
    theirs = _read(offer)
    answer = _matching(folder).answer(theirs, most=most or MOST)
    try:
        (folder / "answer").write_bytes(answer)
    except OSError as error:
        raise _failed(folder, error) from error
    return len(theirs) // POINT_BYTES - 1, folder / "answer"


def finish(answer: Path, folder: Path) -> list[str]:
    """The common identifiers. Raises EvidenceError; NotFound before the other was answered."""
    given = _read(folder / "answer")
    found = _matching(folder).matched(_read(folder / "offer"), _read(answer), given)
    return [identifier.decode() for identifier in found]


def _identifiers(table: Path, column: str) -> list[str]:
    """Each once, without blanks around it."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            if column not in (reader.fieldnames or ()):
                raise BadStream(
                    f"{table.name} has no column {column}",
                    remedy=f"it has: {', '.join(reader.fieldnames or ())}",
                )
            found = {(row[column] or "").strip() for row in reader}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadStream(
            f"{table.name} cannot be read: {error}", remedy="pass a CSV file with a header"
        ) from error
    return sorted(found - {""})


def _matching(folder: Path) -> Matching:
    kept = msgspec.json.decode(_read(folder / "secret"), type=_Kept)
    return Matching(
        bytes.fromhex(kept.domain),
        tuple(identifier.encode() for identifier in kept.identifiers),
        base64.b64decode(kept.secret),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(
            f"{path} cannot be read: {error.strerror}",
            remedy="take the steps in order: offer, answer, result",
        ) from error


def _failed(folder: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        f"{folder} cannot be written: {error.strerror}",
        remedy="make the folder writable for this user",
    )
