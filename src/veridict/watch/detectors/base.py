"""What a detector sees, what it says, and how what several say becomes one verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from veridict.core.errors import BadInput
from veridict.core.nouns import Decision
from veridict.watch.arrays import F64
from veridict.watch.features.names import Feature
from veridict.watch.stream import Table


@dataclass(frozen=True, slots=True)
class View:
    """Payments with their features: x is float64[rows, features]."""

    rows: Table[Any]
    x: F64
    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        if self.x.shape != (len(self.rows), len(self.features)):
            raise BadInput(
                f"features {self.x.shape} for {len(self.rows)} rows and {len(self.features)} names",
                remedy="pass what the extractor gave for these rows",
            )

    def has(self, name: str) -> bool:
        return any(feature.name == name for feature in self.features)

    def number(self, name: str) -> int:
        """Which feature `name` is. Raises BadInput where no set in use has it."""
        for number, feature in enumerate(self.features):
            if feature.name == name:
                return number
        raise BadInput(
            f"there is no feature {name!r}",
            remedy="add the feature set that has it, or leave out who needs it",
            feature=name,
        )

    def feature(self, name: str) -> F64:
        """float64[rows]."""
        return np.asarray(self.x[:, self.number(name)])

    def sentence(self, row: int, name: str) -> str:
        number = self.number(name)
        return self.features[number].sentence(float(self.x[row, number]))


@dataclass(frozen=True, slots=True)
class Alert:
    """`row` counts from the view's first. `strength` from 0 to 1 orders reasons, no more."""

    row: int
    detector: str
    decision: Decision
    reason: str
    strength: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The severest decision of all alerts on a row; the strongest of the severest come first."""

    decision: Decision
    reasons: tuple[Alert, ...]


class Detector(Protocol):
    """Sees every payment once, in the order of time; says nothing where it sees nothing."""

    @property
    def name(self) -> str: ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the features it reads; empty if the rows are enough."""

    def judge(self, view: View) -> list[Alert]: ...

    def save(self) -> bytes:
        """What it remembers; empty if nothing."""

    def restore(self, state: bytes) -> None: ...


class Stateless:
    """For detectors whose memory is all in the features."""

    needs: ClassVar[tuple[str, ...]] = ()

    def save(self) -> bytes:
        return b""

    def restore(self, state: bytes) -> None:
        if state:
            raise BadInput("a state for a detector that has none", remedy="pass its own state")


@dataclass(frozen=True, slots=True)
class Example:
    """Payments (seconds, payer, payee, amount in cents), and the rows that must be alerted."""

    payments: tuple[tuple[int, str, str, int], ...]
    alerts: tuple[int, ...]


def verdicts(view: View, detectors: Sequence[Detector]) -> list[Verdict]:
    """One a row: what all detectors together say."""
    found: list[list[Alert]] = [[] for _ in range(len(view.rows))]
    for detector in detectors:
        for alert in detector.judge(view):
            found[alert.row].append(alert)
    return [_verdict(alerts) for alerts in found]


def _verdict(alerts: list[Alert]) -> Verdict:
    ranked = sorted(alerts, key=lambda a: (-a.decision, -a.strength, a.detector))
    decision = ranked[0].decision if ranked else Decision.ALLOW
    return Verdict(decision, tuple(ranked))
