"""Payments opened in the guard are decided live: held until a person, and once, whatever dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gate import SMALL, Payer, a_live_hold_settles_only_by_a_person
from tests.support.told import opened, told_copy
from veridict.chain.contract import Contract
from veridict.core.nouns import Decision
from veridict.services.cases.casework import Casework
from veridict.services.demo.sample import wallet
from veridict.services.node import Node
from veridict.services.settle import settlement_request


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return told_copy(tmp_path_factory.mktemp("gate") / "home")


@pytest.fixture
def node(home: Path) -> Iterator[Node]:
    with opened(home) as node:
        yield node


def test_a_live_hold_settles_only_by_a_person(node: Node) -> None:
    a_live_hold_settles_only_by_a_person(node)


def test_a_confirmed_hold_goes_back_to_its_payer(node: Node) -> None:
    payer = Payer(node)
    held = payer.until(Decision.HOLD)
    before = payer.token.call("balanceOf", payer.account.address)
    Casework(node).act(held.prediction.index, "confirm", by="Ann", note="")
    assert payer.token.call("balanceOf", payer.account.address) == before + SMALL
    assert node.payment_state(held.held.payment_id) == "refused"


def test_what_is_allowed_moves_at_once(node: Node) -> None:
    payer, payee = Payer(node), wallet("landlord")
    held = payer.opens(payee, 350_00)
    (attended,) = payer.keeper.attend()
    assert attended.prediction.record.decision is Decision.ALLOW
    assert attended.settled is not None
    assert attended.settled.outcome == "allowed"
    assert payer.token.call("balanceOf", payee) == held.amount


def test_a_process_that_died_decides_nothing_twice(node: Node) -> None:
    """Cut off before the prediction, and between the prediction and the guard."""
    payer, guard = Payer(node), node.guard
    assert guard is not None
    held = [payer.opens(wallet("twice"), 350_00) for _ in range(2)]
    chain_id = node.network.addresses.chain_id
    request = settlement_request(held[1], guard, chain_id, time_s=node.parts.clock() // 1000)
    like = payer.keeper._decide(held[1], request)  # and then the process is gone
    size = node.log.size
    done = Payer(node).found
    assert [one.held for one in done] == held
    assert done[1].prediction.index == like.index
    assert node.log.size == size + 1
    assert {node.payment_state(one.payment_id) for one in held} == {"paid"}


def test_a_guard_that_is_paused_keeps_everything_and_says_so(node: Node) -> None:
    payer = Payer(node)
    human = node.network.acting_as(node.parts.keyring.account("human")).client
    guard = Contract(human, payer.guard.artifact, payer.guard.address)
    held = payer.opens(wallet("paused"), 350_00)
    guard.send("pause")
    (attended,) = payer.keeper.attend()
    assert attended.settled is None
    assert "paused" in attended.problem
    assert node.payment_state(held.payment_id) == "open"
    guard.send("unpause")
    (again,) = payer.keeper.attend()
    assert again.settled is not None
    assert again.prediction.index == attended.prediction.index
    assert node.payment_state(held.payment_id) == "paid"
