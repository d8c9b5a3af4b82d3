"""Act: payments on chain that move, wait for a human, or are refused, by what was predicted.

A payment is opened in the guard contract, which then holds the tokens; the
prediction is made about exactly that payment; the guard checks it (`signed`:
the operator's EIP-712 signature; `optimistic`: inclusion under an anchored
root) and applies its own thresholds and bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_account.signers.local import LocalAccount

from veridict.chain.abi import encode_arguments
from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.deployment import deploy
from veridict.chain.receipts import TxReceipt
from veridict.core.nouns import Policy, Request
from veridict.services import evidence
from veridict.services.deploy import Network
from veridict.services.predict import Prediction
from veridict.services.receipt import Receipt

OPEN_GAS = 250_000  # cannot be estimated: it depends on the approval in the same batch
SIGNED = 1  # the guard's number of the weakest assurance it accepts


@dataclass(frozen=True, slots=True)
class Held:
    """A payment in the guard's hands, before anything was decided."""

    payment_id: int
    payer: str
    payee: str
    amount: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What the guard did: `outcome` is "allowed", "review" or "held"."""

    payment_id: int
    outcome: str
    gas_used: int
    tx_hash: str


STATES = ("unknown", "open", "review", "held", "paid", "released", "refused", "reclaimed")
OUTCOMES = {"PaymentAllowed": "allowed", "PaymentReviewed": "review", "PaymentHeld": "held"}


def open_payment(token: Contract, guard: Contract, client: Client, payee: str, amount: int) -> Held:
    """As the payer: let the guard take `amount` (minor units of the token) for `payee`."""
    _, done = client.send_many(
        [token.tx("approve", guard.address, amount), guard.tx("open", payee, amount, gas=OPEN_GAS)]
    )
    (opened,) = guard.decode_logs("PaymentOpened", done.logs)
    return Held(opened.args["id"], client.address, payee, amount)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a guard never exceeds, whatever is predicted. Amounts in minor units of the token."""

    max_auto_amount: int = 1_000_000_00
    max_auto_per_day: int = 10_000_000_00
    min_bond_wei: int = 10**15
    max_age_s: int = 3600
    change_delay_s: int = 24 * 3600
    reclaim_after_s: int = 24 * 3600
    challenge_window_s: int = 600


def deploy_guard(
    network: Network, token: Contract, model_id: bytes, policy: Policy, human: str, bounds: Bounds
) -> Contract:
    """A guard for payments in `token`, acting on this model's predictions under `policy`.

    It knows a payment's score and not its features: where thresholds differ by segment it has the
    strictest, so that it never pays what the node holds, and a person looks at the rest.
    """
    policy = policy.strictest()
    return deploy(
        network.client,
        Artifact.load("Guard"),
        token.address,
        network.addresses.anchor,
        network.addresses.stakes,
        network.addresses.registry,
        model_id,
        policy.review_at,
        policy.hold_at,
        bounds.max_auto_amount,
        bounds.min_bond_wei,
        human,
        bounds.max_age_s,
        bounds.max_auto_per_day,
        policy.review_at,
        policy.hold_at,
        bounds.change_delay_s,
        bounds.reclaim_after_s,
        bounds.challenge_window_s,
        SIGNED,
    )


def payment_of(request: Request, guard: Contract) -> int | None:
    """The payment in `guard` that `request` is about; None if it is about none."""
    address, _, number = request.id.partition("/")
    return int(number) if address == guard.address and number.isdecimal() else None


def settlement_request(held: Held, guard: Contract, chain_id: int, *, time_s: int) -> Request:
    """The request that a prediction must be about for the guard to accept it for this payment."""
    content = encode_arguments(
        "settlement",
        ["uint256", "address", "uint256", "address", "address", "uint256"],
        [chain_id, guard.address, held.payment_id, held.payer, held.payee, held.amount],
    )
    return Request(f"{guard.address}/{held.payment_id}", held.payer, time_s, content)


def settle_signed(
    guard: Contract, held: Held, prediction: Prediction, operator: LocalAccount
) -> Settled:
    """Assurance `signed`: who must be honest is the operator, whose bond is at stake."""
    shown = evidence.signed(guard, prediction, operator)
    return _settled(guard, held, guard.send("settle_signed", held.payment_id, *shown))


def settle_anchored(guard: Contract, held: Held, receipt: Receipt) -> Settled:
    """Assurance `optimistic`: the prediction stands in the log under an anchored root."""
    shown = evidence.anchored(receipt)
    return _settled(guard, held, guard.send("settle_anchored", held.payment_id, *shown))


def _settled(guard: Contract, held: Held, done: TxReceipt) -> Settled:
    for name, outcome in OUTCOMES.items():
        if guard.decode_logs(name, done.logs):
            return Settled(held.payment_id, outcome, done.gas_used, done.hash)
    raise AssertionError("the guard settled without an event")
