"""What is forecast, and how the models are made: the settings, in one place.

Growth was chosen on January 2024 with models of October to December 2023 (walk-forward inside
the training months of the benchmark). The step of the calibration was chosen after a look at
February, so figures for that month flatter it a little: measure on a later one.
"""

from __future__ import annotations

from dataclasses import dataclass

HORIZONS = (5, 25, 75, 150, 300)  # blocks after the last that closed
LEVELS = (0.1, 0.5, 0.9)
LOW, POINT, HIGH = range(3)
COVERAGE = LEVELS[HIGH] - LEVELS[LOW]


@dataclass(frozen=True, slots=True)
class Growth:
    """How one booster is grown. All together keep a model below 16 data contracts on chain."""

    rounds: int
    leaves: int
    rate: float
    min_rows: int


@dataclass(frozen=True, slots=True)
class Settings:
    """`rows`: fitted to at most, evenly taken (neighbours are nearly alike)."""

    horizons: tuple[int, ...] = HORIZONS
    rows: int = 200_000
    seed: int = 1
    threads: int = 1
    warm_up: int = 25_000

    def growth(self, horizon: int, level: float) -> Growth:
        """Far fees are mostly noise: fewer, slower and broader trees."""
        middle = level == LEVELS[POINT]
        if horizon < 20:
            return Growth(150, 63, 0.1, 400) if middle else Growth(80, 31, 0.1, 400)
        if horizon < 60:
            return Growth(150, 63, 0.07, 500) if middle else Growth(80, 31, 0.1, 500)
        return Growth(120, 31, 0.05, 1_000) if middle else Growth(70, 31, 0.07, 1_000)
