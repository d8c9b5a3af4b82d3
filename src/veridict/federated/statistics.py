"""What parties learn of their data together without showing a row: moments and histograms.

Each party fills one vector of sums; only the vectors' sum is opened, by the same secure
aggregation as updates. The range of each feature is public: it comes from the federation's
rules, and what lies outside counts as the nearest end. Sums are in units of rows_max / 2^27.

    per feature: present rows │ Σ z │ Σ z² │ rows in each cell, z = (x - low) / (high - low)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from veridict.core.errors import BadInput
from veridict.federated.fixed import F64, I64, ONE
from veridict.federated.learners.learner import Scale

CELLS = 128


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature and its public range."""

    name: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise BadInput(
                f"{self.name} ranges from {self.low} to {self.high}",
                remedy="give the range that everybody may know, low below high",
            )


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: of which features, and between which edges to count (ascending)."""

    features: tuple[Feature, ...]
    edges: tuple[tuple[float, ...], ...]
    rows_max: int

    @classmethod
    def first(cls, features: Sequence[Feature], rows_max: int, cells: int = CELLS) -> Question:
        """Even cells over the public ranges."""
        edges = tuple(tuple(np.linspace(f.low, f.high, cells + 1)[1:-1].tolist()) for f in features)
        return cls(tuple(features), edges, rows_max)

    @property
    def length(self) -> int:
        return sum(3 + len(edges) + 1 for edges in self.edges)

    def answer(self, features: F64) -> I64:
        """A party's int64[length], each at most 2^27. Raises BadInput for too many rows."""
        if len(features) > self.rows_max or features.shape[1] != len(self.features):
            raise BadInput(
                f"{features.shape[0]} rows of {features.shape[1]} features",
                remedy=f"bring at most {self.rows_max} rows of {len(self.features)} features",
            )
        sums: list[float] = []
        for feature, edges, column in zip(self.features, self.edges, features.T, strict=True):
            present = column[~np.isnan(column)]
            z = (np.clip(present, feature.low, feature.high) - feature.low) / (
                feature.high - feature.low
            )
            cells = np.bincount(np.searchsorted(edges, present), minlength=len(edges) + 1)
            sums += [len(present), float(z.sum()), float((z * z).sum()), *cells.tolist()]
        counted: I64 = np.rint(np.array(sums) * (ONE / self.rows_max)).astype(np.int64)
        return counted


@dataclass(frozen=True, slots=True)
class Summary:
    """One feature of all parties together. `deviation` is that of the population."""

    feature: Feature
    present: float
    mean: float
    deviation: float
    edges: tuple[float, ...]
    cells: tuple[float, ...]

    def quantile(self, share: float) -> float:
        """By straight lines inside cells; as exact as the cells are narrow."""
        bounds = (self.feature.low, *self.edges, self.feature.high)
        heights = np.concatenate([[0.0], np.cumsum(self.cells)])
        return float(np.interp(share * heights[-1], heights, bounds))


def read(question: Question, total: I64) -> tuple[Summary, ...]:
    """The opened sum, feature by feature."""
    if total.shape != (question.length,):
        raise BadInput("a sum of another question", remedy="read it with the question asked")
    sums = total * (question.rows_max / ONE)
    found, at = [], 0
    for feature, edges in zip(question.features, question.edges, strict=True):
        present, first, second = sums[at : at + 3]
        cells = sums[at + 3 : at + 4 + len(edges)]
        at += 4 + len(edges)
        width = feature.high - feature.low
        mean = first / present if present > 0.5 else 0.5
        spread = max(second / present - mean * mean, 0.0) if present > 0.5 else 0.0
        found.append(
            Summary(
                feature=feature,
                present=float(present),
                mean=float(feature.low + width * mean),
                deviation=float(width * np.sqrt(spread)),
                edges=edges,
                cells=tuple(np.maximum(cells, 0.0).tolist()),
            )
        )
    return tuple(found)


def shown(summary: Summary, least: int) -> tuple[float | None, ...]:
    """The cells, None for those of fewer than `least` rows; and never for one alone, which would
    come out of the rest: then for the next smallest too."""
    hidden = {at for at, rows in enumerate(summary.cells) if 0.5 <= rows < least - 0.5}
    if len(hidden) == 1:
        others = [at for at, rows in enumerate(summary.cells) if at not in hidden and rows >= 0.5]
        hidden |= set(sorted(others, key=lambda at: summary.cells[at])[:1])
    return tuple(None if at in hidden else rows for at, rows in enumerate(summary.cells))


def refined(question: Question, summaries: Sequence[Summary], cells: int = CELLS) -> Question:
    """A second question whose cells hold about as many rows each: for skewed features."""
    shares = np.arange(1, cells) / cells
    edges = tuple(
        tuple(sorted({summary.quantile(float(share)) for share in shares})) for summary in summaries
    )
    return Question(question.features, edges, question.rows_max)


def scale_of(summaries: Sequence[Summary], rows_max: int, bins: int = 32) -> Scale:
    """The common scale that learners start from: moments, and cuts at quantiles."""
    shares = np.arange(1, bins) / bins
    edges = tuple(
        tuple(sorted({summary.quantile(float(share)) for share in shares})) for summary in summaries
    )
    return Scale(
        names=tuple(summary.feature.name for summary in summaries),
        means=tuple(summary.mean for summary in summaries),
        deviations=tuple(summary.deviation or 1.0 for summary in summaries),
        edges=edges,
        rows_max=rows_max,
    )
