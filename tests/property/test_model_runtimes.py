"""All Python runtimes give the reference's integers, on any model and any row."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import page_reader
from tests.support.models import SPECIAL, models, models_of_any_kind, random_tree, rows_for
from veridict.models import explain, reference
from veridict.models.annex import Annex
from veridict.models.canonical import CHUNK_BYTES, CanonicalModel, chunks, decode, encode
from veridict.models.edge import EdgeModel
from veridict.models.image import image_of, pack
from veridict.models.layout import Model, TreeModel


@given(model=models_of_any_kind, seed=st.integers(0, 99), rows=st.sampled_from([1, 3, 8, 13]))
@settings(max_examples=300, deadline=None)
def test_runtimes_equal_the_reference(model: Model, seed: int, rows: int) -> None:
    table = rows_for(model, seed, rows)
    images = np.array(table, dtype=np.uint64)
    canonical = CanonicalModel.from_parts(model)
    edge = EdgeModel(canonical.bytes)
    every = [reference.scores(model, row) for row in table]
    assert all(abs(value) <= model.reach for row in every for value in row)
    assert canonical.scores(images).tolist() == every
    expected = [reference.score(model, row) for row in table]
    assert canonical.score(images).tolist() == expected
    assert [canonical.score_one(pack(row)) for row in images] == expected
    assert edge.score_packed(pack(images)).tolist() == expected
    assert [page_reader.scores(canonical.bytes, pack(row)) for row in images] == every
    assert [page_reader.recorded(canonical.bytes, pack(row)) for row in images] == expected


@given(model=models_of_any_kind, seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_edge_devices_take_floats(model: Model, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.choice(SPECIAL, size=(7, model.n_features))
    edge = EdgeModel(encode(model))
    expected = [reference.scores(model, [image_of(x) for x in row]) for row in rows]
    assert edge.scores(rows).tolist() == expected


@given(model=models_of_any_kind)
@settings(max_examples=200, deadline=None)
def test_decoding_undoes_encoding(model: Model) -> None:
    data = encode(model)
    again = decode(data)
    assert encode(again) == data
    # Nodes may change their places within a tree, and leaves; everything else is as it was.
    assert isinstance(model, TreeModel) or again == model
    assert b"".join(chunks(data)) == data
    assert all(len(chunk) <= CHUNK_BYTES for chunk in chunks(data))


@given(model=models_of_any_kind, seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_decoded_model_scores_as_the_encoded_one(model: Model, seed: int) -> None:
    again = decode(encode(model))
    for row in rows_for(model, seed, 5):
        assert reference.scores(again, row) == reference.scores(model, row)


@given(value=st.floats(allow_nan=False), shift=st.integers(-128, 127))
@settings(max_examples=500, deadline=None)
def test_rounding_is_the_exact_one(value: float, shift: int) -> None:
    least = -(2**62)
    exact = (
        (2**62 if value > 0 else least)
        if math.isinf(value)
        else math.floor(Fraction(value) * Fraction(2) ** shift + Fraction(1, 2))
    )
    assert reference.rounded(image_of(value), shift) == max(least, min(exact, 2**62))


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
    scores = canonical.scores(images)
    winners = scores.argmax(axis=1).tolist()
    expected_of = [explain.root_expectation(canonical, annex, k) for k in range(model.n_outputs)]
    total = [sum(part) + expected_of[k] for part, k in zip(parts.tolist(), winners, strict=True)]
    assert total == scores.max(axis=1).tolist()

    features, strongest = canonical.explain(images, annex, top=3)
    for row in range(len(images)):
        order = sorted(range(model.n_features), key=lambda f: (-abs(int(parts[row, f])), f))
        expected = [(f, int(parts[row, f])) for f in order if parts[row, f]][:3]
        expected += [(0xFFFF, 0)] * (3 - len(expected))
        assert list(zip(features[row].tolist(), strongest[row].tolist(), strict=True)) == expected
