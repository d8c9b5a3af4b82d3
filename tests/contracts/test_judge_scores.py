"""The judge gives the reference's integers, on any model and any row."""

from __future__ import annotations

import random
from hashlib import sha256
from typing import Any

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import contracts
from tests.support.models import models, random_tree, rows_for
from veridict.models import reference
from veridict.models.canonical import CanonicalModel
from veridict.models.layout import Node, Tree, TreeModel

NOBODY = "0x" + "00" * 20


@pytest.fixture(scope="module")
def court(_local_evm: None) -> tuple[Any, Any]:
    """(registry, judge)"""
    registry = contracts.deploy("Registry")
    return registry, contracts.deploy("Judge", registry.address, NOBODY, NOBODY)


def register(registry: Any, model: TreeModel) -> bytes:
    canonical = CanonicalModel.from_trees(model)
    addresses = [contracts.data_contract(chunk) for chunk in canonical.chunks()]
    registry.register(canonical.id, addresses, contracts.CARD, model.n_features)
    return canonical.id


def agree(court: tuple[Any, Any], model: TreeModel, rows: list[list[int]]) -> None:
    registry, judge = court
    with boa.env.anchor():
        model_id = register(registry, model)
        for row in rows:
            inputs = b"".join(value.to_bytes(8, "big") for value in row)
            assert judge.score(model_id, inputs) == reference.score(model, row)


@given(model=models, seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_judge_equals_reference(court: tuple[Any, Any], model: TreeModel, seed: int) -> None:
    agree(court, model, rows_for(model, seed, 3))


def test_models_of_several_chunks(court: tuple[Any, Any]) -> None:
    rng = random.Random(2)
    model = TreeModel(5, -(2**40), tuple(random_tree(rng, 5, 30) for _ in range(90)))
    assert len(CanonicalModel.from_trees(model).chunks()) == 3
    agree(court, model, rows_for(model, 3, 3))


def test_most_features(court: tuple[Any, Any]) -> None:
    rng = random.Random(4)
    model = TreeModel(256, 7, tuple(random_tree(rng, 256, 40) for _ in range(6)))
    agree(court, model, rows_for(model, 5, 2))


def test_deepest_path(court: tuple[Any, Any]) -> None:
    """255 nodes in a row; the row takes every one of them."""
    nodes = tuple(
        Node(0, 2**63, True, ~0 if n % 2 else n + 1 if n < 254 else ~1, n + 1 if n < 254 else ~1)
        for n in range(255)
    )
    chain = tuple(Node(0, 2**63 + 1 + n, False, ~0, n + 1 if n < 254 else ~1) for n in range(255))
    for shape in (nodes, chain):
        model = TreeModel(1, 0, (Tree(shape, (11, 22)),))
        agree(court, model, [[0], [2**64 - 1], [2**63 + 100]])


def test_largest_scores(court: tuple[Any, Any]) -> None:
    """Extreme leaves, up to what int64 holds."""
    half = 2**62 - 1
    leaf_only = Node(0, 2**63, False, ~0, ~1)
    tree = Tree((leaf_only,), (half, -half))
    agree(court, TreeModel(1, half, (tree,)), [[1], [2**64 - 1]])
    agree(court, TreeModel(1, -half, (tree,)), [[1], [2**64 - 1]])


def test_inputs_of_another_length_are_refused(court: tuple[Any, Any]) -> None:
    registry, judge = court
    model_id = register(registry, TreeModel(2, 5, ()))
    assert judge.score(model_id, bytes(16)) == 5
    for length in (0, 8, 15, 17, 24):
        with boa.reverts("Judge: inputs do not fit the model"):
            judge.score(model_id, bytes(length))


def test_unknown_models_are_refused(court: tuple[Any, Any]) -> None:
    with boa.reverts("Registry: unknown model"):
        court[1].score(b"\1" * 32, bytes(8))


def test_other_bytes_are_refused(court: tuple[Any, Any]) -> None:
    """Registered, because their hash is right, but no model of a format the judge runs."""
    registry, judge = court
    good = CanonicalModel.from_trees(TreeModel(1, 0, ())).bytes
    for at, value in ((0, 0), (4, 2), (5, 2), (6, 20), (7, 1), (10, 0)):
        damaged = bytearray(good)
        damaged[at] = value
        data = bytes(damaged)
        model_id = sha256(data).digest()
        registry.register(model_id, [contracts.data_contract(data)], contracts.CARD, 1)
        with boa.reverts("Judge: not a model of this format"):
            judge.score(model_id, bytes(8))


def test_hostile_bytes_end(court: tuple[Any, Any]) -> None:
    """A node that leads to itself: no canonical model, and no endless loop."""
    registry, judge = court
    node = Node(0, 2**63, False, ~0, ~1)
    data = bytearray(CanonicalModel.from_trees(TreeModel(1, 0, (Tree((node,), (1, 2)),))).bytes)
    data[48:52] = (38).to_bytes(2, "big") * 2
    model_id = sha256(data).digest()
    registry.register(model_id, [contracts.data_contract(bytes(data))], contracts.CARD, 1)
    judge.score(model_id, bytes(8))
    assert judge._computation.net_gas_used < 200_000
