"""What a claim says, and how it reaches the log: at once, or after a kill by whoever made it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from veridict.core.errors import BadInput
from veridict.core.nouns import Decision, PredictionRecord, Request
from veridict.ledger.log import Entry
from veridict.services.feeding.verdicts import verdict_entry
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.watch.arrays import F64
from veridict.watch.broker.base import Asked, Broker, Claim, SavedState, Told
from veridict.watch.detectors.base import Alert, Verdict, View

_FLOATS = np.dtype("<f8")


def claim_of(
    worker: str,
    epoch: int,
    through: int,
    state: SavedState | None,
    requests: Sequence[Request],
    names: Sequence[str],
    features: F64,
    verdicts: Sequence[Verdict],
) -> Claim:
    """`features` float64[len(requests), len(names)]."""
    told = [
        Told(row, alert.detector, int(alert.decision), alert.reason, alert.strength)
        for row, verdict in enumerate(verdicts)
        for alert in verdict.reasons
    ]
    asked = [Asked(r.id, r.subject, r.time_s, r.content) for r in requests]
    data = np.ascontiguousarray(features, _FLOATS).tobytes()
    return Claim(worker, epoch, through, state, tuple(asked), tuple(names), data, tuple(told))


def log_claim(node: Node, claim: Claim) -> list[Prediction]:
    """The decisions that `claim` announced, durable; those that are in the log already are not
    made again.

    Raises BadInput where another model is at work than the claim is for, StorageFailed.
    """
    known = node.log.find_requests([one.id for one in claim.asked])
    rows = [row for row, index in enumerate(known) if index is None]
    if not rows:
        return []
    names = node.feature_names(node.at_work().model.id)
    if names != claim.names:
        raise BadInput(
            "payments were claimed for a model that reads other features",
            remedy="put the model of before to work, let the worker finish, then change it",
        )
    x = np.frombuffer(claim.features, _FLOATS).reshape(len(claim.asked), len(names))
    asked = [claim.asked[row] for row in rows]
    requests = [Request(one.id, one.subject, one.time_s, one.content) for one in asked]
    verdicts = _verdicts(claim)
    if not any(verdicts):
        return node.predict(x[rows], requests)

    def verdict_on(row: int, record: PredictionRecord) -> Entry | None:
        return verdict_entry(verdicts[rows[row]], record, requests[row])

    return node.predict(x[rows], requests, beside=verdict_on)


def finish(node: Node, broker: Broker, worker: str) -> int:
    """Log what `worker` claimed before a kill and did not log; how many decisions that made."""
    key = f"workers:{worker}"
    place = int(node.log.meta_get(key) or b"0")
    made = 0
    for at, claim in broker.claims_of(worker, place):
        made += len(log_claim(node, claim))
        place = at
    finished(node, worker, place)
    return made


def finished(node: Node, worker: str, place: int) -> None:
    """All of the worker's claims up to `place` are in the log."""
    node.log.meta_put(f"workers:{worker}", str(place).encode())


def columns_of(names: Sequence[str], view: View) -> list[int]:
    """Which columns are the features of the model at work. Raises BadInput where one is not."""
    return [view.number(name) for name in names]


def _verdicts(claim: Claim) -> list[Verdict]:
    alerts: list[list[Alert]] = [[] for _ in claim.asked]
    for one in claim.told:
        decision = Decision(one.decision)
        alerts[one.row].append(Alert(one.row, one.detector, decision, one.reason, one.strength))
    return [
        Verdict(max((alert.decision for alert in some), default=Decision.ALLOW), tuple(some))
        for some in alerts
    ]
