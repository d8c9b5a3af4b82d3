"""The nouns, in the order in which they come to exist for one prediction.

    Request → (features) → score → Decision → PredictionRecord → Payload → Receipt

All are frozen; a value that exists is valid. A score is an integer: the model's
raw output in fixed point, in units of 2^-SCORE_BITS. Times are integer
milliseconds since the Unix epoch (`*_ms`) or whole seconds (`*_s`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from veridict.core.codec import SALT_BYTES, TAG_INPUTS, TAG_REQUEST, commit
from veridict.core.errors import BadInput

SCORE_BITS = 32
SCORE_ONE = 1 << SCORE_BITS
NO_REASON = 0xFFFF
REASONS = 3

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


class Decision(IntEnum):
    """What is to be done; ordered by severity."""

    ALLOW = 0
    REVIEW = 1
    HOLD = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class RecordState(IntEnum):
    """A record's life: the furthest it has come; WITNESSED where a policy asks for witnesses.

    A chain reorganisation moves it back from ANCHORED to what it was before.
    """

    LOCAL = 0
    DURABLE = 1
    CHECKPOINTED = 2
    WITNESSED = 3
    ANCHORED = 4
    FINAL = 5

    @property
    def word(self) -> str:
        return self.name.lower()


class Stage(IntEnum):
    """The seven stages of one prediction; the same words everywhere."""

    REQUEST = 1
    FEATURES = 2
    SCORE = 3
    COMMIT = 4
    LOG = 5
    ACT = 6
    AUDIT = 7

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Request:
    """What a decision is asked about: one payment, one application.

    `content` is canonical: JSON for off-chain requests, ABI words for payments
    held by a guard contract. `subject` names whose data it is.
    """

    id: str
    subject: str
    time_s: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Policy:
    """Two thresholds on the raw score: below `review_at` allow, from `hold_at` hold."""

    review_at: int
    hold_at: int

    def __post_init__(self) -> None:
        if not INT64_MIN <= self.review_at <= self.hold_at <= INT64_MAX:
            raise BadInput(
                f"review_at {self.review_at} and hold_at {self.hold_at} are not ordered int64",
                remedy="choose review_at <= hold_at, both raw scores",
            )

    def decide(self, score: int) -> Decision:
        if score >= self.hold_at:
            return Decision.HOLD
        return Decision.REVIEW if score >= self.review_at else Decision.ALLOW

    def at(self, inputs: bytes) -> Policy:
        """The thresholds of the row with these packed inputs: here one pair for all."""
        return self

    def possible(self, score: int) -> frozenset[Decision]:
        """What may be decided about a row of which only the score is known."""
        return frozenset((self.decide(score),))

    def strictest(self) -> Policy:
        """What decides no row milder than this does, by the score alone."""
        return self


_RECORD = struct.Struct(">BB3HQQq32s32s32s")
RECORD_BYTES = 128
RECORD_KIND = 0x01
assert _RECORD.size == RECORD_BYTES


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """The leaf that is logged: 128 bytes, four EVM words, no personal data.

        word 0  kind 1B │ decision 1B │ reasons 3×u16 │ sequence u64 │ time_ms u64 │ score i64
        word 1  model_id     SHA-256 of the canonical model bytes
        word 2  request      commit("R", request_salt, request.content)
        word 3  inputs       commit("I", inputs_salt, input image bytes)

    `sequence` counts the issuer's predictions from 0 without gaps. `reasons`
    are feature numbers, strongest first, NO_REASON where there is none.
    """

    decision: Decision
    reasons: tuple[int, int, int]
    sequence: int
    time_ms: int
    score: int
    model_id: bytes
    request: bytes
    inputs: bytes

    def encode(self) -> bytes:
        return _RECORD.pack(
            RECORD_KIND, self.decision, *self.reasons, self.sequence, self.time_ms,
            self.score, self.model_id, self.request, self.inputs,
        )  # fmt: skip

    @classmethod
    def decode(cls, body: bytes) -> PredictionRecord:
        """Raises BadInput unless `body` is exactly one valid prediction record."""
        if len(body) != RECORD_BYTES or body[0] != RECORD_KIND:
            raise BadInput(
                f"{len(body)} bytes of kind {body[:1].hex() or 'none'} are no prediction record",
                remedy=f"pass the {RECORD_BYTES} bytes of a record of kind {RECORD_KIND:#04x}",
            )
        _, decision, r0, r1, r2, sequence, time_ms, score, model, request, inputs = _RECORD.unpack(
            body
        )
        if decision > Decision.HOLD:
            raise BadInput(
                f"decision byte {decision} is unknown", remedy="the record was altered or is newer"
            )
        return cls(
            Decision(decision), (r0, r1, r2), sequence, time_ms, score, model, request, inputs
        )


TRIAL_KIND = 0x02


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A prediction that nobody acts on: a pilot's, or a challenger's beside the model at work.

    The same 128 bytes but for the kind: no guard and no judge takes it. A pilot counts its own
    trials in `sequence`; a challenger repeats sequence and commitments of the prediction that it
    stands beside, whose payload opens both.
    """

    prediction: PredictionRecord

    @property
    def time_ms(self) -> int:
        return self.prediction.time_ms

    def encode(self) -> bytes:
        return bytes([TRIAL_KIND]) + self.prediction.encode()[1:]

    @classmethod
    def decode(cls, body: bytes) -> TrialRecord:
        """Raises BadInput unless `body` is exactly one valid trial record."""
        if body[:1] != bytes([TRIAL_KIND]):
            raise BadInput("this is no trial record", remedy="pass a record of kind 0x02")
        return cls(PredictionRecord.decode(bytes([RECORD_KIND]) + body[1:]))


@dataclass(frozen=True, slots=True)
class Payload:
    """What opens a record's commitments. Kept apart from the log, so that it can be erased.

    `inputs` is the canonical input image: one big-endian u64 a feature.
    """

    request: Request
    request_salt: bytes
    inputs: bytes
    inputs_salt: bytes

    def __post_init__(self) -> None:
        if len(self.request_salt) != SALT_BYTES or len(self.inputs_salt) != SALT_BYTES:
            raise BadInput("salts are 32 bytes", remedy="draw salts with os.urandom(32)")

    def opens_request(self, record: PredictionRecord) -> bool:
        return commit(TAG_REQUEST, self.request_salt, self.request.content) == record.request

    def opens_inputs(self, record: PredictionRecord) -> bool:
        return commit(TAG_INPUTS, self.inputs_salt, self.inputs) == record.inputs


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint stored on chain: `root` of the first `size` leaves of log `log_id`."""

    chain_id: int
    contract: str
    log_id: bytes
    size: int
    root: bytes
    time_s: int
    tx_hash: str
    block_number: int
    block_hash: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found wrong. `code` is stable, e.g. "record.altered"."""

    code: str
    where: str
    expected: str
    found: str

    def sentence(self) -> str:
        return f"{self.code} at {self.where}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered check. It passes only if it examined something and found nothing wrong.

    `notes` tell what it met that is no fault and must not go unsaid, such as erased data.
    """

    number: int
    title: str
    examined: int
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.examined > 0 and not self.findings
