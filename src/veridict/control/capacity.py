"""How much block space to offer: forecast what is asked for, and follow it within limits.

The forecast is linear in the recent load, without a constant: what it learned of one chain holds
for a busier one. It drives the gas limit through the rule of contracts/AdaptiveParameter.vy, so
whatever it says, the limit stays between two bounds and moves by bounded steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from veridict.control.blocks import F64
from veridict.control.blockspace import Mined
from veridict.control.parameter import Follower, Limits
from veridict.core.errors import BadInput
from veridict.core.nouns import SCORE_ONE
from veridict.models.canonical import CanonicalModel
from veridict.models.compile import Compiled, compile_model
from veridict.models.image import image

WINDOWS = (1, 3, 10, 30)  # blocks
AHEAD = 5  # blocks whose mean demand is forecast
NAMES = (*(f"asked for, mean of {window} blocks" for window in WINDOWS), "waiting")
UNIT = 1_000_000  # gas: what the features and the score count in


@dataclass(slots=True)
class Load:
    """What is known of the load after each block; in millions of gas a block."""

    gas_each: int
    _past: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOWS[-1]))

    def see(self, block: Mined) -> F64:
        """float64[len(NAMES)]."""
        self._past.append(block.arrived * self.gas_each / UNIT)
        past = list(self._past)
        means = [float(np.mean(past[-window:])) for window in WINDOWS]
        return np.array([*means, block.waiting * self.gas_each / UNIT])


def learn(histories: Sequence[Sequence[Mined]], gas_each: int) -> Compiled:
    """A model of the demand of the next blocks, from what was seen under any control.

    Raises BadInput for histories that are too short to learn from.
    """
    from sklearn.linear_model import LinearRegression

    rows, target = [], []
    for history in histories:
        load = Load(gas_each)
        seen = [load.see(block) for block in history]
        asked = [block.arrived * gas_each / UNIT for block in history]
        for at in range(len(history) - AHEAD):
            rows.append(seen[at])
            target.append(float(np.mean(asked[at + 1 : at + 1 + AHEAD])))
    if len(rows) < 100:
        raise BadInput(
            f"{len(rows)} blocks are too few to learn from", remedy="pass 100 blocks and more"
        )
    table = np.array(rows)
    model = LinearRegression(fit_intercept=False, positive=True).fit(table, np.array(target))
    spread = np.vstack([np.zeros((1, len(NAMES))), table, 4 * table.max(axis=0, keepdims=True)])
    return compile_model(model, feature_names=NAMES, rows=spread)


def forecast(model: CanonicalModel, row: F64) -> int:
    """The score: millions of gas a block, 2^-32."""
    return cast(int, model.score(image(row[None, :])).tolist()[0])


@dataclass(slots=True)
class Controller:
    """Follows `model` within `limits`, whose slope is how much space to offer for what is asked."""

    model: CanonicalModel
    limits: Limits
    gas_each: int
    load: Load = field(init=False)
    follower: Follower = field(init=False)

    def __post_init__(self) -> None:
        self.load, self.follower = Load(self.gas_each), Follower(self.limits)

    def __call__(self, block: Mined) -> int:
        score = forecast(self.model, self.load.see(block))
        return self.follower.follow(score, block.time_s)


@dataclass(slots=True)
class Reactive:
    """The rule to beat without a model: so much space for what was asked for lately."""

    limits: Limits
    gas_each: int
    rate: float = 0.2
    _mean: float = 0.0
    follower: Follower = field(init=False)

    def __post_init__(self) -> None:
        self.follower = Follower(self.limits)

    def __call__(self, block: Mined) -> int:
        asked = block.arrived * self.gas_each / UNIT
        self._mean += self.rate * (asked - self._mean)
        return self.follower.follow(round(self._mean * SCORE_ONE), block.time_s)
