"""A payer who opens payments in the demo's guard, and what then becomes of them."""

from __future__ import annotations

import pytest

from tests.support.told import payments
from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.core.errors import Refused
from veridict.core.nouns import Decision
from veridict.services.cases.casework import Casework
from veridict.services.demo.sample import wallet
from veridict.services.funding import funded
from veridict.services.gatekeeping import Attended, Gatekeeper
from veridict.services.node import Node
from veridict.services.settle import Held, open_payment, settle_signed
from veridict.solutions.finance.payments import SHAPE, Payment

SMALL, TRIES = 16_04, 12  # an amount as in the rings of the demo's data


class Payer:
    """Pays through the guard of `node`, which its gatekeeper attends."""

    def __init__(self, node: Node) -> None:
        assert node.guard is not None
        self.node, self.guard = node, node.guard
        client = node.network.client
        self.account = Client(client.rpc, funded(node, "payer 0"))
        self.token = Contract(client, Artifact.load("PaymentToken"), self.guard.call("token"))
        self.keeper: Gatekeeper[Payment] = Gatekeeper(
            node,
            SHAPE,
            payments().extractor(),
            lambda held: Payment(held.payer, held.payee, held.amount),
        )
        self.found = self.keeper.attend()  # what was open before

    def opens(self, payee: str, amount: int) -> Held:
        self.token.send("mint", self.account.address, amount)
        return open_payment(self.token, self.guard, self.account, payee, amount)

    def until(self, decision: Decision) -> Attended:
        """Small payments to one payee, as in a ring, until the model decides so about one."""
        payee, told = wallet("mule"), []
        for _ in range(TRIES):
            self.opens(payee, SMALL)
            (attended,) = self.keeper.attend()
            told.append(attended.prediction.record.decision)
            if told[-1] is decision:
                return attended
        raise AssertionError(f"{TRIES} payments were decided {told}")


def a_live_hold_settles_only_by_a_person(node: Node) -> None:
    """From the payer's transaction to the payee's tokens; the guard keeps them in between."""
    payer, operator = Payer(node), node.parts.keyring.account("operator")
    attended = payer.until(Decision.HOLD)
    held, index = attended.held, attended.prediction.index
    assert attended.settled is not None
    assert attended.settled.outcome == "held"
    before = payer.token.call("balanceOf", held.payee)
    kept = payer.token.call("balanceOf", node.guard.address) if node.guard else 0
    assert kept >= held.amount
    with pytest.raises(Refused, match="settled already"):
        settle_signed(payer.guard, held, attended.prediction, operator)
    stranger = Contract(payer.account, payer.guard.artifact, payer.guard.address)
    for name in ("release", "refuse", "reclaim"):
        with pytest.raises(Refused):
            stranger.send(name, held.payment_id)
    assert payer.token.call("balanceOf", held.payee) == before
    assert node.payment_state(held.payment_id) == "held"
    assert payer.keeper.attend() == []  # nothing is open any more
    work = Casework(node)
    assert work.case(index).payment_id == held.payment_id
    work.act(index, "release", by="Ann", note="the payer called")
    assert payer.token.call("balanceOf", held.payee) == before + held.amount
    assert node.payment_state(held.payment_id) == "released"
