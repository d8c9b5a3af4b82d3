"""Payments unlike those of the past, in no way that anybody named before.

Scenario: day one. There are no labels yet, or a fraud is of a new kind; what is rare in several
respects at once is worth a look.
Remedy: review, never hold: rare is not wrong. The reason names what is furthest from usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from veridict.core.errors import BadInput
from veridict.core.nouns import Decision
from veridict.models.canonical import CanonicalModel
from veridict.models.compile import compile_model
from veridict.models.image import image
from veridict.watch.arrays import F64
from veridict.watch.detectors.base import Alert, Example, Stateless, View

MIN_ROWS = 100
TREES, SAMPLES = 100, 256
MISSING = -1.0  # a plain value, so that "never before" is something to be unlike in
# Few and telling: among many idle features a forest rarely cuts the one that is odd.
FEATURES = (
    "amount", "payer_times_habit", "payer_deviations", "payee_times_habit", "payee_deviations",
    "payer_hour_count", "payer_hour_sum", "payee_hour_count", "payer_silence",
    "payer_part_of_day", "payee_history", "pair_age",
)  # fmt: skip

EXAMPLE = Example(
    (
        *((i * 601, f"c{i * i % 11}", f"s{i % 13}", 900 + i * 7919 % 4001) for i in range(300)),
        (181_000, "c1", "stranger", 900_000),
    ),
    alerts=(300,),
)


@dataclass(frozen=True, slots=True)
class Usual:
    """Of each feature, the middle and the width of all but its ends: float64[features] each."""

    middle: F64
    width: F64


class Anomaly(Stateless):
    """An isolation forest compiled to a canonical model, so its scores can be checked too."""

    name = "anomaly"
    needs: ClassVar[tuple[str, ...]] = FEATURES

    def __init__(self, model: CanonicalModel, review_at: int, usual: Usual) -> None:
        self.model, self.review_at, self._usual = model, review_at, usual

    @classmethod
    def learned_from(cls, past: View, share: float = 0.005, seed: int = 1) -> Anomaly:
        """Without labels, from payments as they came; alerts on about `share` of such.

        Raises BadInput below MIN_ROWS rows.
        """
        from sklearn.ensemble import IsolationForest  # seconds: only learning needs it

        if len(past.rows) < MIN_ROWS:
            raise BadInput(
                f"{len(past.rows)} payments are too few to know what is usual",
                remedy=f"let at least {MIN_ROWS} pass first",
            )
        x = _chosen(past)
        forest: Any = IsolationForest(
            n_estimators=TREES, max_samples=min(SAMPLES, len(x)), random_state=seed
        ).fit(x)
        compiled = compile_model(forest, feature_names=FEATURES)
        model = compiled.model
        scores = np.sort(model.score(image(x)))
        low, middle, high = np.quantile(x, (0.01, 0.5, 0.99), axis=0)
        usual = Usual(middle, np.maximum(high - low, 1e-3 * (1.0 + np.abs(middle))))
        return cls(model, int(scores[int(len(x) * (1.0 - share))]) + 1, usual)

    def judge(self, view: View) -> list[Alert]:
        x = _chosen(view)
        scores = self.model.score(image(x))
        return [
            Alert(row, self.name, Decision.REVIEW, self._reason(view, row, x[row]), 0.3)
            for row in np.flatnonzero(scores >= self.review_at).tolist()
        ]

    def _reason(self, view: View, row: int, x: F64) -> str:
        away = np.abs(x - self._usual.middle) / self._usual.width
        return f"unlike the past: {view.sentence(row, FEATURES[int(np.argmax(away))])}"


def _chosen(view: View) -> F64:
    """float64[rows, FEATURES], nothing missing."""
    x = view.x[:, [view.number(name) for name in FEATURES]]
    return np.where(np.isnan(x), MISSING, x)
