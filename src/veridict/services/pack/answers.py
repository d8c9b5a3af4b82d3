"""What is answered: one question, how it stands, on what evidence, and what could not be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from veridict.chain.contract import Contract
from veridict.core.nouns import Anchor, Check, Finding
from veridict.services.anchoring.places import Elsewhere
from veridict.services.audit.source import Copies, Source
from veridict.services.audit.walk import Row
from veridict.services.deploy import Network
from veridict.services.pack.layout import Claim
from veridict.services.pack.measured import Grouping
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table

NO_CHAIN = "not checked: no chain given"
NO_DATA = "not answerable from this pack: the rows themselves are not in it, and none were given"


class Standing(Enum):
    """How an answer stands. IN PART: nothing is wrong, and something could not be asked."""

    HOLDS = "holds"
    IN_PART = "in part"
    OPEN = "open"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class Told:
    """One line of evidence."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`examined` counts what the answer rests on; `unasked` says what was not, and why."""

    number: int
    question: str
    examined: int
    evidence: tuple[Told, ...]
    findings: tuple[Finding, ...] = ()
    unasked: tuple[str, ...] = ()

    @property
    def standing(self) -> Standing:
        if self.findings:
            return Standing.FAILS
        if not self.examined:
            return Standing.OPEN
        return Standing.IN_PART if self.unasked else Standing.HOLDS


@dataclass(slots=True)
class Case:
    """What is examined, and what the auditor brought: a chain, the data, heads seen elsewhere.

    `guards` are contracts bound to the chain's client; `on_chain` is what it says was anchored.
    `claims` are the keeper's, None where he makes none. Without `grouping` nothing is told by
    group. `earlier`: the pack is of some time ago, and what was anchored since does not count.
    `published` replays the log's files, `histories` compares heads seen elsewhere.
    """

    log: Source
    shelf: Copies
    operator: str
    opened: range
    network: Network | None = None
    since: int = 0
    elsewhere: Sequence[Elsewhere] = ()
    earlier: bool = False
    guards: Sequence[Contract] = ()
    data: Data | None = None
    grouping: Grouping | None = None
    claims: Sequence[Claim] | None = None
    published: Callable[[], list[Finding]] | None = None
    histories: Callable[[], list[Finding]] | None = None
    histories_known: int = 0
    on_chain: Sequence[Anchor] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Data:
    """The rows that were learned from and decided, as the auditor has them."""

    scenario: Scenario[Any]
    rows: Table[Any]


class Question(Protocol):
    """Sees every row once, in order, then answers; `checks` are the audit's nine, by number."""

    asked: str

    def see(self, rows: Sequence[Row]) -> None: ...

    def answer(self, number: int, checks: Sequence[Check]) -> Answer: ...


def picked(check: Check, *kinds: str) -> tuple[Finding, ...]:
    """The findings of `check` whose codes begin with one of `kinds`."""
    return tuple(found for found in check.findings if found.code.startswith(kinds))


def count(number: int, what: str, many: str | None = None) -> str:
    """`1 record`, `1,200 records`."""
    return f"{number:,} {what if number == 1 else many or what + 's'}"


def short(digest: str) -> str:
    return f"{digest[:16]}…"
