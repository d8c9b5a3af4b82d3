"""The judge gives the reference's integers, on any model and any row; on other bytes it ends."""

from __future__ import annotations

import random
from hashlib import sha256
from typing import Any

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import contracts
from tests.support.models import models_of_any_kind, random_of_any_kind, random_tree, rows_for
from veridict.core.errors import BadModelBytes
from veridict.models import reference
from veridict.models.canonical import CanonicalModel, chunks
from veridict.models.layout import (
    Layer,
    LinearModel,
    MlpModel,
    Model,
    Node,
    Quantiser,
    Tree,
    TreeModel,
)

NOBODY = "0x" + "00" * 20
GAS = 20_000_000  # of a call on hostile bytes: more than their memory and loops can take
OUTSIDE = "Judge: not a model of this format"

QUANTISER = Quantiser(0, 0, 2**20, 0)
SMALL: dict[str, Model] = {
    "trees": TreeModel(1, 0, (Tree((Node(0, 2**63, False, ~0, ~1),), (1, 2)),)),
    "linear": LinearModel((QUANTISER,), (0,), ((1,),), 0),
    "mlp": MlpModel((QUANTISER,), (0,), (Layer((0,), ((1,),), 0, 0),)),
}


@pytest.fixture(scope="module")
def court(_local_evm: None) -> tuple[Any, Any]:
    """(registry, judge)"""
    registry = boa.loads(contracts.SHELF)
    return registry, contracts.deploy("Judge", registry.address, NOBODY, NOBODY, contracts.scorer())


def register(registry: Any, model: Model) -> bytes:
    return register_bytes(registry, CanonicalModel.from_parts(model).bytes)


def register_bytes(registry: Any, data: bytes) -> bytes:
    """As no registry takes them: the judge is on its own."""
    model_id = sha256(data).digest()
    addresses = [contracts.data_contract(chunk) for chunk in chunks(data)]
    registry.register(model_id, addresses, contracts.CARD, 1)
    return model_id


def packed(row: list[int]) -> bytes:
    return b"".join(value.to_bytes(8, "big") for value in row)


def agree(court: tuple[Any, Any], model: Model, rows: list[list[int]]) -> None:
    registry, judge = court
    with boa.env.anchor():
        model_id = register(registry, model)
        for row in rows:
            assert judge.score(model_id, packed(row)) == reference.score(model, row)


@given(model=models_of_any_kind, seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_judge_equals_reference(court: tuple[Any, Any], model: Model, seed: int) -> None:
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


@pytest.mark.parametrize(
    ("kind", "at", "value"),
    [
        ("trees", 0, 0), ("trees", 4, 2), ("trees", 5, 0), ("trees", 5, 2), ("trees", 5, 4),
        ("trees", 6, 20), ("trees", 7, 64), ("trees", 9, 0), ("trees", 8, 1), ("trees", 10, 0),
        ("linear", 5, 1), ("linear", 11, 33), ("mlp", 5, 1), ("mlp", 10, 1),
    ],
)  # fmt: skip
def test_other_headers_are_refused(court: tuple[Any, Any], kind: str, at: int, value: int) -> None:
    """By the judge too, should a registry have them."""
    registry, judge = court
    damaged = bytearray(CanonicalModel.from_parts(SMALL[kind]).bytes)
    damaged[at] = value
    model_id = register_bytes(registry, bytes(damaged))
    with boa.reverts(OUTSIDE):
        judge.score(model_id, bytes(8))


def test_a_loop_of_nodes_is_refused(court: tuple[Any, Any]) -> None:
    registry, judge = court
    data = bytearray(CanonicalModel.from_parts(SMALL["trees"]).bytes)
    data[48:52] = (38).to_bytes(2, "big") * 2
    model_id = register_bytes(registry, bytes(data))
    with boa.reverts("Scorer: model is not canonical"):
        judge.score(model_id, bytes(8))
    assert judge._computation.net_gas_used < 200_000


@given(seed=st.integers(0, 2**32), edits=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_hostile_bytes_end(court: tuple[Any, Any], seed: int, edits: int) -> None:
    """Bytes changed behind the header, words too: a number or a refusal, within bounded gas."""
    registry, judge = court
    rng = random.Random(seed)
    model = random_of_any_kind(seed)
    data = bytearray(CanonicalModel.from_parts(model).bytes)
    used = max(at for at, byte in enumerate(data) if byte) + 1
    for _ in range(edits):
        at = rng.randrange(12, max(used, 40))
        if at < len(data):
            data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    with boa.env.anchor():
        model_id = register_bytes(registry, bytes(data))
        row = rows_for(model, seed, 1)[0]
        try:
            answer = judge.score(model_id, packed(row), gas=GAS)
        except boa.BoaError:
            answer = None
    try:
        canonical = CanonicalModel(bytes(data))
    except BadModelBytes:
        return
    assert answer == reference.score(canonical.parts, row)
