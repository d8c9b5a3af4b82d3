"""Contributions of linear models and networks add up to the score, bit for bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.models import random_linear, random_mlp, rows_for
from veridict.models import paths, reference
from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel
from veridict.models.image import image
from veridict.models.layout import Layer, LinearModel, MlpModel, Quantiser
from veridict.models.vector import LinearRuntime, MlpRuntime
from veridict.models.working import WorkingModel

weighted = st.integers(0, 2**32).map(lambda s: (random_linear, random_mlp)[s % 2](s))


def runtime_of(model: LinearModel | MlpModel) -> LinearRuntime | MlpRuntime:
    return LinearRuntime(model) if isinstance(model, LinearModel) else MlpRuntime(model)


@given(model=weighted, seed=st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_contributions_sum_to_the_score(model: LinearModel | MlpModel, seed: int) -> None:
    table = rows_for(model, seed, 5)
    images = np.array(table, dtype=np.uint64)
    runtime = runtime_of(model)
    parts = paths.contributions(runtime, images)
    for row, mine in zip(table, parts.tolist(), strict=True):
        scores = reference.scores(model, row)
        winner = scores.index(max(scores))
        assert sum(mine) + paths.middle(runtime)[winner] == scores[winner]


@given(model=weighted, seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_the_strongest_come_first(model: LinearModel | MlpModel, seed: int) -> None:
    canonical = CanonicalModel.from_parts(model)
    annex = Annex(canonical.id, ())
    working = WorkingModel.load(canonical.bytes, annex.encode())
    images = np.array(rows_for(model, seed, 7), dtype=np.uint64)
    parts = paths.contributions(runtime_of(model), images)
    features, strongest = working.explain(images)
    for row in range(len(images)):
        order = sorted(range(model.n_features), key=lambda f: (-abs(int(parts[row, f])), f))
        expected = [(f, int(parts[row, f])) for f in order if parts[row, f]][:3]
        expected += [(0xFFFF, 0)] * (3 - len(expected))
        assert list(zip(features[row].tolist(), strongest[row].tolist(), strict=True)) == expected


def test_features_of_a_sum_get_their_own_terms() -> None:
    inputs = (Quantiser(0, 10, 100, 0),) * 3
    model = LinearModel(inputs, (5,), ((4,), (-2,), (0,)), 0)
    parts = paths.contributions(LinearRuntime(model), image([[13.0, 11.0, 99.0]]))
    assert parts.tolist() == [[12, -2, 0]]


def test_features_alike_get_alike_whatever_their_order() -> None:
    """One neuron, closed until both features move: a plain path would give all to the second."""
    inputs = (Quantiser(0, 0, 1000, 0),) * 2
    model = MlpModel(
        inputs, (0,), (Layer((-500,), ((1,), (1,)), 0, 2000), Layer((0,), ((1,),), 0, 0))
    )
    parts = paths.contributions(MlpRuntime(model), image([[500.0, 500.0]]))[0].tolist()
    assert sum(parts) == 500
    assert abs(parts[0] - parts[1]) <= 500 / paths.MAX_STRIDES
