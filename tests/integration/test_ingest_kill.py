"""kill -9 while many clients post statements: each receipt that was given still holds.

Who got no answer sends the same again, to the next process, and is given one place.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.support.ledger import make_signer, make_vault
from veridict.ledger.log import Log
from veridict.ledger.verify import check_log
from veridict.services.audit.commitments import Commitments
from veridict.services.audit.walk import rows_of
from veridict.services.ingest import Ingest
from veridict.services.records import StatementRecord, decode
from veridict.services.sayings import said
from veridict.services.statements import read_statement

KILLS = max(2, int(os.environ.get("VERIDICT_KILLS", "3")) // 2)
CLIENTS = 8
TOKEN = "a-token-of-some-length"
PROJECT = Path(__file__).parents[2]

Receipt = dict[str, object]


def statement(client: int, number: int) -> bytes:
    return b'{"id": "%d/%d", "subject": "account-%d", "x": %d}' % (client, number, client, number)


def started(directory: Path) -> tuple[subprocess.Popen[str], str]:
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("ingest_child.py")), str(directory), TOKEN],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert child.stdout is not None
    with child.stdout as out:
        url = out.readline().strip()
    assert url, f"the child ended with status {child.wait()}"
    return child, url


def posting(url: str, client: int, first: int, begun: Event) -> dict[int, Receipt]:
    """Receipts of statements from `first` on, until the server is gone."""
    receipts: dict[int, Receipt] = {}
    headers = {"authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=url, headers=headers, timeout=20) as web:
        number = first
        while True:
            try:
                reply = web.post("/api/statements", content=statement(client, number))
            except httpx.TransportError:
                return receipts
            assert reply.status_code in (200, 201), reply.text
            receipts[number] = reply.json()
            number += 1
            begun.set()


@pytest.mark.timeout(60 + 30 * KILLS)
def test_no_receipt_is_broken(tmp_path: Path) -> None:
    chance = random.Random(20_26)
    given: dict[tuple[int, int], Receipt] = {}
    following = [0] * CLIENTS
    for _ in range(KILLS):
        child, url = started(tmp_path)
        begun = Event()
        with ThreadPoolExecutor(CLIENTS) as pool:
            work = [pool.submit(posting, url, c, following[c], begun) for c in range(CLIENTS)]
            assert begun.wait(30)
            time.sleep(chance.uniform(0.1, 0.7))
            child.kill()
            child.wait()
        for client, done in enumerate(work):
            for number, receipt in done.result().items():
                given[client, number] = receipt
                following[client] = number + 1  # what had no answer is sent again
        check(tmp_path, given)
    assert len(given) > KILLS


def check(directory: Path, given: dict[tuple[int, int], Receipt]) -> None:
    vault = make_vault(directory)
    with Log.open(directory, signer=make_signer(), vault=vault) as log:
        assert check_log(log) == []
        opens = Commitments()
        opens.see(rows_of(log, 0, log.size))
        assert opens.verdict() == (log.size, ())
        for (client, number), receipt in given.items():
            index = receipt["index"]
            assert isinstance(index, int)
            record, payload = decode(log.body(index)), log.payload(index)
            assert isinstance(record, StatementRecord)
            assert payload is not None
            assert payload.request.content == statement(client, number)
            assert payload.request_salt.hex() == receipt["salt"]
            assert said(payload) == record.said
        ids = [payload.request.id for payload in log.payloads() if payload is not None]
        assert len(ids) == len(set(ids)) == log.size, "one id has two places"
        with Ingest(log, lambda: 0) as ingest:
            (client, number), receipt = next(iter(given.items()))
            again = ingest.submit(read_statement(statement(client, number))).result()
            assert (again.again, again.index) == (True, receipt["index"])
