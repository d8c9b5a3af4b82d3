"""All Python runtimes give the reference's integers, on any model and any row."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.models import models, random_tree, rows_for
from veridict.models import explain, reference
from veridict.models.annex import Annex
from veridict.models.canonical import CHUNK_BYTES, CanonicalModel, chunks, decode, encode
from veridict.models.image import pack
from veridict.models.layout import TreeModel


@given(model=models, seed=st.integers(0, 99), rows=st.sampled_from([1, 3, 8, 13]))
@settings(max_examples=150, deadline=None)
def test_fast_equals_reference(model: TreeModel, seed: int, rows: int) -> None:
    table = rows_for(model, seed, rows)
    images = np.array(table, dtype=np.uint64)
    canonical = CanonicalModel.from_trees(model)
    expected = [reference.score(model, row) for row in table]
    assert canonical.score(images).tolist() == expected
    assert [canonical.score_one(pack(row)) for row in images] == expected


@given(model=models)
@settings(max_examples=150, deadline=None)
def test_decoding_undoes_encoding(model: TreeModel) -> None:
    data = encode(model)
    assert encode(decode(data)) == data
    assert b"".join(chunks(data)) == data
    assert all(len(chunk) <= CHUNK_BYTES for chunk in chunks(data))


@given(model=models, seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_decoded_model_scores_as_the_encoded_one(model: TreeModel, seed: int) -> None:
    again = decode(encode(model))
    for row in rows_for(model, seed, 5):
        assert reference.score(again, row) == reference.score(model, row)


def test_models_of_several_chunks() -> None:
    rng = random.Random(7)
    model = TreeModel(5, -1, tuple(random_tree(rng, 5, 30) for _ in range(100)))
    canonical = CanonicalModel.from_trees(model)
    assert len(canonical.chunks()) > 2
    table = rows_for(model, 1, 17)
    expected = [reference.score(model, row) for row in table]
    assert canonical.score(np.array(table, dtype=np.uint64)).tolist() == expected


@given(model=models, seed=st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_contributions_sum_to_the_score(model: TreeModel, seed: int) -> None:
    canonical = CanonicalModel.from_trees(model)
    rng = np.random.default_rng(seed)
    expectations = tuple(
        tuple(int(v) for v in rng.integers(-(2**40), 2**40, len(tree.nodes)))
        for tree in canonical.trees.trees
    )
    annex = Annex(canonical.id, expectations)
    images = np.array(rows_for(model, seed, 9), dtype=np.uint64)
    parts = explain.contributions(canonical, annex, images)
    total = parts.sum(axis=1) + explain.root_expectation(canonical, annex)
    assert total.tolist() == canonical.score(images).tolist()

    features, strongest = canonical.explain(images, annex, top=3)
    for row in range(len(images)):
        order = sorted(range(model.n_features), key=lambda f: (-abs(int(parts[row, f])), f))
        expected = [(f, int(parts[row, f])) for f in order if parts[row, f]][:3]
        expected += [(0xFFFF, 0)] * (3 - len(expected))
        assert list(zip(features[row].tolist(), strongest[row].tolist(), strict=True)) == expected
