"""Cases that people decide: the guard's tokens follow, once, and only theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.told import json_record_at, opened, prediction_at, told_copy
from veridict.chain.artifacts import Artifact
from veridict.chain.contract import Contract
from veridict.core.errors import NotFound, Refused
from veridict.core.nouns import Decision
from veridict.services.node import Node
from veridict.services.records import ActRecord, ModelRecord, decode
from veridict.services.sayings import Words, read_words, said
from veridict.services.window import Window


@dataclass(frozen=True, slots=True)
class Counter:
    """A case about a payment that the guard holds."""

    index: int
    payment_id: int


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with opened(told_copy(tmp_path / "home")) as node:
        yield node


def held(node: Node) -> list[Counter]:
    """The open cases about payments; the demo leaves two."""
    found = []
    for index, case in node.board.cases.items():
        payment = None if case.acts else node.payment_of(index)
        if payment is not None:
            found.append(Counter(index, payment))
    return found


def parties(node: Node, payment_id: int) -> tuple[Contract, str, str, int]:
    """The token, the payer, the payee and the amount of a payment."""
    assert node.guard is not None
    payer, payee, amount = node.guard.call("payment", payment_id)[:3]
    client = node.network.client
    return (
        Contract(client, Artifact.load("PaymentToken"), node.guard.call("token")),
        payer,
        payee,
        amount,
    )


def test_release_moves_the_tokens(node: Node) -> None:
    case = held(node)[0]
    token, _, payee, amount = parties(node, case.payment_id)
    before = token.call("balanceOf", payee)
    done = Window(node).act(case.index, "release", by="ann", note="known")
    assert token.call("balanceOf", payee) == before + amount
    assert node.payment_state(case.payment_id) == "released"
    record = decode(node.log.body(done.index))
    assert isinstance(record, ActRecord)
    assert (record.act, done.by, done.note) == ("release", "ann", "known")
    payload = node.log.payload(done.index)
    assert payload is not None
    assert record.said == said(payload)
    assert read_words(payload, Words) == Words("ann", "known")
    assert b"ann" not in node.log.body(done.index)
    assert (record.index, record.payment_id) == (case.index, case.payment_id)
    assert record.tx_hash is not None
    assert node.network.client.receipt(record.tx_hash) is not None


def test_confirm_gives_the_tokens_back(node: Node) -> None:
    case = held(node)[0]
    token, payer, payee, amount = parties(node, case.payment_id)
    before = token.call("balanceOf", payer), token.call("balanceOf", payee)
    Window(node).act(case.index, "confirm", by="ann", note="")
    after = token.call("balanceOf", payer), token.call("balanceOf", payee)
    assert after == (before[0] + amount, before[1])
    assert node.payment_state(case.payment_id) == "refused"


def test_a_case_is_decided_once(node: Node) -> None:
    window, case = Window(node), held(node)[0]
    window.act(case.index, "release", by="ann", note="")
    size = node.log.size
    with pytest.raises(Refused, match="was released before"):
        window.act(case.index, "confirm", by="bob", note="")
    assert node.log.size == size
    assert window.cases(status="open", limit=500) == [
        view for view in window.cases(status=None, limit=500) if view.status == "open"
    ]
    assert case.index not in {view.row.index for view in window.cases(status="open", limit=500)}


def test_only_cases_are_decided(node: Node) -> None:
    size = node.log.size
    for index in (prediction_at(node), json_record_at(node, ModelRecord), size, -1, 10**9):
        with pytest.raises(NotFound):
            Window(node).act(index, "release", by="ann", note="")
    assert node.log.size == size


def test_a_case_without_a_payment_is_only_noted(node: Node) -> None:
    index = prediction_at(node, Decision.HOLD)
    block = node.network.client.block_number()
    Window(node).act(index, "confirm", by="ann", note="it was fraud")
    assert node.network.client.block_number() == block
    assert node.board.cases[index].status == "confirmed"


def test_a_guard_that_says_no_leaves_the_case_open(node: Node) -> None:
    """The human decided on chain, past the node: the node says so and logs nothing false."""
    case = held(node)[0]
    assert node.guard is not None
    human = node.network.acting_as(node.parts.keyring.account("human")).client
    Contract(human, node.guard.artifact, node.guard.address).send("refuse", case.payment_id)
    size = node.log.size
    with pytest.raises(Refused):
        Window(node).act(case.index, "release", by="ann", note="")
    assert node.log.size == size
    assert not node.board.cases[case.index].acts


def test_what_was_done_on_chain_and_not_logged_is_logged(node: Node) -> None:
    """As after a kill between the transaction and the record."""
    case = held(node)[0]
    assert node.guard is not None
    human = node.network.acting_as(node.parts.keyring.account("human")).client
    Contract(human, node.guard.artifact, node.guard.address).send("release", case.payment_id)
    Window(node).act(case.index, "release", by="ann", note="")
    assert node.board.cases[case.index].status == "released"


def test_what_was_decided_is_listened_to_and_audited(node: Node) -> None:
    window, case = Window(node), held(node)[0]
    with window.bus.subscribe() as events:
        window.act(case.index, "release", by="ann", note="")
        kinds = [events.get_nowait().kind for _ in range(events.qsize())]
    assert "case" in kinds
    node.anchor()
    assert all(check.passed for check in node.audit())


def test_acts_are_there_after_a_restart(tmp_path: Path) -> None:
    home = told_copy(tmp_path / "home")
    with opened(home) as node:
        case = held(node)[0]
        Window(node).act(case.index, "release", by="ann", note="known")
    with opened(home) as node:
        acts = Window(node).casework.case(case.index).acts
        assert [(act.act, act.by, act.note) for act in acts] == [("release", "ann", "known")]
