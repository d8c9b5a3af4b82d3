"""The log's JSON records: what is logged besides predictions.

    model        a model was registered on chain; carries its whole card
    anchor       a checkpoint was stored on chain
    anchor-lost  the chain took it back: its block was reorganised away
    act          a human released or confirmed a case
    erasure      a subject was forgotten: which payloads are gone
    outcomes     labels that arrived, for predictions logged before this record
    statement    what another system said, such as a prediction of its own
    case, …      what people do with a case: `services.cases.records`
    verdict, feed   what detectors say, what was not decided: `services.feeding.records`
    energy       what predictions and anchors cost: `services.energy`
    privacy      what an update to a federation costs its party: `services.federation.records`
    challenger, drift   what is tried beside the model at work, when data change: `services.trial`

A record is a canonical JSON object whose first key in the log's reading order
is told by `kind`; a prediction is binary (`core.nouns.PredictionRecord`), and so is a trial's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from veridict.core.codec import MAX_DEPTH, JsonValue, canonical_json, nesting
from veridict.core.errors import BadInput
from veridict.core.nouns import RECORD_KIND, TRIAL_KIND, PredictionRecord, TrialRecord
from veridict.models.card import ModelCard
from veridict.services.cases.records import (
    CaseRecord,
    RevocationRecord,
    SuppressedRecord,
    SuppressionRecord,
)
from veridict.services.energy import EnergyRecord
from veridict.services.federation.records import PrivacyRecord
from veridict.services.feeding.records import FeedRecord, VerdictRecord
from veridict.services.trial.records import ChallengerRecord, DriftRecord


class ModelRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="model"):
    """`card` is the model card's document; its digest stands in the registry contract."""

    model_id: str
    card: dict[str, Any]
    chain_id: int
    registry: str
    block_number: int
    time_ms: int

    @classmethod
    def of(
        cls, card: ModelCard, *, chain_id: int, registry: str, block_number: int, time_ms: int
    ) -> ModelRecord:
        document = msgspec.json.decode(card.encode())
        return cls(card.model_id, document, chain_id, registry, block_number, time_ms)

    def model_card(self) -> ModelCard:
        """Raises BadInput where the logged card is none."""
        return ModelCard.decode(canonical_json(self.card))


class _Anchor(msgspec.Struct, frozen=True, tag_field="kind"):
    size: int
    root: str
    chain_id: int
    contract: str
    tx_hash: str
    block_number: int
    time_ms: int


class AnchorRecord(_Anchor, frozen=True, tag="anchor"):
    """The log's head of `size` records stands on a chain."""


class LostAnchorRecord(_Anchor, frozen=True, tag="anchor-lost"):
    """The anchor of an earlier record, in the same words, is no longer on its chain."""


class ActRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="act"):
    """`index` is the log index of the prediction acted on, `said` commits to who and why.

    The words themselves are the record's payload: `services.sayings`.
    """

    act: Literal["release", "confirm"]
    index: int
    said: str
    payment_id: int | None
    tx_hash: str | None
    time_ms: int


# Why data is erased, after Article 17(1) of the GDPR. A closed list names nobody.
Ground = Literal["request", "retention", "consent", "unlawful", "order"]


class ErasureRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="erasure"):
    """`count` payloads are gone. `subject` commits to whose, `said` to which, by whom and why.

    The salt of `subject` came from the key that was destroyed, and the leaf lists no records:
    so nobody can tell from the log whose records these were, nor that they were one person's.
    """

    subject: str
    said: str
    count: int
    ground: Ground
    time_ms: int


class OutcomesRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="outcomes"):
    """Labels of the predictions in `spans` (sequence numbers, both ends inclusive).

    `positives` lists those in which the event happened; in all others it did not.
    """

    label: str
    time_s: int
    spans: list[tuple[int, int]]
    positives: list[int]
    time_ms: int


class StatementRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="statement"):
    """`said` commits to the bytes that were sent, in hex; its payload stands at its index."""

    said: str
    time_ms: int

    @staticmethod
    def body_of(said: bytes, time_ms: int) -> bytes:
        """As `encode`, without its checks: what comes by the thousand a second."""
        return b'{"kind":"statement","said":"%s","time_ms":%d}' % (said.hex().encode(), time_ms)


class NetworkRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="network"):
    """`event`: a finding's code, or "fell-back", "returned", "retrained", "kept", "posted"."""

    event: str
    block: int
    text: str
    time_ms: int


JsonRecord = (
    ModelRecord
    | AnchorRecord
    | LostAnchorRecord
    | ActRecord
    | ErasureRecord
    | OutcomesRecord
    | StatementRecord
    | NetworkRecord
    | VerdictRecord
    | FeedRecord
    | CaseRecord
    | SuppressionRecord
    | SuppressedRecord
    | RevocationRecord
    | ChallengerRecord
    | DriftRecord
    | PrivacyRecord
    | EnergyRecord
)
LogRecord = PredictionRecord | TrialRecord | JsonRecord

_decoder = msgspec.json.Decoder(JsonRecord)
# As `StatementRecord.body_of` writes them: 15 digits are fewer than canonical JSON allows.
_STATEMENT = re.compile(
    rb'\{"kind":"statement","said":"([0-9a-f]{64})","time_ms":(0|[1-9][0-9]{0,14})\}'
)


def encode(record: LogRecord) -> bytes:
    """The leaf's bytes. Raises BadInput for a value outside canonical JSON."""
    if isinstance(record, PredictionRecord | TrialRecord):
        return record.encode()
    document: JsonValue = msgspec.to_builtins(record)
    return canonical_json(document)


def decode(body: bytes) -> LogRecord:
    """Raises BadInput unless `body` is exactly what `encode` gives for some record."""
    if body[:1] == bytes([RECORD_KIND]):
        return PredictionRecord.decode(body)
    if body[:1] == bytes([TRIAL_KIND]):
        return TrialRecord.decode(body)
    if common := _STATEMENT.fullmatch(body):
        return StatementRecord(common[1].decode(), int(common[2]))
    try:
        if nesting(body) > MAX_DEPTH:  # a card holds whatever JSON: see `codec.parse_json`
            raise ValueError(f"it is nested deeper than {MAX_DEPTH}")
        record = _decoder.decode(body)
    except (msgspec.DecodeError, ValueError) as problem:
        raise BadInput(
            f"not a log record: {problem}", remedy="the record was altered or is newer"
        ) from problem
    if encode(record) != body:
        raise BadInput(
            "the record's JSON is not canonical", remedy="the record was altered after writing"
        )
    found: JsonRecord = record
    return found


def is_statement(body: bytes) -> bool:
    return body.startswith(b'{"kind":"statement",')


def is_trial(body: bytes) -> bool:
    return body[:1] == bytes([TRIAL_KIND])


def is_prediction(body: bytes) -> bool:
    return body[:1] == bytes([RECORD_KIND])


@dataclass(frozen=True, slots=True)
class Indexed:
    """A decoded record and its place in the log."""

    index: int
    record: LogRecord
