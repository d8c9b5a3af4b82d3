"""How much a price will move in the next half hour: what a pool's fee should follow.

Volatility is the root mean square of one-minute log returns, in basis points. It comes in
clusters of many lengths, so the features are what it was over several windows (Corsi, 2009),
the volume traded, and the time of day. One canonical model says it, to be attested like any.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from veridict.control.bars import MICRO, MINUTE_S, Bars
from veridict.control.blocks import F64
from veridict.core.errors import BadInput
from veridict.models.compile import Compiled, compile_model

WINDOWS = (5, 15, 60, 240, 1_440)  # minutes
AHEAD = 30  # minutes
DAY_S = 86_400
NAMES = (
    *(f"volatility over {window} minutes, bp" for window in WINDOWS),
    *(f"volume over {window} minutes" for window in WINDOWS[1:]),
    "hour of day",
)
_MIN_ROWS = 10_000


def features(bars: Bars) -> F64:
    """float64[n, len(NAMES)]: of what is known when each minute has ended."""
    squares = returns_bp(bars) ** 2
    columns = [np.sqrt(_mean(squares, window)) for window in WINDOWS]
    columns += [_mean(bars.volume, window) * window for window in WINDOWS[1:]]
    columns.append((bars.time_s + MINUTE_S) % DAY_S / 3_600)
    return np.column_stack(columns)


def returns_bp(bars: Bars) -> F64:
    """float64[n]: of the minute that ends with each bar; 0 where nothing is known before it."""
    log_price = np.log(bars.price / MICRO)
    moved = 1e4 * np.diff(log_price, prepend=log_price[0])
    return cast(F64, np.where(bars.fresh, 0.0, moved))


def came(bars: Bars, ahead: int = AHEAD) -> F64:
    """float64[n]: the volatility of the `ahead` minutes after each; NaN where the bars end."""
    squares = np.append(returns_bp(bars)[1:] ** 2, np.full(ahead, np.nan))
    sums = np.cumsum(np.insert(squares, 0, 0.0))
    return cast(F64, np.sqrt(np.maximum(sums[ahead:] - sums[:-ahead], 0.0) / ahead)[: len(bars)])


def learn(bars: Bars, *, every: int = 5, seed: int = 1) -> Compiled:
    """A model of `came`, from every fifth minute. Raises BadInput for too few bars."""
    import lightgbm  # a second to import, and not needed to predict

    rows, target = features(bars)[WINDOWS[-1] :: every], came(bars)[WINDOWS[-1] :: every]
    known = np.isfinite(target)
    if known.sum() < _MIN_ROWS:
        raise BadInput(
            f"{known.sum()} rows are too few to learn from",
            remedy=f"pass at least {every * _MIN_ROWS + WINDOWS[-1]} minutes",
        )
    parameters = {
        "objective": "regression", "learning_rate": 0.05, "num_leaves": 15,
        "min_data_in_leaf": 200, "feature_fraction": 0.7, "bagging_fraction": 0.7,
        "bagging_freq": 1, "seed": seed, "num_threads": 1, "deterministic": True,
        "force_row_wise": True, "verbose": -1,
    }  # fmt: skip
    data = lightgbm.Dataset(
        rows[known], target[known], feature_name=list(map(str, range(len(NAMES))))
    )
    booster = lightgbm.train(parameters, data, num_boost_round=100)
    return compile_model(booster, feature_names=NAMES)


def _mean(values: F64, window: int) -> F64:
    """Over the last `window` minutes, or as many as there are."""
    sums = np.cumsum(np.insert(values, 0, 0.0))
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - window, 0)
    return (sums[stop] - sums[start]) / (stop - start)
