"""What the log's records say of each case: a fold, the same at opening as live."""

from __future__ import annotations

from dataclasses import dataclass, field

from veridict.core.nouns import Decision, PredictionRecord
from veridict.services.cases.records import (
    CaseRecord,
    RevocationRecord,
    SuppressedRecord,
    SuppressionRecord,
)
from veridict.services.feeding.records import VerdictRecord
from veridict.services.records import ActRecord, LogRecord

STATUS = {"release": "released", "confirm": "confirmed"}
STATUSES = ("open", "released", "confirmed", "suppressed")


@dataclass(slots=True)
class Case:
    """A prediction that a person must look at, and what persons did with it.

    `acts` decide it, `steps` do not; both with their log indexes, in the order of the log.
    `verdict` is what detectors said of it, where it was logged right behind.
    """

    index: int
    record: PredictionRecord
    acts: list[tuple[int, ActRecord]] = field(default_factory=list)
    steps: list[tuple[int, CaseRecord]] = field(default_factory=list)
    stopped: tuple[int, SuppressedRecord] | None = None
    verdict: tuple[int, VerdictRecord] | None = None

    @property
    def decision(self) -> Decision:
        """The severest of the model's and the detectors'."""
        said = (
            Decision.ALLOW if self.verdict is None else Decision[self.verdict[1].decision.upper()]
        )
        return max(self.record.decision, said)

    @property
    def status(self) -> str:
        if self.acts:
            return STATUS[self.acts[-1][1].act]
        return "open" if self.stopped is None else "suppressed"

    @property
    def last(self) -> int:
        """The log index of the latest record about it: who acts on another one is too late."""
        stopped = -1 if self.stopped is None else self.stopped[0]
        return max(self.index, stopped, *(at for at, _ in (*self.acts[-1:], *self.steps[-1:])))

    @property
    def assigned(self) -> int | None:
        """Where its latest assignment stands in the log."""
        return next((at for at, step in reversed(self.steps) if step.step == "assign"), None)


@dataclass(slots=True)
class Suppression:
    """One that was logged at `index`; `revoked` is the record that ended it early."""

    index: int
    record: SuppressionRecord
    stopped: list[int] = field(default_factory=list)
    revoked: int | None = None

    def is_active(self, now_ms: int) -> bool:
        record = self.record
        return self.revoked is None and now_ms < record.until_ms and len(self.stopped) < record.most


class Book:
    """All cases and suppressions of one log, by log index. Not thread-safe."""

    def __init__(self) -> None:
        self.cases: dict[int, Case] = {}
        self.suppressions: dict[int, Suppression] = {}
        self._before: tuple[int, PredictionRecord] | None = None

    @property
    def open_cases(self) -> int:
        return sum(case.status == "open" for case in self.cases.values())

    def see(self, index: int, record: LogRecord) -> None:
        """A record that names no case, or none that was logged before it, changes nothing."""
        if isinstance(record, PredictionRecord):
            self._before = (index, record)
            if record.decision is not Decision.ALLOW:
                self.cases[index] = Case(index, record)
        elif isinstance(record, VerdictRecord):
            if self._before is not None and self._before[0] == index - 1:
                case = self.cases.setdefault(index - 1, Case(*self._before))
                case.verdict = (index, record)
        elif isinstance(record, SuppressionRecord):
            self.suppressions[index] = Suppression(index, record)
        elif isinstance(record, RevocationRecord):
            if ended := self.suppressions.get(record.suppression):
                ended.revoked = index
        elif isinstance(record, ActRecord | CaseRecord | SuppressedRecord):
            self._touched(index, record)

    def _touched(self, index: int, record: ActRecord | CaseRecord | SuppressedRecord) -> None:
        case = self.cases.get(record.index)
        if case is None:
            return
        if isinstance(record, ActRecord):
            case.acts.append((index, record))
        elif isinstance(record, CaseRecord):
            case.steps.append((index, record))
        else:
            case.stopped = (index, record)
            if by := self.suppressions.get(record.suppression):
                by.stopped.append(case.index)
