"""Steer: a parameter on chain follows what a model predicts, within its contract's limits.

    asked = question(parameter, time_s)             what the next prediction must answer
    prediction = node.predict_by(model, …, [asked])  logged like any other
    moved = steer(parameter, prediction, operator)   the contract does as its limits allow

Who must be honest is told by the assurance that the contract was deployed with. The limits hold
whoever lies.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

from eth_account.signers.local import LocalAccount

from veridict.chain.abi import encode_arguments
from veridict.chain.artifacts import Artifact
from veridict.chain.contract import Contract
from veridict.chain.deployment import deploy
from veridict.chain.receipts import TxReceipt
from veridict.control.parameter import Limits
from veridict.core.nouns import Request
from veridict.services import evidence
from veridict.services.deploy import Network
from veridict.services.predict import Prediction
from veridict.services.receipt import Receipt
from veridict.services.settle import SIGNED


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose predictions a parameter follows, fixed for ever."""

    min_bond_wei: int = 10**15
    max_age_s: int = 600
    challenge_window_s: int = 600
    min_assurance: int = SIGNED


@dataclass(frozen=True, slots=True)
class Move:
    """What the contract did: the prediction asked for `target`, the limits allowed `after`."""

    before: int
    after: int
    target: int
    gas_used: int
    tx_hash: str


def deploy_parameter(
    network: Network, model_id: bytes, limits: Limits, human: str, trust: Trust | None = None
) -> Contract:
    """A parameter that follows this registered model. Refused where the limits make no sense."""
    chosen = trust or Trust()
    followed = (
        network.addresses.anchor,
        network.addresses.stakes,
        network.addresses.registry,
        model_id,
        chosen.min_bond_wei,
        chosen.max_age_s,
        chosen.challenge_window_s,
        chosen.min_assurance,
    )
    return deploy(
        network.client, Artifact.load("AdaptiveParameter"), astuple(limits), followed, human
    )


def question(parameter: Contract, time_s: int) -> Request:
    """The request that the next prediction must answer; another after every move and veto."""
    number = parameter.call("question")
    content = encode_arguments(
        "parameter",
        ["uint256", "address", "uint256"],
        [parameter.client.chain_id, parameter.address, number],
    )
    return Request(f"{parameter.address}/{number}", "", time_s, content)


def steer(parameter: Contract, prediction: Prediction, operator: LocalAccount) -> Move:
    """Assurance `signed`. Raises Refused with the contract's reason: too early, vetoed, …"""
    shown = evidence.signed(parameter, prediction, operator)
    return _moved(parameter, parameter.send("move_signed", *shown))


def steer_anchored(parameter: Contract, receipt: Receipt) -> Move:
    """Assurance `optimistic`: the prediction was open to challenge under an anchored root."""
    return _moved(parameter, parameter.send("move_anchored", *evidence.anchored(receipt)))


def _moved(parameter: Contract, done: TxReceipt) -> Move:
    (event,) = parameter.decode_logs("Moved", done.logs)
    told = event.args
    return Move(told["before"], told["after"], told["target"], done.gas_used, done.hash)
