"""Intervals that keep their promise whatever the model says, and the fallback of a bad one."""

from __future__ import annotations

import numpy as np
import pytest

from veridict.control.calibration import JUDGED_AFTER, Calibration, Quantiles
from veridict.control.horizons import COVERAGE

USUAL = (-0.1, 0.0, 0.1)


def _told(
    raw: Quantiles, spread: float, blocks: int = 12_000, horizon: int = 5
) -> tuple[Calibration, float]:
    """A calibration after `blocks`, and the share of the last third that fell inside."""
    held, inside = Calibration(horizon, USUAL), []
    noise = np.random.default_rng(1).normal(0.0, spread, blocks + horizon).tolist()
    for block in range(blocks):
        held.came(block, noise[block])
        low, _, high = held.calibrated(raw)
        inside.append(low <= noise[block + horizon] <= high)
        held.said(block, 0.0, raw)
    return held, float(np.mean(inside[-blocks // 3 :]))


@pytest.mark.parametrize("claimed", [0.05, 0.0997, 0.3])
def test_intervals_come_to_cover_what_they_promise(claimed: float) -> None:
    held, covered = _told((-claimed, 0.0, claimed), spread=0.0997 / 1.2816)
    assert abs(covered - COVERAGE) < 0.03
    assert abs(held.covered - COVERAGE) < 0.05


def test_a_model_that_errs_more_than_the_formula_falls_back_and_says_so() -> None:
    held = Calibration(5, USUAL)
    changes = []
    for block in range(JUDGED_AFTER + 50):
        if (change := held.came(block, 0.0)) is not None:
            changes.append(change)
        held.said(block, 0.0, (0.2, 0.3, 0.4))  # the fee stands still: the formula is exact
    assert [change.fallen_back for change in changes] == [True]
    assert "the formula answers" in changes[0].sentence()
    low, point, high = held.calibrated((0.2, 0.3, 0.4))
    assert point == 0.0
    assert low < 0.0 < high


def test_it_returns_when_it_is_better_by_a_margin() -> None:
    held = Calibration(5, USUAL)
    changes = []
    for block in range(20_000):
        turned = block > 3_000
        if (change := held.came(block, 0.3)) is not None:
            changes.append(change)
        held.said(block, 0.3 if not turned else 0.0, (0.2, 0.3, 0.4))
    assert [change.fallen_back for change in changes] == [True, False]
    assert held.calibrated((0.2, 0.3, 0.4))[1] == 0.3


def test_without_trust_the_formula_answers() -> None:
    held = Calibration(5, USUAL)
    assert held.calibrated((0.2, 0.3, 0.4), trusted=False) == USUAL


def test_what_was_said_of_blocks_that_were_taken_back_is_forgotten() -> None:
    held = Calibration(5, USUAL)
    for block in range(10):
        held.said(block, 0.0, USUAL)
    held.undo(7)
    for block in range(20):
        held.came(block, 0.0)
    assert held.compared == 7  # blocks 0 to 6
