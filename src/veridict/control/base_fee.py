"""The next block's base fee: a formula (EIP-1559), so nothing is learned about it.

    target = gas_limit // elasticity
    change = base_fee · |gas_used - target| // target // denominator
    next   = base_fee + max(change, 1) above the target, base_fee - change below, else base_fee

Source: EIP-1559, and OP-stack chains, which set other numbers. Because it is exact, a
chain whose blocks do not follow it is not the chain it says it is, or its RPC lies:
`intake` raises that alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput

I64 = NDArray[np.int64]
_SAFE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FeeRule:
    """`target = gas_limit // elasticity`; a full block raises the fee by 1 in `denominator`.

    `floor_wei`: below which the chain never charges.
    """

    elasticity: int = 2
    denominator: int = 8
    floor_wei: int = 0

    def __post_init__(self) -> None:
        if self.elasticity < 1 or self.denominator < 1 or self.floor_wei < 0:
            raise BadInput(
                f"elasticity {self.elasticity}, denominator {self.denominator} and floor "
                f"{self.floor_wei} are no fee rule",
                remedy="elasticity and denominator are at least 1, the floor at least 0",
            )

    def next(self, base_fee_wei: int, gas_used: int, gas_limit: int) -> int:
        """Wei a gas in the block after. Raises BadInput without a gas limit."""
        target = gas_limit // self.elasticity
        if target < 1:
            raise BadInput(
                f"a gas limit of {gas_limit} has no target", remedy="pass the block's gas limit"
            )
        change = base_fee_wei * abs(gas_used - target) // target // self.denominator
        if gas_used > target:
            return max(base_fee_wei + max(change, 1), self.floor_wei)
        return max(base_fee_wei - change if gas_used < target else base_fee_wei, self.floor_wei)

    def next_many(self, base_fee_wei: I64, gas_used: I64, gas_limit: I64) -> I64:
        """As `next`, of many blocks: int64[n]."""
        target = gas_limit // self.elasticity
        if (target < 1).any():
            raise BadInput("a block has no gas limit", remedy="clean the blocks first (intake)")
        distance = np.abs(gas_used - target)
        if not len(target):
            return base_fee_wei.copy()
        if int(base_fee_wei.max()) * int(distance.max()) > _SAFE:  # a fee beyond 600 gwei
            exact = zip(base_fee_wei.tolist(), gas_used.tolist(), gas_limit.tolist(), strict=True)
            return np.array([self.next(*block) for block in exact], dtype=np.int64)
        change = base_fee_wei * distance // target // self.denominator
        up, down = base_fee_wei + np.maximum(change, 1), base_fee_wei - change
        moved = np.where(gas_used > target, up, down)
        return cast(
            I64, np.maximum(np.where(gas_used == target, base_fee_wei, moved), self.floor_wei)
        )


MAINNET = FeeRule()
