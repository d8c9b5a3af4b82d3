"""The forecaster: it sees every block, keeps the past as features, and says what comes.

Blocks go through `Intake` first; what it doubts is a finding, and the formula answers until
the source is in order again. A reorganisation is undone: the state goes back to a copy from
before it and is led along the new blocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import exp, log
from typing import cast

import numpy as np

from veridict.control.blocks import F64, Block, BlockTable
from veridict.control.calibration import Calibration, Change, Quantiles
from veridict.control.features import FeeFeatures
from veridict.control.forecast import Fan, Forecast
from veridict.control.intake import RECOVERY_BLOCKS, Intake
from veridict.control.learning import FeeModels, answers
from veridict.core.errors import NotFound
from veridict.core.nouns import Finding

COPY_EVERY = 64  # blocks between the states that a reorganisation can return to
RECENT = 1_800  # blocks kept as they are
WARM_BATCH = 4_096


@dataclass(slots=True)
class Forecaster:
    """One chain, one set of models. Not thread-safe."""

    models: FeeModels
    intake: Intake = field(init=False)
    calibrations: dict[int, Calibration] = field(init=False)
    findings: deque[Finding] = field(default_factory=lambda: deque(maxlen=1_000))
    changes: list[Change] = field(default_factory=list)
    row: F64 | None = None
    _features: FeeFeatures = field(init=False)
    _recent: deque[Block] = field(init=False)
    _copies: deque[tuple[int, FeeFeatures]] = field(init=False)

    def __post_init__(self) -> None:
        models = self.models
        self.intake = Intake(models.rule, models.block_time_s)
        self._features = FeeFeatures(models.rule, models.block_time_s)
        self.calibrations = {h: Calibration(h, m.usual) for h, m in models.models.items()}
        self._recent = deque(maxlen=RECENT)
        self._copies = deque(maxlen=3)

    def warm_up(self, table: BlockTable) -> None:
        """Show the past up to now, without findings; the last blocks also set the calibration."""
        looked_back = max(0, len(table) - 2 * WARM_BATCH)
        self._features.batch(table.slice(0, looked_back))
        for start in range(looked_back, len(table), WARM_BATCH):
            self._compare_many(table.slice(start, min(start + WARM_BATCH, len(table))))
        tail = list(table.slice(max(0, len(table) - RECENT), len(table)).blocks())
        self._recent.extend(tail)
        if tail:
            self.intake.last, self.intake.trusted_from = tail[-1], 0
            self._copies.append((tail[-1].number, self._features.copy()))

    def see(self, told: Iterable[Block], *, now_s: int | None = None) -> list[Finding]:
        """Take the blocks in; returns what was wrong with them."""
        found: list[Finding] = []
        for block in told:
            clean, problems = self.intake.accept(block, now_s=now_s)
            found += problems
            if clean is None:
                continue
            codes = {problem.code for problem in problems}
            if "chain.reorg" in codes:
                self._go_back(clean.number)
            elif "chain.gap" in codes:
                self._start_again()
            self._take(clean)
        self.findings.extend(found)
        return found

    def recent_fees(self) -> list[int]:
        """Base fees of the last blocks, oldest first."""
        return [block.base_fee_wei for block in self._recent]

    def doubt(self) -> None:
        """Let the formula answer until blocks have come in order for a while."""
        if self.intake.last is not None:
            self.intake.trusted_from = self.intake.last.number + RECOVERY_BLOCKS

    def forecast(self) -> Forecast:
        """Raises NotFound before the first block."""
        head = self.intake.last
        if head is None or self.row is None:
            raise NotFound("no block was seen yet", remedy="show it a chain's blocks first")
        upcoming = self.models.rule.next(head.base_fee_wei, head.gas_used, head.gas_limit)
        trusted = self.intake.trusted
        fans = []
        for horizon in self.models.horizons:
            said = self.calibrations[horizon]
            low, point, high = said.calibrated(self._raw(horizon), trusted=trusted)
            in_low, in_point, in_high = (round(upcoming * exp(v)) for v in (low, point, high))
            by_model = trusted and not said.fallen_back
            fans.append(Fan(horizon, in_low, in_point, in_high, by_model))
        return Forecast(head.number, head.time_s, upcoming, tuple(fans), trusted, self.models.rule)

    def _take(self, block: Block) -> None:
        self.row = self._features.batch(BlockTable.of([block]))
        self._recent.append(block)
        if block.number % COPY_EVERY == 0 or not self._copies:
            self._copies.append((block.number, self._features.copy()))
        self._compare(block)

    def _compare(self, block: Block) -> None:
        """What was said of this block is judged; what is said now is kept."""
        upcoming = self.models.rule.next(block.base_fee_wei, block.gas_used, block.gas_limit)
        for horizon, calibration in self.calibrations.items():
            change = calibration.came(block.number, log(max(block.base_fee_wei, 1)))
            if change is not None:
                self.changes.append(change)
            calibration.said(block.number, log(max(upcoming, 1)), self._raw(horizon))

    def _compare_many(self, table: BlockTable) -> None:
        rows = self._features.batch(table)
        if not len(rows):
            return
        rule = self.models.rule
        log_next = np.log(rule.next_many(table.base_fee_wei, table.gas_used, table.gas_limit))
        log_fee, numbers = np.log(table.base_fee_wei), table.number.tolist()
        for horizon, calibration in self.calibrations.items():
            raws = answers(self.models.models[horizon], rows).tolist()
            for number, fee, formula, raw in zip(
                numbers, log_fee.tolist(), log_next.tolist(), raws, strict=True
            ):
                calibration.came(number, fee)
                calibration.said(number, formula, (raw[0], raw[1], raw[2]))
        self.row = rows[-1:].copy()

    def _raw(self, horizon: int) -> Quantiles:
        row = cast(F64, self.row)
        low, point, high = answers(self.models.models[horizon], row)[0].tolist()
        return low, point, high

    def _go_back(self, number: int) -> None:
        """To the state before block `number`, as far as copies reach; else start again."""
        for calibration in self.calibrations.values():
            calibration.undo(number)
        while self._copies and self._copies[-1][0] >= number:
            self._copies.pop()
        kept = [block for block in self._recent if block.number < number]
        if not self._copies or not kept or kept[-1].number != number - 1:
            self._start_again()
            return
        at, state = self._copies[-1]
        self._features = state.copy()
        self._recent.clear()
        self._recent.extend(kept)
        if behind := [block for block in kept if block.number > at]:
            self._features.batch(BlockTable.of(behind))

    def _start_again(self) -> None:
        """After a hole the averages go on; lags and rings would be shifted, so they are emptied."""
        fresh = FeeFeatures(self.models.rule, self.models.block_time_s)
        fresh.averages, fresh.day = self._features.averages.copy(), self._features.day.copy()
        fresh.seen[0] = 0.0
        self._features = fresh
        self._recent.clear()
        self._copies.clear()
