"""Credit: will this applicant default next month?

Scenario: 30,000 real card clients (UCI data set 350). Sex, education, marriage and age are
not used to decide; they are kept so that the metrics can be told per group.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib.resources import as_file, files
from typing import Any

import numpy as np

from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput
from veridict.core.nouns import Request
from veridict.models.thresholds import Choice
from veridict.watch.arrays import F64
from veridict.watch.mapping import Column, Kind
from veridict.watch.readers import read_rows
from veridict.watch.scenario import Costs, LabelFree, Settlement, Words
from veridict.watch.stream import Example, Shape, Table

LENDER = "lender"

NOTICES = (
    "Real decisions: UCI data set 350, I-Cheng Yeh and Che-hui Lien (2009), CC BY 4.0.",
    "The data have no dates: rows arrive in file order, one a minute, which is invented.",
    "Every row was granted credit: nothing is known of the applicants who were refused.",
    "Sex, education, marriage and age are not features; they serve the metrics per group.",
)


@dataclass(frozen=True, slots=True)
class Application:
    """Amounts in New Taiwan dollars; month 1 is the latest of six.

    `status_k`: months of delay (-2 no use, -1 paid in full, 0 minimum paid, 1.. late).
    """

    limit: int
    sex: int
    education: int
    marriage: int
    age: int
    status_1: int
    status_2: int
    status_3: int
    status_4: int
    status_5: int
    status_6: int
    bill_1: int
    bill_2: int
    bill_3: int
    bill_4: int
    bill_5: int
    bill_6: int
    paid_1: int
    paid_2: int
    paid_3: int
    paid_4: int
    paid_5: int
    paid_6: int


def _subject(id: str, application: Application) -> str:
    return id


SHAPE: Shape[Application] = Shape(Application, _subject)
COLUMNS = (
    Column("id", "id", Kind.TEXT),
    Column("time_s", "time_s", Kind.TIME),
    Column("label", "label", Kind.LABEL, required=False),
    *(Column(f.name, f.name, Kind.INTEGER) for f in fields(Application)),
)

MONTHS = range(1, 7)
FEATURE_NAMES = (
    "limit",
    *(f"status_{m}" for m in MONTHS),
    *(f"bill_{m}" for m in MONTHS),
    *(f"paid_{m}" for m in MONTHS),
    *(f"use_{m}" for m in MONTHS),
    "months_late",
    "worst_status",
    "paid_share",
)

SEX = {1: "male", 2: "female"}
EDUCATION = {1: "graduate school", 2: "university", 3: "high school"}
MARRIAGE = {1: "married", 2: "single"}


class CreditFeatures(LabelFree):
    """An `Extractor` without memory: one application tells nothing about the next."""

    def batch(self, rows: Table[Any]) -> F64:
        """float64[n, 28]."""
        limit = rows.integers("limit").astype(np.float64)
        status, bill, paid = (
            np.stack([rows.integers(f"{kind}_{m}") for m in MONTHS], axis=1).astype(np.float64)
            for kind in ("status", "bill", "paid")
        )
        billed = bill.sum(axis=1)
        share = np.divide(
            paid.sum(axis=1), billed, out=np.full(len(billed), np.nan), where=billed > 0
        )
        late = (status > 0).sum(axis=1).astype(np.float64)
        return np.column_stack(
            [limit, status, bill, paid, bill / limit[:, None], late, status.max(axis=1), share]
        )

    def save(self) -> bytes:
        return canonical_json({"features": "credit 1"})

    def restore(self, state: bytes) -> None:
        if state != self.save():
            raise BadInput("not a state of credit features", remedy="pass what save() returned")


class Credit:
    """A `Scenario`: the credit line that is asked for is paid out, looked at, or held."""

    name = "credit"
    title = "Credit: lines granted, looked at or held before they are paid out"
    data_name = "uci"
    shape = SHAPE
    words = Words(
        subject="application",
        subjects="applications",
        whom="applicant",
        event="default",
        allow="the credit line is paid out",
        review="a person decides about the credit line",
        hold="the credit line is held unless a person grants it",
    )
    notices = NOTICES
    # A default costs several times what a person's look at it does; see Costs for the unit.
    costs = Costs(missed=5, review=1, held=3)
    segments: Choice | None = None  # one pair for everybody: nobody's features move the bar
    feature_names = FEATURE_NAMES
    label_delay_s: int | None = None

    @property
    def croissant(self) -> bytes:
        return (files(__package__) / "data" / "uci_credit.croissant.json").read_bytes()

    def load(self) -> Table[Application]:
        with as_file(files(__package__) / "data" / "uci_credit.parquet") as path:
            return Table(read_rows(path, COLUMNS, (), SHAPE.schema), SHAPE)

    def extractor(self) -> CreditFeatures:
        return CreditFeatures()

    def groups(self, fields: Application) -> tuple[str, ...]:
        decade = min(max(fields.age // 10 * 10, 20), 60)
        return (
            f"sex: {SEX.get(fields.sex, 'other')}",
            f"education: {EDUCATION.get(fields.education, 'other')}",
            f"marriage: {MARRIAGE.get(fields.marriage, 'other')}",
            f"age: {decade} and more" if decade == 60 else f"age: {decade} to {decade + 9}",
        )

    def settlement(self, example: Example[Application]) -> Settlement:
        """The credit line, paid out by the lender."""
        return Settlement(LENDER, example.request.subject, example.fields.limit)

    def summary(self, request: Request) -> str:
        return f"a limit of {self.shape.fields(request).limit:,}"

    def reason_text(self, feature: int, value: float) -> str:
        return _sentence(FEATURE_NAMES[feature], value)

    def value_text(self, feature: int, value: float) -> str:
        return _short(FEATURE_NAMES[feature], value)


def _status(months: str, value: float) -> str:
    if value <= 0:
        return f"paid duly {months}"
    return f"{_months(value)} late {months}"


def _months(count: float) -> str:
    return "1 month" if count == 1 else f"{count:.0f} months"


def _short(name: str, value: float) -> str:
    if math.isnan(value):
        return "nothing"
    kind = name.split("_")[0]
    if name == "paid_share" or kind == "use":
        return f"{value:.0%}"
    if kind == "status" or name == "worst_status":
        return "paid duly" if value <= 0 else f"{_months(value)} late"
    return f"{value:,.0f}"


_WHOLE: dict[str, Callable[[float], str]] = {
    "limit": lambda v: f"the credit limit is {v:,.0f}",
    "months_late": lambda v: f"late in {v:.0f} of the last six months",
    "worst_status": lambda v: _status("at worst in six months", v),
    "paid_share": lambda v: f"paid back {v:.0%} of what was billed in six months",
}


def _sentence(name: str, value: float) -> str:
    if math.isnan(value):
        return "nothing was billed in six months"
    if name in _WHOLE:
        return _WHOLE[name](value)
    kind, month = name.split("_")
    ago = "in the latest month" if month == "1" else f"{_months(int(month) - 1)} before the latest"
    if kind == "status":
        return _status(ago, value)
    if kind == "use":
        return f"{value:.0%} of the limit was in use {ago}"
    return f"{value:,.0f} was {'billed' if kind == 'bill' else 'paid back'} {ago}"
