"""How good forecasts were on blocks that are known now, beside the formula.

All errors are shares of the fee that came (as in a mean absolute percentage error). The
formula's quantiles are its usual errors in training, the same for every block: a fair rival,
for it needs no model. Intervals are calibrated as live, on what had come by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from veridict.control.blocks import F64
from veridict.control.calibration import Calibration
from veridict.control.horizons import HIGH, LEVELS, LOW, POINT


@dataclass(frozen=True, slots=True)
class Trial:
    """Of one horizon over `blocks` forecasts."""

    horizon: int
    blocks: int
    error: float
    formula_error: float
    pinball: float
    formula_pinball: float
    covered: float
    by_model: float  # share of the blocks on which the model had not fallen back

    @property
    def gain(self) -> float:
        """How much lower the mean absolute percentage error is than the formula's."""
        return 1.0 - self.error / self.formula_error

    @property
    def pinball_gain(self) -> float:
        return 1.0 - self.pinball / self.formula_pinball


def said_live(said: F64, actual: F64, held: Calibration) -> tuple[F64, F64]:
    """What would have been told: quantiles float64[n, 3], and whether by the model, [n].

    `said`: the model's answers; `actual`: the log ratios that came `held.horizon` blocks later.
    """
    told, by_model = np.empty_like(said), np.empty(len(said))
    came = actual.tolist()
    for block, raw in enumerate(said.tolist()):
        if block >= held.horizon:
            # What is compared is the ratio: the formula's fee stands at log 0.
            held.came(block, came[block - held.horizon])
        quantiles = (raw[0], raw[1], raw[2])
        told[block] = held.calibrated(quantiles)
        by_model[block] = not held.fallen_back
        held.said(block, 0.0, quantiles)
    return told, by_model


def judge(told: F64, by_model: F64, actual: F64, held: Calibration) -> Trial:
    """Compare what was told with what came; the same rows in all."""
    usual = np.array([held.usual])
    flat = np.zeros(len(actual))
    return Trial(
        held.horizon,
        len(actual),
        _error(told[:, POINT], actual),
        _error(flat, actual),
        _pinball(told, actual),
        _pinball(np.repeat(usual, len(actual), axis=0), actual),
        float(((told[:, LOW] <= actual) & (actual <= told[:, HIGH])).mean()),
        float(by_model.mean()),
    )


def _error(said: F64, actual: F64) -> float:
    return float(np.abs(np.expm1(said - actual)).mean())


def _pinball(said: F64, actual: F64) -> float:
    """Mean pinball loss over LEVELS."""
    wrong = cast(F64, -np.expm1(said - actual[:, None]))
    levels = np.array(LEVELS)
    return float(np.maximum(levels * wrong, (levels - 1.0) * wrong).mean())
