"""The membership attack finds what is there to be found, and nothing where nothing is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from veridict.core.errors import BadInput
from veridict.federated.privacy.attack import bound, membership

MODELS, ROWS = 24, 200


def told(leak: float) -> tuple[np.ndarray, np.ndarray]:
    """Models that are surer by `leak` deviations of what they were trained on."""
    rng = np.random.default_rng(0)
    inside = rng.random((MODELS, ROWS)) < 0.5
    hard = rng.normal(size=ROWS) * 3
    return hard + rng.normal(size=inside.shape) + leak * inside, inside


def test_nothing_is_found_where_nothing_leaks() -> None:
    found = membership(*told(0.0))
    assert abs(found.auc - 0.5) < 0.03
    assert found.found < 0.03


@pytest.mark.parametrize(("leak", "auc"), [(1.0, 0.76), (3.0, 0.98)])
def test_it_comes_near_the_best_that_is_possible(leak: float, auc: float) -> None:
    """Two normals `leak` apart are told with an AUC of Φ(leak / √2)."""
    assert auc == pytest.approx((1 + math.erf(leak / 2)) / 2, abs=0.01)
    assert membership(*told(leak)).auc > auc - 0.05


def test_the_bound_of_a_budget() -> None:
    assert bound(0.0, 0.0) == pytest.approx(0.01)
    assert bound(3.0, 0.0) == pytest.approx(0.2009, abs=1e-4)
    assert bound(50.0, 0.0) == 1.0


def test_too_few_shadows_are_refused() -> None:
    confidence, inside = told(1.0)
    with pytest.raises(BadInput):
        membership(confidence[:3], inside[:3])
