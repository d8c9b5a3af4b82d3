"""What detectors say of a prediction, logged right behind it; and read again."""

from __future__ import annotations

from veridict.core.nouns import Decision, Payload, PredictionRecord, Request
from veridict.ledger.log import Entry
from veridict.ledger.view import LogView
from veridict.services.feeding.records import AlertWords, VerdictRecord, VerdictWords
from veridict.services.records import decode, encode
from veridict.services.sayings import read_words, said, saying
from veridict.watch.detectors.base import Verdict

MAX_ALERTS = 32  # logged of one payment: the severest
MAX_REASON = 300  # characters of one


def verdict_entry(verdict: Verdict, record: PredictionRecord, request: Request) -> Entry | None:
    """None where no detector has anything to say: then the model's decision stands alone."""
    if not verdict.reasons:
        return None
    words = VerdictWords(
        [
            AlertWords(
                alert.detector,
                alert.decision.word,
                alert.reason[:MAX_REASON],
                round(1000 * alert.strength),
            )
            for alert in verdict.reasons[:MAX_ALERTS]
        ]
    )
    payload = saying(
        words,
        name=f"verdict on {record.request.hex()}",
        subject=request.subject or request.id,
        time_ms=record.time_ms,
    )
    held = max(record.decision, verdict.decision) is Decision.HOLD
    told = VerdictRecord(
        record.request.hex(), "hold" if held else "review", said(payload), record.time_ms
    )
    return Entry(encode(told), payload)


def verdict_on(
    log: LogView, index: int, record: PredictionRecord
) -> tuple[VerdictRecord, Payload | None] | None:
    """The verdict on the prediction at `index`, and its words unless erased; None without one."""
    if index + 1 >= log.size:
        return None
    body = log.body(index + 1)
    verdict = decode(body) if body[:1] == b"{" else None
    if not isinstance(verdict, VerdictRecord) or verdict.request != record.request.hex():
        return None
    return verdict, log.payload(index + 1)


def alerts_of(payload: Payload | None) -> list[AlertWords]:
    words = read_words(payload, VerdictWords)
    return words.alerts if words else []
