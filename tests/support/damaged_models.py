"""Models of every kind, damaged: in one byte or many, cut, spliced, fields set to their limits."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from functools import cache

from tests.support.models import random_linear, random_mlp, random_model
from veridict.core.errors import BadModelBytes
from veridict.models.canonical import decode
from veridict.models.encode import encode
from veridict.models.layout import COUNTS, HEADER, KIND_TREES, PAGE_SIZES, WORD, Model

TELLING = (0, 1, 2**31, 2**31 - 1, 2**32 - 1, 2**62, 2**63, 2**63 - 1, 2**64 - 1, 1075)
IMAGES = (0, 1, 2**63 - 1, 2**63, 2**63 + 5, 0x000F_FFFF_FFFF_FFFF, 2**64 - 1)


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


def most_gas(data: bytes) -> int:
    """What scoring `data` may take, whatever it says.

    Trees: a node may send the reader to the end of two megabytes of memory, once; each 14 bytes
    may be a root, and 256 steps of some 75 gas are taken from it. Linear: 256 features and
    64 outputs at most. Networks: every weight is there to be read, so their bytes bound it.
    """
    if data[5] == KIND_TREES:
        return 9_500_000 + 1_500 * len(data)
    return 2_000_000 if data[5] == 2 else 200_000 + 150 * len(data)


def is_judged(data: bytes) -> bool:
    """Whether the header tells a model that the judge runs, whatever follows."""
    if len(data) < HEADER.size:
        return False
    magic, version, kind, bits, outputs_1, features, page, *_ = HEADER.unpack_from(data)
    pages = {1: PAGE_SIZES, 2: (WORD,), 3: (WORD,)}.get(kind, ())
    known = (magic, version, bits) == (b"VRDT", 1, 32) and page in pages
    return known and outputs_1 < 64 and 1 <= features <= 256


def row_of(rng: random.Random, data: bytes) -> list[int]:
    """As many images as the header tells."""
    count = int.from_bytes(data[8:10], "big")
    return [rng.choice((*IMAGES, rng.getrandbits(64))) for _ in range(count)]


def decoded(data: bytes) -> Model | None:
    try:
        return decode(data)
    except BadModelBytes:
        return None


def packed(row: list[int]) -> bytes:
    return struct.pack(f">{len(row)}Q", *row)
