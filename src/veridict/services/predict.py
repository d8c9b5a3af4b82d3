"""One prediction, told once: request → features → score → commit → log → act → audit.

`predict` walks the first five stages for a batch; acting is `services.settle`
and a human's `services.cases`; `services.receipt.verify` and `services.audit`
walk the same stages backwards and need the receipt and the chain, not the
goodwill of the log's keeper.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from veridict.core.codec import SALT_BYTES, TAG_INPUTS, TAG_REQUEST, commit
from veridict.core.errors import BadInput
from veridict.core.nouns import Payload, Policy, PredictionRecord, Request, TrialRecord
from veridict.core.ports import Clock
from veridict.ledger.log import Entry, Log
from veridict.models.image import image, pack
from veridict.models.segments import decisions
from veridict.services.records import is_prediction


class Scorer(Protocol):
    """What predicts: a `CanonicalModel`, or in a dispute's demonstration one that lies."""

    @property
    def id(self) -> bytes: ...

    @property
    def n_features(self) -> int: ...

    def score(self, images: NDArray[np.uint64]) -> NDArray[np.int64]:
        """int64 [n], in units of 2^-32 of the raw output."""

    def explain(self, images: NDArray[np.uint64]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """Feature numbers and contributions, both [n, 3], strongest first."""


@dataclass(slots=True)
class Issuer:
    """Who predicts: one model under one policy, writing to one log, one sequence without gaps."""

    model: Scorer
    policy: Policy
    log: Log
    clock: Clock
    next_sequence: int
    on_trial: bool = False  # logged as trials, which nobody acts on
    _lock: threading.Lock = field(default_factory=threading.Lock)


class Prediction(msgspec.Struct, frozen=True):
    """One prediction as logged at `index`. `contributions` belong to `record.reasons`."""

    index: int
    record: PredictionRecord
    payload: Payload
    contributions: tuple[int, ...]


# What is logged right behind the prediction of a row, if anything: a verdict on it.
Beside = Callable[[int, PredictionRecord], Entry | None]


def predict(
    issuer: Issuer,
    requests: Sequence[Request],
    features: NDArray[np.float64],
    *,
    beside: Beside | None = None,
    last: Sequence[Entry] = (),
) -> list[Prediction]:
    """Score, commit and log `requests`; returns when every record is on disk.

    `features` is float64 [len(requests), model.n_features]; NaN means missing. What stands
    `beside` the predictions, and `last` behind all, is logged with them or not at all.
    Raises BadInput for another shape, StorageFailed if the log cannot write
    (then no prediction was made and no sequence number is used).
    """
    # 1 request, 2 features: the caller's; here they become the model's exact input
    images = _input_images(issuer.model, requests, features)
    # 3 score: integers, the same on every machine
    scores = issuer.model.score(images).tolist()
    reasons, contributions = issuer.model.explain(images)
    decided = decisions(issuer.policy, images, scores)
    # 4 commit: salted, so that the log tells nothing of whom it is about
    payloads = [
        Payload(request, request_salt, inputs, inputs_salt)
        for request, inputs, (request_salt, inputs_salt) in zip(
            requests, _rows(images), _salts(len(requests)), strict=True
        )
    ]
    # 5 log: durable before anyone hears of it
    with issuer._lock:
        now = issuer.clock()
        records = [
            PredictionRecord(
                decision,
                tuple(row),
                issuer.next_sequence + offset,
                now,
                score,
                issuer.model.id,
                commit(TAG_REQUEST, payload.request_salt, payload.request.content),
                commit(TAG_INPUTS, payload.inputs_salt, payload.inputs),
            )
            for offset, (decision, row, score, payload) in enumerate(
                zip(decided, reasons.tolist(), scores, payloads, strict=True)
            )
        ]
        entries, places = _entries(records, payloads, beside, issuer.on_trial)
        logged = issuer.log.append([*entries, *last])
        if logged.bodies is not None:  # numbered under the lock of a log that others write too
            read = _read_trial if issuer.on_trial else PredictionRecord.decode
            records = [read(logged.bodies[place]) for place in places]
        issuer.next_sequence = records[-1].sequence + 1
    return [
        Prediction(logged.first_index + place, record, payload, tuple(parts))
        for place, record, payload, parts in zip(
            places, records, payloads, contributions.tolist(), strict=True
        )
    ]


def _entries(
    records: Sequence[PredictionRecord],
    payloads: Sequence[Payload],
    beside: Beside | None,
    on_trial: bool,
) -> tuple[list[Entry], Sequence[int]]:
    """What is logged, and where the predictions are in it."""
    pairs = zip(records, payloads, strict=True)
    if on_trial:
        trials = [Entry(TrialRecord(record).encode(), payload) for record, payload in pairs]
        return trials, range(len(records))
    if beside is None:
        return [Entry(record.encode(), payload) for record, payload in pairs], range(len(records))
    entries: list[Entry] = []
    places: list[int] = []
    for row, (record, payload) in enumerate(pairs):
        places.append(len(entries))
        entries.append(Entry(record.encode(), payload))
        verdict = beside(row, record)
        if verdict is not None:
            entries.append(verdict)
    return entries, places


def _read_trial(body: bytes) -> PredictionRecord:
    return TrialRecord.decode(body).prediction


def next_sequence(log: Log) -> int:
    """One more than the sequence of the last prediction in `log`; 0 in a log without any."""
    step = 1024
    for stop in range(log.size, 0, -step):
        for body in reversed(list(log.bodies(max(0, stop - step), stop))):
            if is_prediction(body):
                return PredictionRecord.decode(body).sequence + 1
    return 0


def _input_images(
    model: Scorer, requests: Sequence[Request], features: NDArray[np.float64]
) -> NDArray[np.uint64]:
    if features.shape != (len(requests), model.n_features):
        raise BadInput(
            f"features have shape {features.shape}, the model wants "
            f"({len(requests)}, {model.n_features})",
            remedy="pass one row a request and one column a feature, in the model card's order",
        )
    return image(features)


def _rows(images: NDArray[np.uint64]) -> list[bytes]:
    width, packed = 8 * images.shape[1], pack(images)
    return [packed[at : at + width] for at in range(0, len(packed), width)]


def _salts(count: int) -> list[tuple[bytes, bytes]]:
    pool = os.urandom(2 * SALT_BYTES * count)
    return [
        (pool[at : at + SALT_BYTES], pool[at + SALT_BYTES : at + 2 * SALT_BYTES])
        for at in range(0, len(pool), 2 * SALT_BYTES)
    ]
