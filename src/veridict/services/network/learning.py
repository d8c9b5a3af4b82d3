"""Learn from blocks; learn again on a schedule, and keep the new only where it is better.

clean → features → fee models and planner → (from the second time on) try both on the
newest blocks, which the challenger has not seen → adopt or keep, and say which
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import expm1

import numpy as np

from veridict.control.base_fee import MAINNET, FeeRule
from veridict.control.blocks import F64, BlockTable
from veridict.control.features import FeeFeatures
from veridict.control.files import clean
from veridict.control.horizons import POINT, Settings
from veridict.control.intake import Intake
from veridict.control.learning import FeeModels, answers, block_time, learn, targets
from veridict.control.waiting import KNOTS, Planner, learn_planner
from veridict.core.progress import Progress, silent
from veridict.services.records import NetworkRecord

DAY_S = 86_400
RETRAIN_DAYS = 7
TRIED_DAYS = 1.0


@dataclass(frozen=True, slots=True)
class Learned:
    """`findings` counts, by code, what intake found in the blocks."""

    models: FeeModels
    planner: Planner
    blocks: int
    findings: Counter[str]


@dataclass(frozen=True, slots=True)
class Retrained:
    """What a retraining came to; errors are means over horizons of the newest blocks."""

    adopted: bool
    block: int
    error_before: float
    error_after: float
    learned: Learned

    def sentence(self) -> str:
        what = "new models are at work" if self.adopted else "the models stay"
        return (
            f"{what}: mean error on the newest blocks {self.error_before:.2%} before, "
            f"{self.error_after:.2%} after"
        )


def learn_all(
    told: BlockTable,
    *,
    rule: FeeRule = MAINNET,
    settings: Settings | None = None,
    knots: tuple[int, ...] = KNOTS,
    progress: Progress = silent,
) -> Learned:
    """Fee models and a planner of `told`, which intake cleans first. Raises BadInput if too few."""
    table, found = clean(told.blocks(), Intake(rule, block_time(told)))
    features = FeeFeatures(rule, block_time(table)).batch(table)
    models = learn(table, rule=rule, settings=settings, features=features, progress=progress)
    planner = learn_planner(
        table, features, rule=rule, settings=settings, knots=knots, progress=progress
    )
    return Learned(models, planner, len(table), found)


def is_due(models: FeeModels, head: int, *, days: float = RETRAIN_DAYS) -> bool:
    """Whether the models are older than `days` at block `head`."""
    return head - models.last >= days * DAY_S / models.block_time_s


def retrain(
    models: FeeModels,
    told: BlockTable,
    *,
    settings: Settings | None = None,
    knots: tuple[int, ...] = KNOTS,
    progress: Progress = silent,
) -> Retrained:
    """Learn on all but the last day of `told`, and try old and new models on that day."""
    table, found = clean(told.blocks(), Intake(models.rule, models.block_time_s))
    features = FeeFeatures(models.rule, models.block_time_s).batch(table)
    last_day = int(TRIED_DAYS * DAY_S / models.block_time_s)
    cut = len(table) - min(last_day, len(table) // 4)
    past = table.slice(0, cut)
    challenger = learn(
        past, rule=models.rule, settings=settings, features=features[:cut], progress=progress
    )
    planner = learn_planner(
        past, features[:cut], rule=models.rule, settings=settings, knots=knots, progress=progress
    )
    before, after = (mean_error(m, table, features, cut) for m in (models, challenger))
    learned = Learned(challenger, planner, len(past), found)
    return Retrained(after <= before, int(table.number[-1]), before, after, learned)


def record_of(done: Retrained, time_ms: int) -> NetworkRecord:
    """What the log is told of a retraining."""
    return NetworkRecord(
        "retrained" if done.adopted else "kept", done.block, done.sentence(), time_ms
    )


def mean_error(models: FeeModels, table: BlockTable, features: F64, start: int) -> float:
    """Mean absolute percentage error of the point forecasts from row `start` on."""
    upcoming = models.rule.next_many(table.base_fee_wei, table.gas_used, table.gas_limit)
    errors = []
    for horizon, model in models.models.items():
        actual = targets(table, upcoming, horizon)[start:]
        said = answers(model, features[start : start + len(actual)])[:, POINT]
        errors += [abs(expm1(wrong)) for wrong in (said - actual).tolist()]
    return float(np.mean(errors)) if errors else 0.0
