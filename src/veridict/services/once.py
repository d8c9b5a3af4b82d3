"""What is asked for twice is predicted once: a request's id stands for one row of features.

Whoever got no answer asks again and is told what was decided. The same id with other features
is refused, with the index of what it stands for; then nothing of the call is predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput, Refused
from veridict.core.nouns import Payload, PredictionRecord, Request
from veridict.models.image import image, pack
from veridict.services.node import Node
from veridict.services.records import decode


@dataclass(frozen=True, slots=True)
class Decided:
    """One request's prediction, where it stands in the log."""

    index: int
    record: PredictionRecord
    payload: Payload


def predict_once(
    node: Node, features: NDArray[np.float64], requests: Sequence[Request]
) -> list[Decided]:
    """One decision a row, made now or before. Raises Refused, and what `Node.predict` raises.

    An id is known as long as its payload is kept: what was erased is decided anew. Where
    several nodes share a log, each id must be sent to one of them.
    """
    n_features = node.at_work().model.n_features
    if features.shape != (len(requests), n_features):
        raise BadInput(
            f"features have shape {features.shape}, not ({len(requests)}, {n_features})",
            remedy="send one row a request and one number a feature, in the model card's order",
        )
    inputs = [pack(row) for row in image(features).reshape(len(requests), 1, n_features)]
    with node.lock:  # nobody predicts between the question and the answer
        names = [request.id for request in requests]
        found = node.log.find_requests(names)
        decided = {
            name: _as_asked(node, name, index, mine)
            for name, index, mine in zip(names, found, inputs, strict=True)
            if index is not None
        }
        new: dict[str, int] = {}
        for row, name in enumerate(names):
            if name not in decided and inputs[new.setdefault(name, row)] != inputs[row]:
                raise _taken(name, None)
        rows = list(new.values())
        if rows:
            for made in node.predict(features[rows], [requests[row] for row in rows]):
                name = made.payload.request.id
                decided[name] = Decided(made.index, made.record, made.payload)
    return [decided[name] for name in names]


def _as_asked(node: Node, name: str, index: int, inputs: bytes) -> Decided:
    """What stands at `index`, if it decided these very features."""
    record, payload = decode(node.log.body(index)), node.log.payload(index)
    if isinstance(record, PredictionRecord) and payload is not None and payload.inputs == inputs:
        return Decided(index, record, payload)
    raise _taken(name, index)


def _taken(name: str, index: int | None) -> Refused:
    where = {} if index is None else {"index": index}
    return Refused(
        f"the request id {name[:200]!r} stands for other features",
        remedy="give every request an id of its own; ask again with the same features",
        reason="id taken",
        **where,
    )
