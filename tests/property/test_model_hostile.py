"""Damaged models of every kind: refused as such or still canonical, never a crash.

Ten thousand in `make test`, a million in `make test-all`. Each has few bytes,
so a reader whose time is not bounded by them shows as a test that does not end.
"""

from __future__ import annotations

import random
import struct
import tracemalloc

import pytest

from tests.support.damaged_models import mutate, sources
from tests.support.models import rows_for
from tools.make_model_vectors import FOLDER
from veridict.core.errors import BadModelBytes
from veridict.models import reference
from veridict.models.canonical import CanonicalModel, decode
from veridict.models.edge import EdgeModel
from veridict.models.layout import HEADER

ROUNDS = 10_000
SHARDS, SHARD_ROUNDS = 20, 50_000


def attack(seed: int, rounds: int) -> tuple[int, int]:
    """How many of `rounds` damaged models were refused, and how many are models all the same."""
    rng = random.Random(seed)
    refused = accepted = 0
    for round_ in range(rounds):
        data = mutate(rng, rng.choice(sources()))
        try:
            model = decode(data)
        except BadModelBytes:
            refused += 1
            continue
        accepted += 1
        if round_ % 20 or model.n_features > 99:
            continue
        # Whatever is accepted is safe to run, alike everywhere, and within its own bound.
        canonical, edge = CanonicalModel(data), EdgeModel(data)
        for row in rows_for(model, round_, 2):
            scores, packed = reference.scores(model, row), struct.pack(f">{len(row)}Q", *row)
            assert max(map(abs, scores)) <= model.reach < 2**63
            recorded = reference.score(model, row)
            assert edge.score_packed(packed).tolist() == [recorded]
            assert canonical.score_one(packed) == recorded
    return refused, accepted


def test_damaged_models_are_refused_or_canonical() -> None:
    refused, accepted = attack(11, ROUNDS)
    assert refused > ROUNDS / 3
    assert accepted > ROUNDS / 20


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_million_damaged_models(shard: int) -> None:
    refused, accepted = attack(1000 + shard, SHARD_ROUNDS)
    assert refused > SHARD_ROUNDS / 3
    assert accepted > SHARD_ROUNDS / 20


def test_reading_takes_memory_in_proportion() -> None:
    """Numbers that the bytes announce are not believed before the bytes are there."""
    rng = random.Random(13)
    damaged = [mutate(rng, rng.choice(sources())) for _ in range(600)]
    damaged += [path.read_bytes() for path in sorted((FOLDER / "broken").glob("*.vdm"))]
    for data in damaged:
        tracemalloc.start()
        try:
            decode(data)
        except BadModelBytes:
            pass
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 50_000 + 100 * len(data), data.hex()


def test_noise_is_refused() -> None:
    rng = random.Random(12)
    for _ in range(300):
        noise = rng.randbytes(rng.choice((0, 1, 31, 32, 64, 2047, 8188)))
        with pytest.raises(BadModelBytes):
            decode(noise)
    for kind, size in ((1, 2047), (2, 32), (3, 32)):
        for _ in range(300):
            pages = rng.randrange(1, 9)
            more, features, count = rng.choice((0, 1)), rng.randrange(1, 4), rng.randrange(4)
            head = HEADER.pack(b"VRDT", 1, kind, 32, more, features, size, pages, 0, count, 0)
            with pytest.raises(BadModelBytes):
                decode(head + rng.randbytes(pages * size - len(head)))
