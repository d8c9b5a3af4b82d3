"""What a federation promises: to whom, how much, and who adds the noise.

unit    row: whoever's row it is. Compared are a table, and the same with one row blanked.
        party: a whole party. Compared are a round with its update, and with none.
noise   local: each update alone carries all of it, so nobody needs to be trusted.
        shared: each carries a part, and only the sum of `sharers` or more carries all of
        it (Kairouz, Liu & Steinke, "The Distributed Discrete Gaussian", ICML 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from veridict.core.errors import BadInput

Unit = Literal["row", "party"]
Noise = Literal["local", "shared"]


@dataclass(frozen=True, slots=True)
class Guard:
    """`epsilon`, `delta`: spent at most, over all rounds. `multiplier`: standard deviation of a
    round's noise over the most that one unit can change. `rows_min`: of the smallest party.
    `sharers`: members of a group who are sure to add their part of the noise.
    """

    unit: Unit
    noise: Noise
    epsilon: float
    delta: float
    multiplier: float
    rows_min: int
    sharers: int = 1

    def __post_init__(self) -> None:
        if not (0 < self.epsilon <= 100 and 0 < self.delta <= 0.01):
            raise BadInput(
                f"a budget of epsilon {self.epsilon} and delta {self.delta}",
                remedy="use 0 to 100, and a delta far below 1 / rows",
            )
        if not 0.01 <= self.multiplier <= 1e4:
            raise BadInput(f"a noise multiplier of {self.multiplier}", remedy="use 0.01 to 10000")
        if self.rows_min < 1 or self.sharers < 1:
            raise BadInput(f"{self.rows_min} rows, {self.sharers} sharers", remedy="use 1 or more")
        if self.noise == "local" and self.sharers != 1:
            raise BadInput(
                f"local noise of {self.sharers} sharers",
                remedy="leave sharers at 1: each party adds all of it",
            )
