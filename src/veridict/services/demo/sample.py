"""A sample of the stream is paid on chain: one way for each decision, and one way to cheat.

allowed   the tokens move at once
review    the guard keeps them; the human releases
hold      the guard keeps them; the human refuses one, the others wait on the case list
cheat     a payment is settled with the prediction of another: the guard refuses
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from veridict.chain.addresses import checksum, keccak256
from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.deployment import deploy
from veridict.core.errors import Refused
from veridict.core.nouns import Decision, Stage
from veridict.core.progress import Progress, Step
from veridict.models.image import float_of, unpack
from veridict.services.acting import act
from veridict.services.funding import funded
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.settle import (
    Bounds,
    Held,
    Settled,
    deploy_guard,
    open_payment,
    settle_anchored,
    settle_signed,
    settlement_request,
)

PAYERS = 3
# Nobody waits ten minutes in a demo: a payment real enough to dispute keeps the default window.
BOUNDS = Bounds(challenge_window_s=0)
WANTED = {Decision.ALLOW: 6, Decision.REVIEW: 2, Decision.HOLD: 3}


@dataclass(frozen=True, slots=True)
class Payment:
    """One row of the stream to be paid on chain: its prediction, and who pays whom how much."""

    index: int
    payer: str
    payee: str
    amount: int


@dataclass(slots=True)
class Sampled:
    """What the guard did, in order; gas by assurance tier."""

    settled: list[Settled] = field(default_factory=list)
    signed_gas: int = 0
    anchored_gas: int = 0
    released: int = 0
    refused_by_human: int = 0
    cheat_refused: str = ""


def pay_sample(node: Node, payments: Sequence[Payment], progress: Progress) -> Sampled:
    """Pay `payments` through a guard contract; the first allowed one by its anchored record."""
    token, guard = _contracts(node)
    done = Sampled()
    held = [_opened(node, token, guard, payment) for payment in payments]
    made = _predicted(node, guard, payments, held)
    anchored = next((k for k, p in enumerate(made) if p.record.decision is Decision.ALLOW), 0)
    node.anchor()
    operator = node.parts.keyring.account("operator")
    for k, (payment, prediction) in enumerate(zip(held, made, strict=True)):
        if k == anchored:
            settled = settle_anchored(guard, payment, node.receipt(prediction.index))
            done.anchored_gas = settled.gas_used
        else:
            settled = settle_signed(guard, payment, prediction, operator)
            done.signed_gas = settled.gas_used
        done.settled.append(settled)
        progress(Step(Stage.ACT, "settled on chain", k + 1, len(held)))
    _human_decides(node, made, done)
    done.cheat_refused = _cheat(node, token, guard, payments[0], made[0])
    return done


def _contracts(node: Node) -> tuple[Contract, Contract]:
    client = node.network.client
    issuer = node.at_work()
    token = deploy(client, Artifact.load("PaymentToken"))
    human = funded(node, "human").address
    guard = deploy_guard(node.network, token, issuer.model.id, issuer.policy, human, BOUNDS)
    node.watch_guard(guard)
    if node.network.stakes.call("bond", node.operator) == 0:
        node.network.stakes.send("deposit", value=10**16)
    return token, guard


def _opened(node: Node, token: Contract, guard: Contract, payment: Payment) -> Held:
    """The payer, a customer with a wallet, hands the tokens to the guard."""
    role = f"payer {int.from_bytes(keccak256(payment.payer.encode())[:4], 'big') % PAYERS}"
    account = funded(node, role)
    token.send("mint", account.address, payment.amount)
    return open_payment(
        token,
        guard,
        Client(node.network.client.rpc, account),
        wallet(payment.payee),
        payment.amount,
    )


def _predicted(
    node: Node, guard: Contract, payments: Sequence[Payment], held: Sequence[Held]
) -> list[Prediction]:
    """Predict about exactly these payments, from the features their rows had in the stream."""
    features = logged_features(node, [payment.index for payment in payments])
    chain_id, now_s = node.network.addresses.chain_id, node.parts.clock() // 1000
    return node.predict(
        features, [settlement_request(h, guard, chain_id, time_s=now_s) for h in held]
    )


def _human_decides(node: Node, made: Sequence[Prediction], done: Sampled) -> None:
    waiting = [p.index for p in made if p.record.decision is not Decision.ALLOW]
    for index in waiting[:2]:
        act(node, index, "release", by="human", note="known counterparty")
        done.released += 1
    for index in waiting[2:3]:
        act(node, index, "confirm", by="human", note="confirmed by the payer's bank")
        done.refused_by_human += 1


def _cheat(
    node: Node, token: Contract, guard: Contract, payment: Payment, other: Prediction
) -> str:
    held = _opened(node, token, guard, payment)
    try:
        settle_signed(guard, held, other, node.parts.keyring.account("operator"))
    except Refused as refused:
        return str(refused.facts["reason"])
    return ""


def wallet(name: str) -> str:
    """An address for a party that the data names: nobody holds its key."""
    return checksum(keccak256(f"veridict demo party {name}".encode())[12:])


def logged_features(node: Node, indices: Sequence[int]) -> NDArray[np.float64]:
    """The features that were logged with these predictions: float64 [n, n_features]."""
    packed = []
    for index in indices:
        payload = node.log.payload(index)
        assert payload is not None, "the demo erases nothing"
        packed.append(payload.inputs)
    images = unpack(b"".join(packed), node.at_work().model.n_features)
    return np.array([[float_of(value) for value in row] for row in images.tolist()])
