"""Models of every kind, damaged: in one byte or many, cut, spliced, fields set to their limits."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from functools import cache

from tests.support.models import random_linear, random_mlp, random_model
from veridict.models.encode import encode
from veridict.models.layout import COUNTS, HEADER, KIND_TREES, Model

TELLING = (0, 1, 2**31, 2**31 - 1, 2**32 - 1, 2**62, 2**63, 2**63 - 1, 2**64 - 1, 1075)


@cache
def sources() -> Sequence[bytes]:
    trees = [random_model(s, max_trees=3, max_nodes=6, max_outputs=1 + s % 3) for s in range(20)]
    linear = [random_linear(seed) for seed in range(20)]
    networks = [random_mlp(seed) for seed in range(20)]
    models: list[Model] = [*trees, *linear, *networks]
    return [encode(model) for model in models]


def mutate(rng: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    kind = rng.random()
    if kind < 0.05:
        return bytes(damaged[: rng.randrange(len(damaged))])
    if kind < 0.1:
        return bytes(damaged) + rng.randbytes(rng.choice((1, 31, 32, 64)))
    if kind < 0.15:  # the head of one, the tail of another
        other, cut = rng.choice(sources()), rng.randrange(0, 129, 8)
        return bytes(damaged[:cut]) + other[cut:]
    if kind < 0.2:  # a page or word dropped or doubled, and announced
        size = 2047 if data[5] == KIND_TREES else 32
        at = rng.randrange(0, len(data), size)
        piece = data[at : at + size] * rng.choice((0, 2))
        damaged[at : at + size] = piece
        if len(damaged) > 14:
            struct.pack_into(">H", damaged, 12, len(damaged) // size)
        return bytes(damaged)
    if kind < 0.4:  # a field set to what might be a limit
        at = rng.randrange(0, min(len(data), 512) - 7, 4)
        layout, bound = rng.choice(((">Q", 2**64), (">I", 2**32)))
        value = rng.choice(TELLING) + rng.choice((-1, 0, 0, 1))
        struct.pack_into(layout, damaged, at, value % bound)
        return bytes(damaged)
    # The first bytes hold the header and nodes, where damage has consequences.
    reach = rng.choice((HEADER.size + COUNTS.size, 200, len(damaged)))
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(min(reach, len(damaged)))
        damaged[at] = rng.choice(
            (0, 1, 0xFF, rng.randrange(256), damaged[at] ^ 1 << rng.randrange(8))
        )
    return bytes(damaged)
