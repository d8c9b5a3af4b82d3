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

import psycopg
import pytest

from tests.support import erasing_child
from tests.support.erasing_child import vault_of
from tests.support.ledger import make_payload, make_signer
from tests.support.parts import ROOT
from tests.support.traces import traces
from veridict.core.codec import TAG_INPUTS, TAG_REQUEST, commit
from veridict.core.errors import NotFound
from veridict.core.nouns import Decision, PredictionRecord
from veridict.ledger.entry import Entry
from veridict.ledger.log import Log
from veridict.ledger.lookup import Query
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


FILE_POINTS = ("settle", "log", "index", "delete", "destroy", "overwrite", "none")


def filled(directory: Path, url: str | None) -> list[bytes]:
    """A log in which every third record is about SUBJECT; what must be gone of it."""
    entries = [entry_of(number) for number in range(RECORDS)]
    with Log.open(directory, signer=make_signer(), vault=vault_of(directory, url)) as log:
        log.append(entries)
        assert log.find(Query(subject=SUBJECT), most=RECORDS) == list(MINE)
    with closing(vault_of(directory, url)) as vault:
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


def child(directory: Path, point: str, url: str | None) -> subprocess.CompletedProcess[bytes]:
    where = [] if url is None else [url]
    return subprocess.run(
        [sys.executable, erasing_child.__file__, str(directory), SUBJECT, point, *where],
        capture_output=True, cwd=ROOT, check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
    )  # fmt: skip


@contextmanager
def readonly(directory: Path, url: str | None) -> Iterator[Log]:
    with closing(vault_of(directory, url)) as vault:
        beside = vault.beside()
    with Log.open_readonly(directory, vault=beside) as log:
        yield log


def dumped(url: str) -> bytes:
    """All that a reader of the vault's database sees."""
    with psycopg.connect(url) as db:
        tables = ("state", "page", "slot", "host")
        rows = [db.execute(f"SELECT * FROM {table}".encode()).fetchall() for table in tables]
    values = [value for table in rows for row in table for value in row]
    return b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in values)


def judged(directory: Path, url: str | None) -> tuple[set[str], list[str]]:
    """Codes of the findings of the audit's sixth check, and its notes."""
    with readonly(directory, url) as log:
        check = Commitments()
        check.see(rows_of(log, 0, log.size))
        return {finding.code for finding in check.verdict()[1]}, check.notes


@pytest.mark.parametrize(
    ("vault", "point"),
    [
        *(("file", point) for point in FILE_POINTS),
        ("shared", "turn"),
        pytest.param("shared", "destroy", marks=pytest.mark.slow),
        pytest.param("shared", "none", marks=pytest.mark.slow),
    ],
)
def test_an_erasure_that_was_killed_is_completed_by_the_next(
    tmp_path: Path, vault: str, point: str, request: pytest.FixtureRequest
) -> None:
    url: str | None = None
    if vault == "shared":
        url = request.getfixturevalue("postgres").new_place()
    secrets = filled(tmp_path, url)
    done = child(tmp_path, point, url)
    if point == "none":
        assert done.returncode == 0, done.stderr.decode()
    else:
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        codes, _ = judged(tmp_path, url)
        # logged and not carried out is named; before that nothing has changed
        assert codes == ({"erasure.undone"} if point in ("index", "delete") else set())
        if point not in (
            "overwrite",
            "turn",
        ):  # there the key is gone already, and nothing is left to ask for
            again = child(tmp_path, "none", url)
            assert again.stdout.split() == [b"%d" % RECORDS, b"%d" % len(MINE)], again.stderr
    with pytest.raises(NotFound):
        erasing_child.erase(tmp_path, SUBJECT, "none", url)
    codes, notes = judged(tmp_path, url)
    assert codes == set()
    assert len(notes) == 1
    assert notes[0].endswith(f"accounted for by record #{RECORDS}")
    with readonly(tmp_path, url) as log:
        assert log.size == RECORDS + 1
        assert log.find(Query(subject=SUBJECT)) == []
        assert log.find(Query(subject=OTHER), most=RECORDS) == [
            index for index in range(RECORDS) if index not in MINE
        ]
        payloads = list(log.payloads(0, RECORDS))
        assert [index for index, payload in enumerate(payloads) if payload is None] == list(MINE)
    assert traces(tmp_path, secrets) == []
    if url is not None:
        whole = dumped(url)
        assert not any(secret in whole for secret in secrets)
