"""kill -9 at every step of an erasure: it is never half told, and running it again completes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import erasing_child
from tests.support.ledger import make_payload, make_signer, make_vault
from tests.support.parts import ROOT
from tests.support.traces import traces
from veridict.core.codec import TAG_INPUTS, TAG_REQUEST, commit
from veridict.core.errors import NotFound
from veridict.core.nouns import Decision, PredictionRecord
from veridict.ledger.entry import Entry
from veridict.ledger.log import Log
from veridict.ledger.lookup import Query
from veridict.privacy.vault import FileVault
from veridict.services.audit.commitments import Commitments
from veridict.services.audit.walk import rows_of

SUBJECT, OTHER = "subject-of-erasure-4711", "somebody-else-0815"
RECORDS = 600
MINE = range(0, RECORDS, 3)


def entry_of(number: int) -> Entry:
    payload = make_payload(f"request-number-{number:06}")
    about = SUBJECT if number in MINE else OTHER
    payload = replace(payload, request=replace(payload.request, subject=about))
    record = PredictionRecord(
        Decision.ALLOW, (0, 1, 2), number, 1_500, -1, bytes(32),
        commit(TAG_REQUEST, payload.request_salt, payload.request.content),
        commit(TAG_INPUTS, payload.inputs_salt, payload.inputs),
    )  # fmt: skip
    return Entry(record.encode(), payload)


def filled(directory: Path) -> list[bytes]:
    """A log in which every third record is about SUBJECT; what must be gone of it."""
    entries = [entry_of(number) for number in range(RECORDS)]
    with Log.open(directory, signer=make_signer(), vault=make_vault(directory)) as log:
        log.append(entries)
        assert log.find(Query(subject=SUBJECT), most=RECORDS) == list(MINE)
    with closing(FileVault(directory / "vault")) as vault:
        slot = vault.slot(SUBJECT)
        assert slot is not None
        key = vault._slots.keys([slot])[slot]
        tags = [vault.tag(f"request-number-{n:06}") for n in MINE]
    return [
        SUBJECT.encode(),
        key,
        slot.to_bytes(8, "big", signed=True),
        *(tag.to_bytes(8, "big", signed=True) for tag in tags),
        *(f"request-number-{n:06}".encode() for n in MINE),
    ]


def child(directory: Path, point: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, erasing_child.__file__, str(directory), SUBJECT, point],
        capture_output=True, cwd=ROOT, check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
    )  # fmt: skip


@contextmanager
def readonly(directory: Path) -> Iterator[Log]:
    vault = FileVault.open_readonly(directory / "vault")
    with Log.open_readonly(directory, vault=vault) as log:
        yield log


def judged(directory: Path) -> tuple[set[str], list[str]]:
    """Codes of the findings of the audit's sixth check, and its notes."""
    with readonly(directory) as log:
        check = Commitments()
        check.see(rows_of(log, 0, log.size))
        return {finding.code for finding in check.verdict()[1]}, check.notes


@pytest.mark.parametrize("point", [*erasing_child.POINTS, "none"])
def test_an_erasure_that_was_killed_is_completed_by_the_next(tmp_path: Path, point: str) -> None:
    secrets = filled(tmp_path)
    done = child(tmp_path, point)
    if point == "none":
        assert done.returncode == 0, done.stderr.decode()
    else:
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        codes, _ = judged(tmp_path)
        # logged and not carried out is named; before that nothing has changed
        assert codes == ({"erasure.undone"} if point in ("index", "delete") else set())
        if point != "overwrite":  # there the key is gone already, and nothing is left to ask for
            again = child(tmp_path, "none")
            assert again.stdout.split() == [b"%d" % RECORDS, b"%d" % len(MINE)], again.stderr
    with pytest.raises(NotFound):
        erasing_child.erase(tmp_path, SUBJECT, "none")
    codes, notes = judged(tmp_path)
    assert codes == set()
    assert len(notes) == 1
    assert notes[0].endswith(f"accounted for by record #{RECORDS}")
    with readonly(tmp_path) as log:
        assert log.size == RECORDS + 1
        assert log.find(Query(subject=SUBJECT)) == []
        assert log.find(Query(subject=OTHER), most=RECORDS) == [
            index for index in range(RECORDS) if index not in MINE
        ]
        payloads = list(log.payloads(0, RECORDS))
        assert [index for index, payload in enumerate(payloads) if payload is None] == list(MINE)
    assert traces(tmp_path, secrets) == []
