"""Whether rows still look like those that a model learned from: PSI and KS, window by window.

Per column the population stability index over the reference's deciles, and the Kolmogorov–Smirnov
distance on a grid of its quantiles. Both need only the order of values, so they are taken on the
model's own integer inputs, and missing values are a value like any other.

How far unchanged data stray is known twice: for independent rows from theory (PSI like a
chi-square over the rows, KS by Kolmogorov's tail), and for these data from the reference cut into
windows of the same size, since rows of one day or one account hang together. The second widens
the first. All columns together raise a false alarm in `rate` of windows at most; and what is
certain but small is no alarm: both have a least value, by the usual reading of PSI.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput
from veridict.watch.arrays import F64, I64
from veridict.watch.features.saved import pack, unpack

U64 = NDArray[np.uint64]
WINDOW, RATE = 2000, 0.01
LEAST_PSI, LEAST_KS = 0.1, 0.1  # below 0.1 a PSI is read as no change worth a look
WINDOWS = 5  # that a reference must hold, at least
BINS, GRID = 10, 256
USUAL_KS = math.sqrt(math.pi / 2) * math.log(2)  # the mean of Kolmogorov's distribution
SURE = 2.0  # standard errors that the widening is kept on the safe side by
_MAGIC = b"veridict drift reference 1\n"


@dataclass(frozen=True, slots=True)
class Drifted:
    """A column whose window is unlike the reference."""

    what: str
    psi: float
    psi_limit: float
    ks: float
    ks_limit: float


@dataclass(frozen=True, slots=True)
class Reference:
    """What a window is compared with; c columns, the last one is the score.

    `grid`: uint64[c, GRID] quantiles, rising; `below`: float64[c, GRID] the reference's share of
    rows up to each; `edges`: int64[c, BINS - 1] which of them part the bins, -1 where fewer do;
    `limits`: float64[c, 2] of PSI and KS.
    """

    names: tuple[str, ...]
    rows: int
    window: int
    rate: float
    grid: U64
    below: F64
    edges: I64
    limits: F64

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        images: U64,
        scores: I64,
        *,
        window: int = WINDOW,
        rate: float = RATE,
        least: tuple[float, float] = (LEAST_PSI, LEAST_KS),
    ) -> Reference:
        """`images`: uint64[rows, features] in the order of time, `scores`: int64[rows].

        Raises BadInput below WINDOWS windows of rows.
        """
        x = columns(images, scores)
        if len(x) < WINDOWS * window:
            raise BadInput(
                f"{len(x)} rows are too few to know how far windows of {window} stray",
                remedy=f"give {WINDOWS * window} rows or more, or choose a smaller window",
            )
        ranked = np.sort(x, axis=0)
        places = ((np.arange(GRID) + 0.5) / GRID * len(x)).astype(np.int64)
        grid = np.ascontiguousarray(ranked[places].T)
        below = np.stack(
            [np.searchsorted(ranked[:, c], grid[c], side="right") for c in range(len(grid))]
        ) / len(x)
        edges = np.stack([_edges(grid[c]) for c in range(len(grid))])
        empty = np.zeros((len(grid), 2))
        told = (*names, "score")
        made = cls(told, len(x), window, rate, grid, below, edges, empty)
        return cls(told, len(x), window, rate, grid, below, edges, made._limits(x, least))

    def measure(self, x: U64) -> F64:
        """x: uint64[rows, c] of one window. float64[c, 2]: PSI and KS of each column."""
        ranked = np.sort(x, axis=0)
        found = np.empty((len(self.grid), 2))
        for c in range(len(self.grid)):
            seen = np.searchsorted(ranked[:, c], self.grid[c], side="right") / len(x)
            found[c, 0] = self._psi(c, seen, len(x))
            found[c, 1] = np.abs(seen - self.below[c]).max()
        return found

    def drifted(self, x: U64) -> list[Drifted]:
        """The columns that pass a limit, the furthest beyond its own first."""
        found = self.measure(x)
        beyond = (found / self.limits).max(axis=1)
        return [
            Drifted(self.names[c], *_pair(found[c], self.limits[c]))
            for c in np.argsort(-beyond, kind="stable").tolist()
            if beyond[c] > 1.0
        ]

    def save(self) -> bytes:
        head = {
            "names": list(self.names), "rows": self.rows, "window": self.window,
            "rate": repr(self.rate),
        }  # fmt: skip
        arrays = (self.grid, self.below, self.edges, self.limits)
        return pack(_MAGIC, head, [array.reshape(-1) for array in arrays])

    @classmethod
    def load(cls, saved: bytes) -> Reference:
        """Raises BadInput unless `saved` is whole."""
        kinds = (np.uint64, np.float64, np.int64, np.float64)
        head, (grid, below, edges, limits) = unpack(_MAGIC, saved, {}, kinds)
        names = tuple(head["names"])
        c = len(names)
        parts = (a.reshape(c, -1) for a in (grid, below, edges, limits))
        return cls(names, head["rows"], head["window"], float(head["rate"]), *parts)

    def _psi(self, c: int, seen: F64, rows: int) -> float:
        edges = self.edges[c][self.edges[c] >= 0]
        due, got = (np.diff(s[edges], prepend=0.0, append=1.0) for s in (self.below[c], seen))
        bins = len(due)
        p = (got * rows + 0.5) / (rows + 0.5 * bins)  # no bin is empty
        q = (due * self.rows + 0.5) / (self.rows + 0.5 * bins)
        return float(((p - q) * np.log(p / q)).sum())

    def _limits(self, x: U64, least: tuple[float, float]) -> F64:
        """Theory's limits, widened by how far the reference's own windows stray."""
        count, n = len(x) // self.window, self.window
        own = np.stack([self.measure(x[i * n : (i + 1) * n]) for i in range(count)])
        alpha = self.rate / (2 * len(self.grid))
        root = math.sqrt(1.0 / n + 1.0 / len(x))
        far_ks = math.sqrt(-math.log(alpha / 2) / 2) * root
        limits = np.empty((len(self.grid), 2))
        for c in range(len(self.grid)):
            degrees = max(1, int((self.edges[c] >= 0).sum()))
            usual, far = degrees * root**2, chi_square(1.0 - alpha, degrees) * root**2
            wide = _widening(own[:, c, 0], usual, math.sqrt(2.0 / degrees))
            wide_ks = _widening(own[:, c, 1], USUAL_KS * root, 0.3)
            limits[c] = max(least[0], far * wide), max(least[1], far_ks * wide_ks)
        return limits


def columns(images: U64, scores: I64) -> U64:
    """uint64[rows, features + 1]: the score last, as an integer of the same order."""
    ordered = scores.astype(np.int64).view(np.uint64) ^ np.uint64(1 << 63)
    return np.column_stack([images, ordered])


def chi_square(share: float, degrees: int) -> float:
    """The quantile, by Wilson and Hilferty (1931): within 1 % where it matters here."""
    spread = 2.0 / (9.0 * degrees)
    return float(degrees * (1.0 - spread + NormalDist().inv_cdf(share) * math.sqrt(spread)) ** 3)


def _edges(grid: U64) -> I64:
    """Which quantiles part the bins; equal ones part nothing twice, the largest nothing at all."""
    chosen = [GRID * b // BINS for b in range(1, BINS)]
    kept: list[int] = []
    for place in chosen:
        fresh = not kept or grid[place] != grid[kept[-1]]
        if fresh and grid[place] != grid[-1]:
            kept.append(place)
    return np.array(kept + [-1] * (BINS - 1 - len(kept)), np.int64)


def _widening(own: F64, usual: float, spread: float) -> float:
    """How many times further than independent rows these stray, on the safe side; at least 1."""
    error = spread / math.sqrt(len(own))
    return max(1.0, float(own.mean()) / usual * (1.0 + SURE * error))


def _pair(found: F64, limits: F64) -> tuple[float, float, float, float]:
    return float(found[0]), float(limits[0]), float(found[1]), float(limits[1])
