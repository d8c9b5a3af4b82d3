"""What the contracts could not judge is refused before anything is paid for."""

from __future__ import annotations

import pytest

from tools.model_samples import stump
from veridict.core.errors import UnsupportedModel
from veridict.models.canonical import CanonicalModel, TreeModel
from veridict.services.registering import MAX_CHUNKS, MAX_FEATURES, must_be_judgeable


def test_more_features_than_the_judge_takes() -> None:
    most = CanonicalModel.from_parts(TreeModel(MAX_FEATURES, 0, (stump(True),)))
    must_be_judgeable(most)
    more = CanonicalModel.from_parts(TreeModel(MAX_FEATURES + 1, 0, (stump(True),)))
    with pytest.raises(UnsupportedModel, match="257 features"):
        must_be_judgeable(more)


def test_more_bytes_than_the_registry_takes() -> None:
    large = CanonicalModel.from_parts(TreeModel(1, 0, (stump(True),) * 13_600))
    assert len(large.chunks()) > MAX_CHUNKS
    with pytest.raises(UnsupportedModel, match="17 chunks"):
        must_be_judgeable(large)
