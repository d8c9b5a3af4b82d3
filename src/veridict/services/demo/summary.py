"""What the demo saw, kept with the node, so that a second run tells it without doing it again."""

from __future__ import annotations

import msgspec

from veridict.ledger.log import Log

KEY = "demo.summary"


class TamperingSeen(msgspec.Struct, frozen=True):
    name: str
    title: str
    finding: str
    caught: bool


class DisputeSeen(msgspec.Struct, frozen=True):
    """Scores in units of 2^-32; amounts in wei; `honest_refusal` is the judge's reason."""

    claimed: int
    actual: int
    slashed_wei: str
    judge_gas: int
    honest_refusal: str


class SampleSeen(msgspec.Struct, frozen=True):
    """Payments settled on chain, by outcome; gas of one settlement by assurance tier."""

    allowed: int
    review: int
    held: int
    released_by_human: int
    refused_by_human: int
    cheat_refused: str
    signed_gas: int
    anchored_gas: int


class PeriodSeen(msgspec.Struct, frozen=True):
    label: str
    predictions: int
    positives: int
    precision: float | None
    recall: float | None


class CheckSeen(msgspec.Struct, frozen=True):
    number: int
    title: str
    examined: int
    passed: bool


class Summary(msgspec.Struct, frozen=True):
    """Rates are of this run on this machine; gas is exact."""

    scenario: str
    data: str
    notices: tuple[str, ...]
    model_id: str
    model_bytes: int
    rows_agreeing: int
    rows_compared: int
    register_gas: int
    predictions: int
    allowed: int
    reviewed: int
    held: int
    per_second: float
    precision: float | None
    recall: float | None
    periods: tuple[PeriodSeen, ...]
    anchors: int
    anchor_gas: int
    gas_per_prediction: float
    sample: SampleSeen
    checks: tuple[CheckSeen, ...]
    tamperings: tuple[TamperingSeen, ...]
    dispute: DisputeSeen

    @property
    def clean(self) -> bool:
        """The honest log passed, every lie was found, the false score was slashed."""
        return (
            all(check.passed for check in self.checks)
            and all(tampering.caught for tampering in self.tamperings)
            and self.rows_agreeing == self.rows_compared
            and self.dispute.claimed != self.dispute.actual
            and bool(self.dispute.honest_refusal)
            and bool(self.sample.cheat_refused)
        )


def keep_summary(log: Log, summary: Summary) -> None:
    log.meta_put(KEY, msgspec.json.encode(summary))


def summary_of(log: Log, scenario: str, data: str) -> Summary | None:
    """What an earlier run of this scenario over this log saw, if one came to its end."""
    stored = log.meta_get(KEY)
    if stored is None:
        return None
    summary = msgspec.json.decode(stored, type=Summary)
    return summary if (summary.scenario, summary.data) == (scenario, data) else None
