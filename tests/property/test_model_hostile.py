"""Ten thousand damaged models: refused as such or still canonical, never a crash."""

from __future__ import annotations

import random

from tests.support.models import random_model, rows_for
from veridict.core.errors import BadModelBytes
from veridict.models import reference
from veridict.models.canonical import decode, encode
from veridict.models.layout import COUNTS, HEADER, MAX_DEPTH

ROUNDS = 10_000


def mutate(rng: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    kind = rng.random()
    if kind < 0.1:
        return bytes(damaged[: rng.randrange(len(damaged))])
    if kind < 0.2:
        return bytes(damaged) + rng.randbytes(rng.randrange(1, 64))
    # The first bytes hold the header and nodes, where damage has consequences.
    reach = rng.choice((HEADER.size + COUNTS.size, 200, len(damaged)))
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(min(reach, len(damaged)))
        damaged[at] = rng.choice(
            (0, 1, 0xFF, rng.randrange(256), damaged[at] ^ 1 << rng.randrange(8))
        )
    return bytes(damaged)


def test_damaged_models_are_refused_or_canonical() -> None:
    rng = random.Random(11)
    sources = [encode(random_model(seed, max_trees=3, max_nodes=6)) for seed in range(20)]
    refused = accepted = 0
    for round_ in range(ROUNDS):
        data = mutate(rng, rng.choice(sources))
        try:
            model = decode(data)
        except BadModelBytes:
            refused += 1
            continue
        accepted += 1
        if round_ % 20:
            continue
        for row in rows_for(model, round_, 2) if model.n_features < 100 else ():
            assert abs(reference.score(model, row)) <= model.reach < 2**63
    assert refused > ROUNDS / 3
    assert accepted > 0
    assert MAX_DEPTH == 255


def test_noise_is_refused() -> None:
    rng = random.Random(12)
    for _ in range(300):
        noise = rng.randbytes(rng.choice((0, 1, 31, 32, 2047, 8188)))
        try:
            decode(noise)
        except BadModelBytes:
            continue
        raise AssertionError("noise was taken for a model")
