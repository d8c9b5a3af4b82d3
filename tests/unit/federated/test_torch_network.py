"""Networks by torch: they learn, compile to the same model, and no row has more than its say."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from tests.support.missing import missing
from veridict.federated.fixed import F64
from veridict.federated.learners import Learner, Rows, Scale, learner_of
from veridict.federated.privacy.guard import Guard
from veridict.federated.privacy.private import Private
from veridict.federated.rules import rule_named
from veridict.federated.simulation import simulate
from veridict.models.image import image

if find_spec("torch") is None or find_spec("opacus") is None:
    missing("torch and opacus", "pip install 'veridict[torch]'")

# torch and Opacus speak of their own future; nothing of it is ours to change.
pytestmark = pytest.mark.filterwarnings("ignore")

SCALE = Scale(("a", "b"), (0.0, 0.0), (1.0, 1.0), ((0.0,), (0.0,)), 200)


def rows_of(seed: int, n: int = 200) -> Rows:
    """What no linear model can learn."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 2))
    return Rows(features, (features[:, 0] * features[:, 1] > 0).astype(np.int8))


def made(**settings: int | float) -> Learner:
    return learner_of("torch", {"hidden": 8, "rounds": 25, **settings}, SCALE)


@pytest.mark.parametrize("layers", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_silos_learn_together_and_the_canonical_model_says_the_same(layers: int) -> None:
    it = made(layers=layers)
    state = simulate(it, [rows_of(seed) for seed in range(3)], rule_named("mean", 0))
    held = rows_of(9, 1000)
    scores = it.scores(state, held.features)
    assert ((scores > 0) == held.labels).mean() > 0.85
    compiled = it.compiled(state)
    canonical = compiled.model.score(image(held.features)) / 2**32
    assert np.abs(canonical - scores).max() <= compiled.error_bound / 2**32 + 1e-6


def test_the_same_seed_trains_the_same_update() -> None:
    it = made()
    state, rows = it.start(), rows_of(0)
    one, two, other = (it.update(state, rows, seed).values for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def gradients(it: Learner, state: bytes, rows: Rows) -> F64:
    """Of each row alone."""
    parts = [
        it.vector(state, Rows(rows.features[i : i + 1], rows.labels[i : i + 1]), 0)
        for i in range(len(rows))
    ]
    return np.stack(parts)


def test_no_row_moves_a_private_update_further_than_its_clip() -> None:
    it = made(row_norm=0.5, rate=1.0, l2=0.0)
    rows = rows_of(0, 12)
    absurd = np.array([[1e6, -1e6], [1e6, -1e6]])  # one of the two is far off its label
    labels = np.append(rows.labels[:-2], [0, 1]).astype(np.int8)
    rows = Rows(np.vstack([rows.features[:-2], absurd]), labels)
    state = it.start()
    each = gradients(it, state, rows)
    assert np.linalg.norm(each, axis=1).max() <= 0.5 + 1e-9
    assert np.linalg.norm(each[-2:], axis=1).max() == pytest.approx(0.5)
    assert np.allclose(it.vector(state, rows, 0), each.mean(axis=0))


def test_it_learns_behind_noise() -> None:
    guard = Guard("row", "local", 3.0, 1e-5, 4.0, 200)
    it = Private(made(row_norm=1.0, rate=2.0, rounds=12), guard, 200)
    state = simulate(it, [rows_of(seed) for seed in range(3)], rule_named("mean", 0))
    assert np.isfinite(it.scores(state, rows_of(9).features)).all()
