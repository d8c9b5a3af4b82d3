"""A process that erases a subject and is killed, by its own hand, at one point of it.

    python erasing_child.py DIRECTORY SUBJECT POINT [URL]

POINT names the step before which it dies ("none": it lives, and prints what it did), URL the
database of a shared vault.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.support.ledger import make_signer
from veridict.core.clock import wall_clock_ms
from veridict.core.nouns import Payload
from veridict.ledger.entry import Entry
from veridict.ledger.log import Log
from veridict.ledger.sidefile import SideFile
from veridict.ledger.sqlite import SqliteStore
from veridict.privacy.shared import SharedVault
from veridict.privacy.shared.slots import SharedSlots
from veridict.privacy.slotfile import FileSlots
from veridict.privacy.vault import FileVault, SubjectVault
from veridict.services.erasing import Erased, Eraser
from veridict.services.records import ErasureRecord, decode, encode

POINTS: dict[str, tuple[Any, str]] = {
    "settle": (Log, "settle"),
    "log": (Log, "append"),
    "index": (SideFile, "forget"),
    "delete": (SqliteStore, "forget"),
    "destroy": (SubjectVault, "destroy"),
    "overwrite": (FileSlots, "_destroyed"),
    "turn": (SharedSlots, "_destroyed"),
}


def vault_of(directory: Path, url: str | None) -> SubjectVault:
    place = directory / "vault"
    return FileVault(place) if url is None else SharedVault(url, place)


def erase(directory: Path, subject: str, point: str, url: str | None = None) -> list[Erased]:
    vault = vault_of(directory, url)
    with Log.open(directory, signer=make_signer(), vault=vault) as log:
        log.find_request("nobody")  # so that there is an index to forget from
        records = [(index, decode(body)) for index, body in enumerate(log.bodies())]
        noted = [(index, r) for index, r in records if isinstance(r, ErasureRecord)]

        def append(record: ErasureRecord, payload: Payload) -> int:
            return log.append([Entry(encode(record), payload)]).first_index

        eraser = Eraser(log, vault, wall_clock_ms, append, noted)
        if point in POINTS:
            setattr(*POINTS[point], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        return eraser.erase(subject, "request", "the officer", "")


if __name__ == "__main__":
    for erased in erase(Path(sys.argv[1]), *sys.argv[2:]):
        os.write(1, f"{erased.index} {erased.count}\n".encode())
