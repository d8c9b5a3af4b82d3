"""Account names as 64-bit keys: any name, however long or odd, costs eight bytes.

The key is the start of BLAKE2b of the UTF-8 text. Two accounts among a billion meet with a
probability of 3 %, and meeting a chosen one takes 2^64 attempts.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from veridict.watch.arrays import I64

CACHED = 1 << 18


def key_of(name: str) -> int:
    return int.from_bytes(
        blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True
    )


class Keys:
    """`key_of` for whole columns, with a bounded memory of names seen."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, names: Sequence[str]) -> I64:
        """int64[n]."""
        known = self._known
        if len(known) > CACHED:
            known.clear()
        found = [known.get(name) for name in names]
        for row, key in enumerate(found):
            if key is None:
                name = names[row]
                found[row] = known[name] = key_of(name)
        return np.array(found, np.int64)
