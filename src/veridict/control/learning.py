"""Models of the fee some blocks ahead: fitted on the past, compiled, one a horizon.

The target is the logarithm of (base fee of block t + h) over (base fee of block t + 1), which
the formula gives: a model that knows nothing says 0, and is the formula. The point forecast
minimises the mean absolute percentage error (a median, weighted by one over the fee).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from veridict.control.base_fee import MAINNET, FeeRule
from veridict.control.blocks import F64, I64, BlockTable
from veridict.control.features import NAMES, FeeFeatures
from veridict.control.horizons import HIGH, LEVELS, LOW, POINT, Growth, Settings
from veridict.control.joining import at_levels, join
from veridict.core.errors import BadInput
from veridict.core.progress import Progress, Step, silent
from veridict.models.compile import Compiled

LEVEL = "level"
MIN_BLOCKS = 3_000


@dataclass(frozen=True, slots=True)
class FeeModel:
    """`usual`: the quantiles (LEVELS) of the target in training, the same for every block."""

    horizon: int
    compiled: Compiled
    usual: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class FeeModels:
    """All horizons, fitted on blocks `first`..`last`, whose digest is `data`."""

    models: Mapping[int, FeeModel]
    first: int
    last: int
    last_time_s: int
    data: str
    rule: FeeRule
    block_time_s: int

    @property
    def horizons(self) -> tuple[int, ...]:
        return tuple(sorted(self.models))


def learn(
    table: BlockTable,
    *,
    rule: FeeRule = MAINNET,
    settings: Settings | None = None,
    features: F64 | None = None,
    progress: Progress = silent,
) -> FeeModels:
    """Fit every horizon on all of `table`; same blocks, settings and libraries: same models.

    `features`, if given, are `FeeFeatures().batch(table)`. Raises BadInput for too few blocks.
    """
    chosen = settings or Settings()
    table.need_order()
    if len(table) < MIN_BLOCKS + max(chosen.horizons):
        raise BadInput(
            f"{len(table)} blocks are too few to learn from",
            remedy=f"pass at least {MIN_BLOCKS + max(chosen.horizons)}, better a month",
        )
    time_s = block_time(table)
    rows = FeeFeatures(rule, time_s).batch(table) if features is None else features
    upcoming = rule.next_many(table.base_fee_wei, table.gas_used, table.gas_limit)
    start = min(chosen.warm_up, len(table) // 3)
    every = -(-(len(table) - start) // chosen.rows)
    models = {}
    for done, horizon in enumerate(chosen.horizons):
        progress(Step(None, f"learning {horizon} blocks ahead", done, len(chosen.horizons)))
        chosen_rows = np.arange(start, len(table) - horizon, every)
        log_ratio = targets(table, upcoming, horizon)[chosen_rows]
        models[horizon] = _fit(rows[chosen_rows], log_ratio, horizon, chosen)
    return FeeModels(
        models,
        int(table.number[0]),
        int(table.number[-1]),
        int(table.time_s[-1]),
        table.digest(),
        rule,
        time_s,
    )


def targets(table: BlockTable, upcoming: I64, horizon: int) -> F64:
    """float64[n - horizon]: log of the fee `horizon` blocks on, over the next block's fee."""
    fee = table.base_fee_wei[horizon:].astype(np.float64)
    return cast(F64, np.log(fee / upcoming[: len(fee)]))


def answers(model: FeeModel, rows: F64) -> F64:
    """float64[n, 3]: the log ratios at LEVELS, in order, never crossing."""
    return in_order(at_levels(model.compiled, rows, LEVELS))


def in_order(out: F64) -> F64:
    """The point stays; the others are moved to their side of it."""
    out[:, LOW] = np.minimum(out[:, LOW], out[:, POINT])
    out[:, HIGH] = np.maximum(out[:, HIGH], out[:, POINT])
    return out


def block_time(table: BlockTable) -> int:
    """Seconds between blocks, the usual number."""
    return max(1, int(np.median(np.diff(table.time_s)))) if len(table) > 1 else 12


def _fit(rows: F64, log_ratio: F64, horizon: int, settings: Settings) -> FeeModel:
    boosters = [
        boost(rows, log_ratio, settings.growth(horizon, level), level, settings) for level in LEVELS
    ]
    low, point, high = np.quantile(log_ratio, LEVELS).tolist()
    return FeeModel(horizon, join(boosters, LEVELS, NAMES, LEVEL), (low, point, high))


def boost(rows: F64, target: F64, growth: Growth, level: float | None, settings: Settings) -> Any:
    """A booster of the `level` quantile of `target`; None: of its mean."""
    import lightgbm  # a second to import, and not needed to forecast

    kind: dict[str, object] = {"objective": "quantile", "alpha": level}
    weight = None
    if level is None:
        kind = {"objective": "regression"}
    elif level == LEVELS[POINT]:
        kind, weight = {"objective": "regression_l1"}, np.exp(-target)
    parameters = {
        **kind,
        "learning_rate": growth.rate,
        "num_leaves": min(growth.leaves, max(7, len(rows) // 300)),
        "min_data_in_leaf": min(growth.min_rows, max(20, len(rows) // 200)),
        "feature_fraction": 0.5,
        "bagging_fraction": 0.6,
        "bagging_freq": 1,
        "max_bin": 127,
        "seed": settings.seed,
        "num_threads": settings.threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    data = lightgbm.Dataset(rows, target, weight=weight, free_raw_data=True)
    return lightgbm.train(parameters, data, num_boost_round=growth.rounds)
