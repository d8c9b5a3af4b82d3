"""What page, API and command line show of cases: plain values, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

from veridict.services.views import PredictionRow


@dataclass(frozen=True, slots=True)
class ActView:
    """A human act on a case; `index` is its own record in the log.

    `suppression` is the record by which a release also stops alerts like it, where it does.
    """

    act: str
    by: str
    note: str
    time_ms: int
    index: int
    suppression: int | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """What a person did short of deciding: `step` is assign, note or export. `to`: to whom."""

    step: str
    by: str
    note: str
    to: str
    time_ms: int
    index: int


@dataclass(frozen=True, slots=True)
class CaseView:
    """A prediction that waits for a human (`open`), was `released` or `confirmed` by one, or was
    `suppressed` as another one was that a person cleared.

    `decision` is the severest of the model's and the detectors', which say `alerts`. Amounts in
    minor units; `expected_loss` is probability times amount. `last`: the newest record about it,
    which an act on it may name as seen. `linked`: other cases of its group. `stopped_by` and
    `stops` are suppressions.
    """

    row: PredictionRow
    status: str
    payment_id: int | None
    acts: list[ActView]
    decision: str = ""
    alerts: list[str] = field(default_factory=list)
    last: int = 0
    amount_minor: int | None = None
    expected_loss_minor: int | None = None
    assigned: str = ""
    steps: list[StepView] = field(default_factory=list)
    linked: int = 0
    stopped_by: int | None = None
    stops: int | None = None


@dataclass(frozen=True, slots=True)
class NodeView:
    """An account: where it is drawn (0 to 1), whether the case names it, or the ring leads by."""

    account: str
    x: float
    y: float
    named: bool
    in_ring: bool


@dataclass(frozen=True, slots=True)
class EdgeView:
    """Payments from one account to another, by log index; `status` is the gravest of their cases:
    open, confirmed, released, suppressed, or "allowed" where none of them is a case.
    """

    payer: str
    payee: str
    payments: list[int]
    amount_minor: int
    status: str
    in_ring: bool


@dataclass(frozen=True, slots=True)
class TieView:
    """What two or more cases share: `what` is account, device, …; `which` names it."""

    what: str
    which: str
    cases: list[int]


@dataclass(frozen=True, slots=True)
class LinksView:
    """The group of a case: `cases` by index, what ties it to them, and the graph around it.

    `left_out`: cases of the group that the graph does not show.
    """

    index: int
    cases: list[int]
    ties: list[TieView]
    nodes: list[NodeView]
    edges: list[EdgeView]
    ring: list[str]
    left_out: int


@dataclass(frozen=True, slots=True)
class SuppressionView:
    """`state`: active, revoked, over (its time), spent (its count), or erased (its words)."""

    index: int
    case: int
    state: str
    reason: str
    payer: str
    payee: str
    up_to_minor: int | None
    since_ms: int
    until_ms: int
    most: int
    stopped: list[int]
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report that was handed out, and noted at record `index`: as JSON, its digest, as a page."""

    index: int
    sha256: str
    json: str
    page: str
