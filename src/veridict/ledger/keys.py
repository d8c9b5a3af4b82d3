"""Signing keys of logs and witnesses: one file each, mode 0600, created once, never printed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from veridict.core.errors import BadInput, StorageFailed
from veridict.core.files import SECRET, create_file, must_be_private
from veridict.ledger.schema import storage_errors
from veridict.proofs.cosignature import Cosigner, Kind
from veridict.proofs.note import Signer

S = TypeVar("S", Signer, Cosigner)

FILE = "log.key"


def load_or_create_signer(directory: Path, name: str) -> Signer:
    """The signer called `name` from the keystore in `directory`, generated at the first call.

    Raises StorageFailed where the file cannot be used or others may read it,
    and BadInput where it holds the key of another name.
    """
    return _load(directory / FILE, name, Signer.from_skey, lambda: Signer.generate(name).skey())


def load_or_create_cosigner(path: Path, name: str, kind: Kind) -> Cosigner:
    """As `load_or_create_signer`, from a file of its own: a witness's key, a log's second one."""
    return _load(
        path, name, Cosigner.from_skey, lambda: Cosigner(name, kind, secrets.token_bytes(32)).skey()
    )


def _load(path: Path, name: str, parse: Callable[[str], S], generate: Callable[[], str]) -> S:
    file = path.name
    with storage_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            create_file(path, f"{generate()}\n".encode("ascii"), mode=SECRET)
        must_be_private(path)
        text = path.read_text("ascii", errors="replace").strip()
    try:
        signer = parse(text)
    except BadInput as error:
        raise StorageFailed(
            f"{file} holds no signing key", remedy="put back a backup of it", path=str(path)
        ) from error
    if signer.name != name:
        raise BadInput(
            f"{file} is the key of {signer.name!r}, not of {name!r}",
            remedy="use the name with which the log was created",
        )
    return signer
