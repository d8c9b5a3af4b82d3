"""What people found out by deciding cases: labels, each from the moment when it was known."""

from __future__ import annotations

from dataclasses import dataclass

from veridict.services.cases.book import Book

LABELS = {"release": 0, "confirm": 1}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`label` 1: the person confirmed the decision; 0: they cleared it.

    `index` and `sequence` are the prediction's, `act` is where the act stands, `time_ms` when it
    was done: what comes before that cannot have known the label.
    """

    index: int
    sequence: int
    label: int
    act: int
    time_ms: int


def outcomes(book: Book) -> list[Outcome]:
    """In the order in which they became known. What a suppression stopped, nobody looked at."""
    found = [
        Outcome(case.index, case.record.sequence, LABELS[act.act], at, act.time_ms)
        for case in book.cases.values()
        for at, act in case.acts[-1:]
    ]
    return sorted(found, key=lambda outcome: outcome.act)
