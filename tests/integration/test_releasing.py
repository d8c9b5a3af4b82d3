"""A model is released on a line from the command line: waited for, or struck."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run
from tests.support.told import opened, told_copy
from veridict.core.errors import NotFound, Refused
from veridict.services import releasing
from veridict.services.node import Node

DELAY_S = 2


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return told_copy(tmp_path_factory.mktemp("releasing") / "home")


def model_at_work(node: Node) -> bytes:
    return node.at_work().model.id


def test_a_model_waits_for_its_release(home: Path) -> None:
    with opened(home) as node:
        model_id = model_at_work(node)
        contract = releasing.releases(node.log, node.network)
        line = releasing.begin(contract, "payments", guardian=node.operator, delay_s=DELAY_S)
        assert releasing.active(line) is None
        now_s = node.network.client.block().timestamp_s
        assert releasing.advance(line, model_id, now_s=now_s).state == "proposed"
        assert releasing.active(line) is None
        with pytest.raises(Refused):  # too early
            releasing.enact(line, model_id)
        time.sleep(DELAY_S + 1)
        found = releasing.advance(line, model_id, now_s=now_s + DELAY_S + 1)
        assert (found.state, releasing.active(line)) == ("active", model_id)
        with pytest.raises(Refused):  # there was none before it
            releasing.rollback(line, model_id)


def test_what_the_guardian_struck_is_never_released(home: Path) -> None:
    with opened(home) as node:
        model_id = model_at_work(node)
        contract = releasing.releases(node.log, node.network)
        line = releasing.begin(contract, "struck", guardian=node.operator, delay_s=1)
        releasing.propose(line, model_id)
        releasing.veto(line, model_id)
        time.sleep(2)
        with pytest.raises(Refused):
            releasing.enact(line, model_id)
        assert releasing.standing(line, model_id).state == "none"


def test_a_line_that_nobody_began_is_not_found(home: Path) -> None:
    with opened(home) as node, pytest.raises(NotFound):
        releasing.line(releasing.releases(node.log, node.network), node.operator, "nothing")


def test_erc_7992_verifies_a_logged_score_by_running_it_again(home: Path) -> None:
    with opened(home) as node:
        index = next(iter(node.board.cases))
        record, payload = node.prediction(index)
        assert payload is not None
        verifier = releasing.inference(node.log, node.network)
        model_id = int.from_bytes(record.model_id, "big")
        proof = releasing.inference_proof(payload)
        score = record.score.to_bytes(32, "big", signed=True)
        verifier.call("checkInference", model_id, record.inputs, score, proof)
        false = (record.score + 1).to_bytes(32, "big", signed=True)
        with pytest.raises(Refused):
            verifier.call("checkInference", model_id, record.inputs, false, proof)


def test_the_command_releases_deprecates_and_hands_over(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*words: str) -> Any:
        ran = run(capsys, "model", *words, "--home", home, "--json")
        assert ran.status == 0, ran.out + ran.err
        return ran.json

    with opened(home) as node:
        model_id = model_at_work(node).hex()
    first = told("release", model_id, "--delay", "1")
    assert (first["state"], first["active"]) == ("proposed", None)
    time.sleep(2)
    second = told("release", model_id)
    assert (second["state"], second["active"]) == ("active", model_id)
    assert told("deprecate", model_id)["model_id"] == model_id
    heir = "0x" + "11" * 20
    assert told("transfer", model_id, heir)["owner"] == heir
