"""A customer is forgotten: nothing of them is left on disk, every proof stands, and all is told."""

from __future__ import annotations

import io
import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from tests.support import asgi
from tests.support.cli import run
from tests.support.told import opened, prediction_at, told_copy
from tests.support.traces import traces
from veridict.apps.web.app import create_app
from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput, EvidenceError, NotFound, StorageFailed
from veridict.core.nouns import Check, Decision, Payload, Request
from veridict.ledger.export import export
from veridict.ledger.filestores import open_store
from veridict.ledger.lookup import Query
from veridict.models.image import float_of, unpack
from veridict.services import acting
from veridict.services.erasing import Erased
from veridict.services.node import Node
from veridict.services.receipt import Receipt
from veridict.services.window import Window

ANN, BOB = "customer-ann-4711", "customer-bob-0815"
NOTE = "called Ann at home, she knows the payee"
TOKEN = "a token of the tests"


@dataclass(slots=True)
class Told:
    home: Path
    published: Path
    node: Node
    anns: list[int]
    bobs: list[int]
    act: int
    receipts: list[bytes]
    secrets: list[bytes]
    printed: io.StringIO


def predicted(node: Node, subject: str, count: int) -> list[int]:
    """Rows that are held, each about `subject`."""
    payload = node.log.payload(prediction_at(node, Decision.HOLD))
    assert payload is not None
    image = unpack(payload.inputs, node.at_work().model.n_features)[0]
    row = [float_of(int(value)) for value in image]
    requests = [
        Request(f"{subject}/payment-{n}", subject, 1_500_000_000 + n, canonical_json(
            {"amount": f"{n}123.45", "id": f"{subject}/payment-{n}", "payer": f"IBAN of {subject}"}
        ))
        for n in range(count)
    ]  # fmt: skip
    rows = np.array([row] * count, np.float64)
    rows *= 1 + 1e-12 * np.arange(1 + len(subject), 1 + len(subject) + count)[:, None]
    made = node.predict(rows, requests)
    return [prediction.index for prediction in made]


def secrets_of(node: Node, index: int) -> list[bytes]:
    """What the payload holds, and what the vault and the index knew it by."""
    payload = node.log.payload(index)
    assert isinstance(payload, Payload)
    vault = node.parts.vault
    tag = vault.tag(payload.request.id)
    inputs = [payload.inputs, payload.inputs_salt] if payload.inputs else []  # words have none
    return [
        payload.request.id.encode(), payload.request.content, payload.request_salt,
        tag.to_bytes(8, "big", signed=True), *inputs,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Ann and Bob were decided about, a case of Ann's released, all anchored."""
    home = told_copy(tmp_path_factory.mktemp("erasure") / "home")
    published = home.parent / "published"
    printed = io.StringIO()
    logged = logging.StreamHandler(printed)
    logging.getLogger().addHandler(logged)
    with redirect_stdout(printed), redirect_stderr(printed), opened(home) as node:
        window = Window(node)
        anns, bobs = predicted(node, ANN, 5), predicted(node, BOB, 3)
        act = window.act(anns[0], "release", by="clerk-77-of-risk", note=NOTE).index
        node.anchor()
        receipts = [window.receipt_json(index) for index in (*anns, *bobs)]
        assert node.log.find(Query(subject=ANN)) == [*anns, act]
        slot = node.parts.vault.slot(ANN)
        assert slot is not None
        secrets = [s for index in (*anns, act) for s in secrets_of(node, index)]
        secrets += [
            ANN.encode(), f"IBAN of {ANN}".encode(), NOTE.encode(), b"clerk-77-of-risk",
            slot.to_bytes(8, "big", signed=True), node.parts.vault._slots.keys([slot])[slot],
        ]  # fmt: skip
        export(node.log, open_store(str(published)))
        yield Told(home, published, node, anns, bobs, act, receipts, secrets, printed)
    logging.getLogger().removeHandler(logged)


@pytest.fixture(scope="module")
def erased(told: Told) -> Erased:
    with pytest.raises(BadInput, match="name who is erased"):
        acting.erase(told.node, ANN, ground="request", by="officer", note=f"{ANN.upper()} asked")
    (done,) = acting.erase(told.node, ANN, ground="request", by="officer", note="art. 17 letter")
    return done


def checked(checks: list[Check]) -> Check:
    assert [f.sentence() for check in checks for f in check.findings] == []
    assert all(check.passed for check in checks)
    return checks[5]


def test_nothing_of_the_subject_is_left_in_any_file_or_log_line(told: Told, erased: Erased) -> None:
    told.node.anchor()
    export(told.node.log, open_store(str(told.published)))
    assert traces(told.home, told.secrets) == []
    assert traces(told.published, told.secrets) == []
    assert "customer" not in told.printed.getvalue()
    # and the search itself works: what is published, and what Bob's vault is found by
    body = told.node.log.body(told.anns[0])
    assert traces(told.published, [body]) != []
    slot = told.node.parts.vault.slot(BOB)
    assert slot is not None
    assert traces(told.home, [slot.to_bytes(8, "big", signed=True)]) != []


def test_the_log_says_that_somebody_was_erased_and_not_who(told: Told, erased: Erased) -> None:
    record = json.loads(told.node.log.body(erased.index))
    assert (record["kind"], record["count"], record["ground"]) == ("erasure", 6, "request")
    assert record["subject"] == erased.subject
    opened = sha256(b"S" + bytes.fromhex(erased.salt) + ANN.encode()).hexdigest()
    assert opened == erased.subject  # what Ann can show, and nobody else
    assert "officer" not in json.dumps(record)


def test_every_proof_stands_and_the_audit_accounts_for_what_is_gone(
    told: Told, erased: Erased
) -> None:
    told.node.anchor()
    commitments = checked(told.node.audit())
    first, last = told.anns[0], told.anns[-1]
    assert commitments.notes == (
        f"records {first}..{last}, {told.act}: erased, accounted for by record #{erased.index}",
    )
    rpc = told.node.network.client.rpc
    for text in told.receipts:  # those that others hold, Ann's too
        assert all(check.passed for check in Receipt.from_json(text).verify(rpc))
    with pytest.raises(EvidenceError, match="erased"):
        told.node.receipt(first)
    assert told.node.receipt(told.bobs[0]).verify(rpc)[0].passed


def test_people_are_told_too(told: Told, erased: Erased) -> None:
    window = Window(told.node)
    row = window.row(told.anns[1])
    assert (row.request_id, row.subject, row.reasons) == ("", "", [])
    assert row.summary == f"erased, accounted for by record #{erased.index}"
    view = window.prediction(told.anns[0])
    facts = {fact.value for stage in view.stages for fact in stage.facts}
    assert "by erased" in facts
    assert f"erased, accounted for by record #{erased.index}: only its commitment is left" in facts
    case = window.casework.case(told.anns[0])
    assert (case.status, case.acts[0].by) == ("released", "erased")
    assert window.row(told.bobs[0]).subject == BOB


def test_who_is_erased_is_found_no_more_and_can_come_back(told: Told, erased: Erased) -> None:
    node = told.node
    assert node.log.find(Query(subject=ANN)) == []
    assert node.log.find_requests([f"{ANN}/payment-0", f"{BOB}/payment-0"]) == [None, told.bobs[0]]
    with pytest.raises(NotFound):
        acting.erase(node, ANN, ground="request", by="officer")
    again = predicted(node, ANN, 1)
    assert node.log.find(Query(subject=ANN)) == again
    (second,) = acting.erase(node, ANN, ground="consent", by="officer")
    assert (second.count, second.subject != erased.subject) == (1, True)
    node.anchor()
    assert checked(node.audit()).notes[1].startswith(f"record {again[0]}: erased")


def test_over_http_and_on_the_command_line(
    told: Told, erased: Erased, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    window = Window(told.node)
    with asgi.client(create_app(window, token=TOKEN)) as client:
        found = client.get("/api/find", params={"subject": BOB}).json()
        assert [row["index"] for row in found] == told.bobs
        assert found[0]["request_id"] == f"{BOB}/payment-0"
        body = {"subject": BOB, "by": "officer"}
        assert client.post("/api/erasures", json=body).status_code == 401
        headers = {"authorization": f"Bearer {TOKEN}"}
        done = client.post("/api/erasures", json=body, headers=headers).json()
        assert [one["count"] for one in done] == [3]
        assert client.post("/api/erasures", json=body, headers=headers).status_code == 404
        assert client.get("/api/find", params={"subject": BOB}).json() == []
        number = str(found[0]["sequence"])
        gone = client.get("/api/find", params={"sequence_from": number, "sequence_to": number})
        assert gone.json()[0]["erased_by"] == done[0]["index"]
    home = ("--home", str(told.home), "--json")
    shown = run(capsys, "log", "find", "--sequence", number, *home).json
    assert shown == gone.json()
    assert run(capsys, "log", "find", "--subject", BOB, *home).json == []
    leaf = run(capsys, "log", "find", "--record", shown[0]["leaf"], *home).json
    assert leaf == shown


def test_the_command_line_erases_and_verifies_what_others_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = told_copy(tmp_path / "home")
    with opened(home) as node:
        (index, *_) = predicted(node, ANN, 2)
        node.anchor()
        receipt = tmp_path / "receipt.json"
        receipt.write_bytes(node.receipt(index).to_json())
    at = ("--home", home, "--json")
    assert run(capsys, "verify", receipt, *at).json["erased_by"] is None
    assert run(capsys, "erase", ANN, "--by", ANN, *at).status == 2
    (done,) = run(capsys, "erase", ANN, "--by", "officer", *at).json
    assert done["count"] == 2
    again = run(capsys, "erase", ANN, "--by", "officer", *at)
    assert (again.status, again.json["error"]) == (2, "not-found")
    verified = run(capsys, "verify", receipt, *at)
    assert (verified.status, verified.json["passed"]) == (0, True)
    assert verified.json["erased_by"] == done["index"]
    told = run(capsys, "verify", receipt, "--home", home).out
    assert f"accounted for by record #{done['index']}" in told


def test_a_vault_that_was_lost_is_not_begun_anew_unnoticed(tmp_path: Path) -> None:
    home = told_copy(tmp_path / "home")
    shutil.rmtree(home / "vault")
    for _ in range(2):
        with pytest.raises(StorageFailed, match="not the one that sealed"):
            opened(home)
