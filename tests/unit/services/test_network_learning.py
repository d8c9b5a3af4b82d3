"""Learning again: when it is due, and only where the new is better on what neither has seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.network import KNOTS, PAST, SETTINGS, mainnet, small_models
from veridict.control.features import NAMES, FeeFeatures
from veridict.control.horizons import LEVELS, Growth
from veridict.control.joining import join
from veridict.control.learning import LEVEL, FeeModels, boost
from veridict.services.network.learning import is_due, record_of, retrain
from veridict.services.records import decode, encode


def _wrong() -> FeeModels:
    """Models of the same blocks that say the fee will be three times as high."""
    rows = FeeFeatures().batch(mainnet().slice(0, 1_000))[500:]
    high = boost(rows, 0 * rows[:, 0] + 1.1, Growth(3, 7, 0.5, 20), None, SETTINGS)
    joined = join([high] * 3, LEVELS, NAMES, LEVEL)
    models = small_models()
    wrong = {h: replace(model, compiled=joined) for h, model in models.models.items()}
    return replace(models, models=wrong)


@pytest.mark.parametrize("wrong", [True, False], ids=["bad", "good"])
def test_the_better_is_at_work_afterwards_and_the_log_says_so(wrong: bool) -> None:
    models = _wrong() if wrong else small_models()
    done = retrain(models, mainnet().slice(0, PAST + 500), settings=SETTINGS, knots=KNOTS)
    assert done.adopted is (done.error_after <= done.error_before)
    assert not wrong or (done.adopted and done.error_before > 1)
    record = record_of(done, 1)
    assert record.event == ("retrained" if done.adopted else "kept")
    assert decode(encode(record)) == record


def test_it_is_due_by_blocks_that_have_come() -> None:
    models = small_models()
    assert not is_due(models, models.last + 7_199, days=1)
    assert is_due(models, models.last + 7_200, days=1)
