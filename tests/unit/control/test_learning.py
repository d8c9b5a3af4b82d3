"""Models: joined exactly, the same twice, better than the formula on blocks not seen."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.network import PAST, SETTINGS, mainnet, small_models
from veridict.control.features import NAMES, FeeFeatures
from veridict.control.horizons import LEVELS, POINT, Growth
from veridict.control.joining import at_levels, join
from veridict.control.learning import answers, boost, learn, targets
from veridict.core.errors import BadInput
from veridict.models.layout import chunks

GROWTH = Growth(12, 7, 0.2, 20)


@pytest.mark.parametrize("levels", [(0.1,), (0.1, 0.9), (0.1, 0.5, 0.9), (5.0, 25.0, 100.0, 600.0)])
def test_a_joined_model_answers_as_each_booster(levels: tuple[float, ...]) -> None:
    rows = FeeFeatures().batch(mainnet().slice(0, 2_000))[500:]
    target = np.sin(np.arange(len(rows)) / 50)
    boosters = [
        boost(rows, target * (1 + number), GROWTH, None, SETTINGS) for number in range(len(levels))
    ]
    joined = join(boosters, levels, NAMES, "level")
    said = at_levels(joined, rows, levels)
    for column, booster in enumerate(boosters):
        np.testing.assert_allclose(said[:, column], booster.predict(rows), atol=1e-8)


def test_between_levels_the_nearer_answers() -> None:
    rows = FeeFeatures().batch(mainnet().slice(0, 1_000))[500:]
    boosters = [
        boost(rows, np.arange(500.0) % 7 + base, GROWTH, None, SETTINGS) for base in (0, 100)
    ]
    joined = join(boosters, (0.2, 0.8), NAMES, "level")
    near, far = at_levels(joined, rows, (0.49, 0.51)).T
    assert (near < 50).all()
    assert (far > 50).all()


def test_levels_must_ascend_one_for_each_model() -> None:
    with pytest.raises(BadInput):
        join([], (), NAMES, "level")
    with pytest.raises(BadInput):
        join([object(), object()], (0.5, 0.5), NAMES, "level")


def test_a_target_is_the_fee_over_what_the_formula_says_is_next() -> None:
    table = mainnet().slice(0, 50)
    rule = small_models().rule
    upcoming = rule.next_many(table.base_fee_wei, table.gas_used, table.gas_limit)
    one_on = targets(table, upcoming, 1)
    assert len(one_on) == 49
    assert (np.abs(one_on) < 1e-3).all()  # the formula is exact, but for slips in the data


@pytest.mark.slow
def test_learning_twice_gives_the_same_models() -> None:
    again = learn(mainnet().slice(0, PAST), settings=SETTINGS)
    for horizon, model in small_models().models.items():
        assert again.models[horizon].compiled.model.id == model.compiled.model.id
    assert again.data == small_models().data


@pytest.mark.parametrize("horizon", SETTINGS.horizons)
def test_they_beat_the_formula_on_what_they_have_not_seen(horizon: int) -> None:
    table, models = mainnet(), small_models()
    upcoming = models.rule.next_many(table.base_fee_wei, table.gas_used, table.gas_limit)
    actual = targets(table, upcoming, horizon)[PAST:]
    said = answers(models.models[horizon], FeeFeatures().batch(table)[PAST : PAST + len(actual)])
    assert (np.diff(said, axis=1) >= 0).all()  # quantiles never cross
    error = np.abs(np.expm1(said[:, POINT] - actual)).mean()
    assert error < np.abs(np.expm1(-actual)).mean()
    shares = (actual[:, None] <= said).mean(axis=0)
    assert np.abs(shares - LEVELS).max() < 0.2  # before calibration, of four hours of training


def test_a_model_fits_the_registry() -> None:
    for model in small_models().models.values():
        assert len(chunks(model.compiled.model_bytes)) <= 16


def test_too_few_blocks_are_refused() -> None:
    with pytest.raises(BadInput, match="too few"):
        learn(mainnet().slice(0, 500), settings=SETTINGS)
    with pytest.raises(BadInput, match="not consecutive"):
        learn(mainnet().slice(0, 4_000).joined([mainnet().slice(0, 9), mainnet()]))
