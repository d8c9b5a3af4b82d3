"""The seam between the plot and what it is about.

The services tell the same seven stages over any `Scenario`; what a row holds,
how features are drawn from it, who is paid and how a reason reads is known here
and below, never above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from veridict.core.nouns import Decision, Request
from veridict.models.thresholds import Choice
from veridict.watch.arrays import F64, I64
from veridict.watch.stream import Example, Shape, Table

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Words:
    """What is decided about and whom, and what the three decisions mean to those concerned."""

    subject: str
    subjects: str
    whom: str
    event: str
    allow: str
    review: str
    hold: str

    def meaning(self, decision: Decision) -> str:
        return (self.allow, self.review, self.hold)[decision]


@dataclass(frozen=True, slots=True)
class Costs:
    """What thresholds are chosen by, in units of one review by a person.

    `missed`: an event that was allowed. `review`: any row looked at.
    `held`: an honest row that was stopped without a look.
    """

    missed: int
    review: int
    held: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What moves on chain if the request is allowed. Amounts in minor units."""

    payer: str
    payee: str
    amount_minor: int


class Extractor(Protocol[F]):
    """Turns rows into features, in the order of time; the same in training and serving."""

    @property
    def label_delay_s(self) -> int | None:
        """When a row's label becomes a feature of later ones; None where labels never do."""

    def batch(self, rows: Table[F]) -> F64:
        """float64[n, n_features]. Call once for every row, in order; rows may come one by one.

        Row i sees rows 0..i and nothing later. Labels in `rows` are used, if at all, only
        for rows that come after the scenario's label delay. Raises BadStream if time falls.
        """

    def learn(self, known: Table[F], known_s: I64 | None = None) -> None:
        """Labels of rows seen before are known to rows from `known_s` on, int64[n]; now by default.

        With `known_s` the rows' times and the label delay, features get the bits that they have
        where rows bring their labels along. May be told any time before it counts.
        """

    def save(self) -> bytes:
        """The whole state, so that `restore` continues with the same bits."""

    def restore(self, state: bytes) -> None:
        """Raises BadInput if `state` is damaged or of another extractor."""


class LabelFree:
    """For extractors in which labels are no features."""

    label_delay_s: int | None = None

    def learn(self, known: Table[Any], known_s: I64 | None = None) -> None:
        """Nothing changes."""


class Scenario(Protocol[F]):
    """One use of the platform over one source of data."""

    @property
    def name(self) -> str:
        """Stable short name: "payments", "credit"."""

    @property
    def title(self) -> str: ...

    @property
    def data_name(self) -> str:
        """Which data: "amlsim", "fdh", "uci", or the file's name."""

    @property
    def words(self) -> Words: ...

    @property
    def costs(self) -> Costs: ...

    @property
    def segments(self) -> Choice | None:
        """By which costs and where thresholds may differ; None where one pair serves all."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What a reader must know: origin, licence, synthetic or real, traps."""

    @property
    def croissant(self) -> bytes | None:
        """The data's description as its publisher gives it; None for a user's own file."""

    @property
    def feature_names(self) -> tuple[str, ...]: ...

    @property
    def label_delay_s(self) -> int | None:
        """As its extractor's."""

    @property
    def shape(self) -> Shape[F]: ...

    def load(self) -> Table[F]:
        """All rows in the order of time. Raises BadStream or NotFound with what to do."""

    def extractor(self) -> Extractor[F]:
        """A fresh one, at the start of time."""

    def groups(self, fields: F) -> tuple[str, ...]:
        """The groups a row counts in for metrics per group, e.g. ("sex: female",)."""

    def settlement(self, example: Example[F]) -> Settlement: ...

    def summary(self, request: Request) -> str:
        """A few words on a request of this scenario. Raises BadInput for another's."""

    def reason_text(self, feature: int, value: float) -> str:
        """Feature number and its value as a sentence for the person concerned."""

    def value_text(self, feature: int, value: float) -> str:
        """The value alone, in the form it has in `reason_text`; NaN is "nothing"."""
