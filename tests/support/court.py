"""The judge with all it needs, an operator to lie, a challenger; a contract that calls back."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import boa
from eth_account.signers.local import LocalAccount

from tests.support import contracts, trees
from tests.support.contracts import KEY, MIN_BOND, SALT
from veridict.core.codec import TAG_INPUTS, commit
from veridict.core.nouns import Decision, PredictionRecord
from veridict.models import reference
from veridict.models.canonical import CanonicalModel, chunks
from veridict.models.layout import Model, Node, Tree, TreeModel

TREE = Tree((Node(1, 2**63, True, ~0, ~1),), (-(5 << 32), 7 << 32))
MODEL = TreeModel(2, 1, (TREE,))
ROW = [2**63 + 5, 2**63 + 9]
INPUTS = b"".join(value.to_bytes(8, "big") for value in ROW)
TRUE_SCORE = reference.score(MODEL, ROW)
LIE = TRUE_SCORE - 1


@dataclass(frozen=True, slots=True)
class Court:
    registry: Any
    anchor: Any
    stakes: Any
    judge: Any
    model_id: bytes
    operator: LocalAccount
    challenger: LocalAccount

    def record(self, score: int, sequence: int = 0, **changes: Any) -> PredictionRecord:
        fields: dict[str, Any] = {
            "decision": Decision.ALLOW,
            "reasons": (1, 0xFFFF, 0xFFFF),
            "sequence": sequence,
            "time_ms": 1,
            "score": score,
            "model_id": self.model_id,
            "request": b"r" * 32,
            "inputs": commit(TAG_INPUTS, SALT, INPUTS),
        }
        return PredictionRecord(**(fields | changes))

    def register(self, model: Model) -> bytes:
        """The model's id."""
        return self.register_bytes(CanonicalModel.from_parts(model).bytes)

    def register_bytes(self, data: bytes) -> bytes:
        """Their SHA-256; the registry reads nothing but the header."""
        model_id = sha256(data).digest()
        addresses = [contracts.data_contract(chunk) for chunk in chunks(data)]
        n_features = int.from_bytes(data[8:10], "big")
        self.registry.register(model_id, addresses, contracts.CARD, n_features)
        return model_id

    def publish(self, bodies: list[bytes], by: Any = None, key: bytes = KEY) -> dict[str, Any]:
        """Anchor a log of these bodies; the arguments that challenge its first record."""
        operator = by or self.operator
        leaves = [trees.leaf(body) for body in bodies]
        root = trees.root(leaves)
        self.anchor.anchor(key, 0, trees.root([]), len(leaves), root, [], sender=operator.address)
        return {
            "operator": operator.address,
            "key": key,
            "size": len(leaves),
            "root": root,
            "time": boa.env.timestamp,
            "index": 0,
            "record": [bodies[0][i : i + 32] for i in range(0, 128, 32)],
            "inputs_salt": SALT,
            "inputs": INPUTS,
            "proof": trees.inclusion(0, leaves),
        }

    def challenge(self, arguments: dict[str, Any]) -> Any:
        """The judge's LieProven event."""
        self.judge.challenge(*arguments.values(), sender=self.challenger.address)
        (event,) = [e for e in self.judge.get_logs() if type(e).__name__ == "LieProven"]
        return event


def open_court() -> Court:
    """Fresh contracts, the model registered, the operator bonded with MIN_BOND."""
    registry, anchor = contracts.deploy("Registry"), contracts.deploy("Anchor")
    stakes = contracts.deploy("Stakes", contracts.UNBONDING_S)
    judge = contracts.deploy(
        "Judge", registry.address, anchor.address, stakes.address, contracts.scorer()
    )
    stakes.set_judge(judge.address)
    operator, challenger = contracts.account("operator"), contracts.account("challenger")
    stakes.deposit(value=MIN_BOND, sender=operator.address)
    model_id = CanonicalModel.from_parts(MODEL).id
    opened = Court(registry, anchor, stakes, judge, model_id, operator, challenger)
    opened.register(MODEL)
    return opened


# Does as it is told, also while it is being paid.
PUPPET = """
target: address
data: Bytes[8192]
amount: uint256
paid: public(uint256)  # how often
succeeded: public(bool)

@external
@payable
def act(target: address, data: Bytes[8192], amount: uint256):
    raw_call(target, data, value=amount)

@external
def upon_payment(target: address, data: Bytes[8192], amount: uint256):
    self.target = target
    self.data = data
    self.amount = amount

@external
@payable
def __default__():
    self.paid += 1
    self.succeeded = raw_call(self.target, self.data, value=self.amount, revert_on_failure=False)
"""
