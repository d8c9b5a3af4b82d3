"""The contracts, deployed together, and predictions about payments for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import boa
from boa.util.abi import Address
from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount

from tests.support import trees
from veridict.assurance.signed import sign_prediction
from veridict.chain.artifacts import Artifact
from veridict.chain.data_contract import data_contract_initcode
from veridict.core.codec import TAG_REQUEST, commit
from veridict.core.nouns import NO_REASON, Decision, PredictionRecord
from veridict.models.layout import HEADER

SOURCES = Path(__file__).parents[2] / "contracts"


def model_bytes(rest: bytes, n_features: int = 1) -> bytes:
    """A header that the registry takes, of a linear model, and `rest`, which nobody reads."""
    return HEADER.pack(b"VRDT", 1, 2, 32, 0, n_features, 32, 1, 0, 0, 0) + rest


MODEL = model_bytes(b"canonical model bytes", 3)
MODEL_ID = sha256(MODEL).digest()
CARD = sha256(b"card").digest()
KEY = sha256(b"verifier key").digest()
SALT = b"s" * 32

REVIEW_AT, HOLD_AT = 100, 200
REVIEW_CEILING, HOLD_CEILING = 150, 300
MAX_AUTO, MAX_PER_DAY = 1_000, 2_500
MIN_BOND = 10**18
MAX_AGE_S = 3_600
CHANGE_DELAY_S = 7_200
RECLAIM_AFTER_S = 50_000
WINDOW_S = 600
UNBONDING_S = 10_000
SIGNED, OPTIMISTIC = 1, 3

# States of a payment, as Guard.payment reports them.
OPEN, REVIEW, HELD, PAID, RELEASED, REFUSED, RECLAIMED = range(1, 8)


@cache
def deployer(name: str) -> Any:
    """The compiled contract; compiling takes seconds, so once a process."""
    return boa.load_partial(str(SOURCES / f"{name}.vy"))


def deploy(name: str, *args: object) -> Any:
    return deployer(name).deploy(*args)


def scorer() -> str:
    """The address of a scorer, as it is shipped."""
    address, _ = boa.env.deploy_code(bytecode=Artifact.load("Scorer").bytecode)
    return str(address)


def data_contract(data: bytes) -> str:
    address, _ = boa.env.deploy_code(bytecode=data_contract_initcode(data))
    return str(address)


def words(record: PredictionRecord) -> list[bytes]:
    body = record.encode()
    return [body[i : i + 32] for i in range(0, 128, 32)]


def account(name: str) -> LocalAccount:
    signer: LocalAccount = Account.from_key(sha256(name.encode()).digest())
    boa.env.set_balance(Address(signer.address), 10**24)
    return signer


@dataclass(frozen=True, slots=True)
class World:
    """All contracts around one guard, with a bonded operator and a payer who approved it."""

    registry: Any
    anchor: Any
    stakes: Any
    token: Any
    guard: Any
    operator: LocalAccount
    judge: str
    human: str
    payer: str
    payee: str

    def open(self, amount: int = 500, payee: str | None = None) -> int:
        return int(self.guard.open(payee or self.payee, amount, sender=self.payer))

    def record(self, payment_id: int, score: int = 0, **changes: Any) -> PredictionRecord:
        """A prediction about that payment, made now. `changes` replace fields."""
        fields: dict[str, Any] = {
            "decision": Decision.ALLOW,
            "reasons": (0, 1, NO_REASON),
            "sequence": payment_id,
            "time_ms": boa.env.timestamp * 1000,
            "score": score,
            "model_id": MODEL_ID,
            "request": commit(TAG_REQUEST, SALT, self.content(payment_id)),
            "inputs": b"i" * 32,
        }
        return PredictionRecord(**(fields | changes))

    def content(
        self, payment_id: int, guard: str | None = None, chain_id: int | None = None
    ) -> bytes:
        payment = self.guard.payment(payment_id)
        return encode(
            ["uint256", "address", "uint256", "address", "address", "uint256"],
            [
                chain_id or boa.env.evm.patch.chain_id,
                guard or self.guard.address,
                payment_id,
                payment.payer,
                payment.payee,
                payment.amount,
            ],
        )

    def settle_signed(
        self,
        payment_id: int,
        record: PredictionRecord,
        *,
        signer: LocalAccount | None = None,
        deadline: int | None = None,
        signature: bytes | None = None,
        guard: Any = None,
        salt: bytes = SALT,
    ) -> None:
        """As anybody: show the guard a signed prediction."""
        guard = guard or self.guard
        deadline = boa.env.timestamp + 60 if deadline is None else deadline
        if signature is None:
            signature = sign_prediction(
                signer or self.operator,
                record,
                guard.address,
                boa.env.evm.patch.chain_id,
                deadline,
            )
        guard.settle_signed(payment_id, words(record), salt, deadline, signature)

    def publish(self, records: Sequence[PredictionRecord], key: bytes = KEY) -> Published:
        """As the operator: anchor a first log of these records."""
        leaves = [trees.leaf(record.encode()) for record in records]
        self.anchor.anchor(
            key,
            0,
            trees.root([]),
            len(leaves),
            trees.root(leaves),
            [],
            sender=self.operator.address,
        )
        return Published(key, list(records), leaves, boa.env.timestamp)

    def settle_anchored(self, payment_id: int, log: Published, at: int, **changes: Any) -> None:
        """As anybody: show the guard a record of an anchored log. `changes` replace arguments."""
        self.guard.settle_anchored(*self.anchored(payment_id, log, at, **changes))

    def anchored(self, payment_id: int, log: Published, at: int, **changes: Any) -> list[Any]:
        """The arguments of settle_anchored."""
        args = {
            "id": payment_id,
            "record": words(log.records[at]),
            "request_salt": SALT,
            "operator": self.operator.address,
            "key": log.key,
            "size": len(log.leaves),
            "root": trees.root(log.leaves),
            "time": log.time_s,
            "index": at,
            "proof": trees.inclusion(at, log.leaves),
        } | changes
        return list(args.values())


@dataclass(frozen=True, slots=True)
class Published:
    """What an operator anchored."""

    key: bytes
    records: list[PredictionRecord]
    leaves: list[bytes]
    time_s: int


def guard_args(world_parts: tuple[Any, Any, Any, Any], by: str, **changes: Any) -> list[Any]:
    """The guard's constructor arguments, in order. `changes` replace them by name."""
    token, anchor, stakes, registry = world_parts
    args = {
        "token": token.address,
        "anchor": anchor.address,
        "stakes": stakes.address,
        "registry": registry.address,
        "model_id": MODEL_ID,
        "review_at": REVIEW_AT,
        "hold_at": HOLD_AT,
        "max_auto_amount": MAX_AUTO,
        "min_bond": MIN_BOND,
        "human": by,
        "max_age_s": MAX_AGE_S,
        "max_auto_per_day": MAX_PER_DAY,
        "review_ceiling": REVIEW_CEILING,
        "hold_ceiling": HOLD_CEILING,
        "change_delay_s": CHANGE_DELAY_S,
        "reclaim_after": RECLAIM_AFTER_S,
        "challenge_window_s": WINDOW_S,
        "min_assurance": SIGNED,
    }
    assert not changes.keys() - args.keys()
    return list((args | changes).values())


def deploy_world(**guard_changes: Any) -> World:
    """A fresh world; `guard_changes` are constructor arguments of the guard by name."""
    registry, anchor, token = deploy("Registry"), deploy("Anchor"), deploy("PaymentToken")
    stakes = deploy("Stakes", UNBONDING_S)
    human, payer, payee, judge = (
        str(account(n).address) for n in ("human", "payer", "payee", "judge")
    )
    operator = account("operator")
    stakes.set_judge(judge)
    stakes.deposit(value=MIN_BOND, sender=operator.address)
    registry.register(MODEL_ID, [data_contract(MODEL)], CARD, 3)

    guard = deploy("Guard", *guard_args((token, anchor, stakes, registry), human, **guard_changes))
    token.mint(payer, 10**12)
    token.approve(guard.address, 2**256 - 1, sender=payer)
    return World(
        registry, anchor, stakes, token, guard, operator, judge, human, payer, payee
    )  # fmt: skip


# Holds models for the judge without looking at them, as no registry does.
SHELF = """
_chunks: HashMap[bytes32, DynArray[address, 16]]

@external
def register(id: bytes32, chunks: DynArray[address, 16], card: bytes32, n_features: uint256):
    self._chunks[id] = chunks

@external
@view
def chunks(id: bytes32) -> DynArray[address, 16]:
    assert len(self._chunks[id]) > 0, "Registry: unknown model"
    return self._chunks[id]
"""
