"""One prediction as a row of a list."""

from __future__ import annotations

from veridict.core.nouns import Payload, PredictionRecord
from veridict.services import views
from veridict.services.board import probability
from veridict.services.node import Node
from veridict.services.reasons import reason_views
from veridict.services.seven import gone


def prediction_row(
    node: Node,
    index: int,
    record: PredictionRecord,
    payload: Payload | None,
    *,
    compare: bool = True,
) -> views.PredictionRow:
    """`decision` is the severest of the model's and the detectors', as the case has it."""
    case = node.board.cases.get(index)
    return views.PredictionRow(
        index=index,
        sequence=record.sequence,
        time_ms=record.time_ms,
        request_id=payload.request.id if payload else "",
        subject=payload.request.subject if payload else "",
        summary=node.face.summary(payload.request) if payload else gone(node, index),
        score=record.score,
        probability=probability(record.score),
        decision=(record.decision if case is None else case.decision).word,
        reasons=reason_views(node, index, record, payload, compare=compare),
        state=node.state(index).word,
    )
