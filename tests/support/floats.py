"""Floats that catch what rounds: specials, and the neighbours of any value in both widths."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tests.support.models import SPECIAL as _SPECIAL

_FLOAT32 = (2.0**-149, 2.0**-150, 2.0**-126, 3.4028234663852886e38, 3.4028235677973366e38)
SPECIAL = (*_SPECIAL, *_FLOAT32, *(-value for value in _FLOAT32), 1e-40, 16777217.0)


def crowded(values: Iterable[float]) -> np.ndarray:
    """`values`, their float32 neighbours, the middles between those, and all's float64 neighbours.

    NaN stays what it is.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        own = np.array([*values], dtype=np.float64)
        near = own.astype(np.float32)
        pool = [own, near.astype(np.float64)]
        for way in (-np.inf, np.inf):
            beside = np.nextafter(near, np.float32(way)).astype(np.float64)
            pool += [beside, (near.astype(np.float64) + beside) / 2]
        every = np.concatenate(pool)
        return np.concatenate([every, np.nextafter(every, np.inf), np.nextafter(every, -np.inf)])
