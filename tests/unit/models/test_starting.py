"""Trees score from the first row on, and the same once the kernels are there."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.support.models import random_model, rows_for
from veridict.models import starting
from veridict.models.canonical import CanonicalModel
from veridict.models.image import pack


def test_scores_are_the_same_before_and_after_loading() -> None:
    parts = random_model(11, max_trees=9, max_outputs=3)
    model = CanonicalModel.from_parts(parts)
    images = np.array(rows_for(parts, 1, 40), dtype=np.uint64)
    before = model.scores(images).tolist()
    one = model.score_one(pack(images[0]))
    assert not _loaded(model)  # so few rows are not worth the time it takes
    assert model.fast is not None
    assert _loaded(model)
    assert model.scores(images).tolist() == before
    assert model.score_one(pack(images[0])) == one


def test_kernels_are_loaded_beside_once_rows_have_cost_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starting, "PATIENCE_S", 0.0)
    parts = random_model(12)
    model = CanonicalModel.from_parts(parts)
    images = np.array(rows_for(parts, 1, 3), dtype=np.uint64)
    before = [model.scores(images).tolist() for _ in range(3)]
    for thread in threading.enumerate():
        if thread.name == "load compiled kernels":
            thread.join()
    assert _loaded(model)
    assert [model.scores(images).tolist()] * 3 == before


def test_many_rows_wait_for_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "MANY", 1)
    parts = random_model(12)
    assert parts.trees
    model = CanonicalModel.from_parts(parts)
    model.score(np.array(rows_for(parts, 1, 3), dtype=np.uint64))
    assert _loaded(model)


def _loaded(model: CanonicalModel) -> bool:
    return model._starting.loaded is not None
