"""A parameter's contract, with a bonded operator who predicts for it, and its rule in Python."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import boa
from eth_abi.abi import encode

from tests.support import trees
from tests.support.contracts import (
    KEY,
    MAX_AGE_S,
    MIN_BOND,
    MODEL_ID,
    SALT,
    UNBONDING_S,
    WINDOW_S,
    account,
    deploy,
    words,
)
from veridict.assurance.signed import sign_prediction
from veridict.control.parameter import Limits
from veridict.core.codec import TAG_REQUEST, commit
from veridict.core.nouns import NO_REASON, Decision, PredictionRecord

ONE = 1 << 32  # of score


LIMITS = Limits(
    low=500, high=10_000, safe=3_000, max_step=400, cool_down_s=60, expiry_s=600, veto_s=1_000,
    base=3_000, slope=1_000,
)  # fmt: skip


class Parameter:
    def __init__(self, least: int = 1, **limits: int) -> None:
        self.limits = replace(LIMITS, **limits)
        self.anchor, self.stakes = deploy("Anchor"), deploy("Stakes", UNBONDING_S)
        self.operator, self.human = account("operator"), str(account("human").address)
        self.stakes.deposit(sender=self.operator.address, value=MIN_BOND)
        self.stakes.set_judge(str(account("judge").address))
        evidence = (
            self.anchor.address,
            self.stakes.address,
            "0x" + "00" * 20,
            MODEL_ID,
            MIN_BOND,
            MAX_AGE_S,
            WINDOW_S,
            least,
        )
        self.contract: Any = deploy("AdaptiveParameter", astuple(self.limits), evidence, self.human)

    def record(self, score: int, time_ms: int | None = None, **changes: Any) -> PredictionRecord:
        time_ms = boa.env.timestamp * 1000 if time_ms is None else time_ms
        content = encode(
            ["uint256", "address", "uint256"],
            [boa.env.evm.patch.chain_id, self.contract.address, self.contract.question()],
        )
        fields: dict[str, Any] = {
            "decision": Decision.ALLOW,
            "reasons": (NO_REASON,) * 3,
            "sequence": 0,
            "time_ms": time_ms,
            "score": score,
            "model_id": MODEL_ID,
            "request": commit(TAG_REQUEST, SALT, content),
            "inputs": b"i" * 32,
        }
        return PredictionRecord(**(fields | changes))

    def move(self, record: PredictionRecord, deadline: int | None = None) -> int:
        deadline = boa.env.timestamp + 60 if deadline is None else deadline
        chain_id = boa.env.evm.patch.chain_id
        signature = sign_prediction(
            self.operator, record, self.contract.address, chain_id, deadline
        )
        return int(self.contract.move_signed(words(record), SALT, deadline, signature))

    def anchored(self, record: PredictionRecord) -> list[Any]:
        """The arguments of move_anchored, the record being a log's only one."""
        leaf = trees.leaf(record.encode())
        root, operator = trees.root([leaf]), self.operator.address
        self.anchor.anchor(KEY, 0, trees.root([]), 1, root, [], sender=operator)
        return [words(record), SALT, operator, KEY, 1, root, boa.env.timestamp, 0, []]
