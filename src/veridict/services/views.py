"""What the dashboard and the CLI show of a node: plain values, ready for JSON.

Views are read models. Nothing here is evidence; evidence is the log, the
receipts and the chain (`services.audit`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from veridict.core.nouns import Finding


@dataclass(frozen=True, slots=True)
class UsualView:
    """A feature's usual value for the subject and for everybody; None where nothing is known."""

    own: str | None
    own_rows: int
    everybody: str | None
    everybody_rows: int
    text: str


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why: one feature's part in the score. `contribution` is in log-odds, as the raw score.

    `usual` is told where a person will look: for review and hold.
    """

    feature: str
    value: str
    contribution: float
    text: str
    usual: UsualView | None = None


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """One decision in a list. `probability` is for display; the decision was made on `score`."""

    index: int
    sequence: int
    time_ms: int
    request_id: str
    subject: str
    summary: str
    score: int
    probability: float
    decision: str
    reasons: list[ReasonView]
    state: str


@dataclass(frozen=True, slots=True)
class FoundView:
    """A record that a look-up found. What a record of its kind does not have is None.

    `erased_by` is the record that accounts for its erasure.
    """

    index: int
    kind: str
    leaf: str
    time_ms: int | None
    sequence: int | None
    model_id: str | None
    decision: str | None
    request_id: str | None
    subject: str | None
    erased_by: int | None


@dataclass(frozen=True, slots=True)
class ErasedView:
    """What an erasure did: `count` payloads gone, accounted for by record `index`.

    `salt` opens the commitment `subject`; it is told once and kept nowhere.
    """

    index: int
    count: int
    subject: str
    salt: str


@dataclass(frozen=True, slots=True)
class FactView:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class StageView:
    """One of the seven stages of one prediction. `done` is False where it has not happened yet."""

    stage: str
    title: str
    done: bool
    facts: list[FactView]


@dataclass(frozen=True, slots=True)
class PredictionView:
    row: PredictionRow
    stages: list[StageView]
    receipt_ready: bool


@dataclass(frozen=True, slots=True)
class ChainView:
    chain_id: int
    name: str
    block_number: int
    rpc_url: str | None
    operator: str
    balance_wei: str
    bond_wei: str
    contracts: dict[str, str]


@dataclass(frozen=True, slots=True)
class AnchorView:
    size: int
    root: str
    time_s: int
    block_number: int
    tx_hash: str
    gas_used: int
    chain: str = "home"
    chain_id: int = 0
    contract: str = ""
    state: str = "anchored"


@dataclass(frozen=True, slots=True)
class PlaceView:
    """One chain on which the log is anchored, as last seen. Amounts of wei are decimal strings.

    `standing` says what it does now. `accepted_wei` is the fee of gas at which it would post,
    "" for any. `saved_wei` compares with posting each anchor when its oldest record came.
    """

    name: str
    standing: str
    chain_id: int | None = None
    contract: str = ""
    operator: str = ""
    anchored: int = 0
    final: int = 0
    waiting: int = 0
    waited_s: float = 0.0
    deadline_s: float = 0.0
    fee_wei: str = ""
    accepted_wei: str = ""
    sent: str = ""
    posted: int = 0
    gas: int = 0
    spent_wei: str = "0"
    at_once_wei: str = "0"
    saved_wei: str = "0"
    problem: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class LogView:
    """`size` ≥ `checkpointed` ≥ `anchored` ≥ `final`, all counts of records.

    `witnessed` ≤ `checkpointed`, cosigned by the policy's quorum; None without a policy.
    """

    origin: str
    size: int
    checkpointed: int
    anchored: int
    final: int
    root: str
    verifier_key: str
    anchors: list[AnchorView]
    witnessed: int | None = None
    places: list[PlaceView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ActivityView:
    activity: str
    count: int
    cpu_s: float
    joules: float


@dataclass(frozen=True, slots=True)
class EnergyView:
    """Of this process since it started; `source`: "rapl", or "cpu-time model" where estimated."""

    source: str
    activities: list[ActivityView]


@dataclass(frozen=True, slots=True)
class StatusView:
    version: str
    scenario: str
    title: str
    words: dict[str, str]
    notices: list[str]
    model_id: str | None
    predictions: int
    counts: dict[str, int]
    open_cases: int
    rate_per_s: float
    started_ms: int
    demo: str
    chain: ChainView
    log: LogView
    energy: EnergyView | None = None


@dataclass(frozen=True, slots=True)
class ModelView:
    """The registered model: its card as a canonical document, and what the chain says of it."""

    model_id: str
    card: dict[str, object]
    n_features: int
    n_bytes: int
    chunks: int
    active: bool
    registered_at_block: int


@dataclass(frozen=True, slots=True)
class HistogramView:
    """Counts per bin of probability, one list a decision; `edges` has one more entry than bins."""

    edges: list[float]
    allow: list[int]
    review: list[int]
    hold: list[int]


@dataclass(frozen=True, slots=True)
class QualityPoint:
    """Precision and recall of review or hold in one period of a stream, by logged outcomes."""

    label: str
    time_s: int
    predictions: int
    positives: int
    flagged: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class RatePoint:
    time_ms: int
    per_s: float


@dataclass(frozen=True, slots=True)
class PlotsView:
    scores: HistogramView
    quality: list[QualityPoint]
    throughput: list[RatePoint]


@dataclass(frozen=True, slots=True)
class FindingView:
    code: str
    where: str
    expected: str
    found: str


def finding_view(finding: Finding) -> FindingView:
    return FindingView(finding.code, finding.where, finding.expected, finding.found)


@dataclass(frozen=True, slots=True)
class CheckView:
    """One numbered check of an audit: how many things it looked at, and what it found wrong.

    `notes` are no faults: what was erased, and which record accounts for it.
    """

    number: int
    title: str
    examined: int
    passed: bool
    findings: list[FindingView] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
