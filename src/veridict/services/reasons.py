"""Why a prediction is what it is, for people: its recorded reasons as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from veridict.core.nouns import NO_REASON, SCORE_ONE, Decision, Payload, PredictionRecord
from veridict.models.image import float_of, unpack
from veridict.services import views
from veridict.services.node import Node
from veridict.services.usual import Usual, usual, usual_view


def reason_views(
    node: Node,
    index: int,
    record: PredictionRecord,
    payload: Payload | None,
    *,
    compare: bool = True,
) -> list[views.ReasonView]:
    """The recorded reasons with values and contributions, worked out again from the inputs.

    With `compare`, beside those of a case, what is usual: a person will have to decide.
    """
    model = node.model(record.model_id)
    if payload is None or model is None:
        return []
    images = unpack(payload.inputs, model.n_features)
    features, contributions = model.explain(images)
    values = images[0].tolist()
    names = node.feature_names(record.model_id)
    told = [
        (feature, contribution)
        for feature, contribution in zip(
            features[0].tolist(), contributions[0].tolist(), strict=True
        )
        if feature != NO_REASON
    ]
    beside: Sequence[Usual | None] = [None] * len(told)
    if compare and record.decision is not Decision.ALLOW:
        asked = [feature for feature, _ in told]
        beside = usual(node.log, index, record, payload.request.subject, asked)
    return [
        views.ReasonView(
            feature=names[feature] if feature < len(names) else f"feature {feature}",
            value=f"{float_of(values[feature]):g}",
            contribution=contribution / SCORE_ONE,
            text=node.face.reason(feature, float_of(values[feature])),
            usual=None if found is None else usual_view(node.face, feature, found),
        )
        for (feature, contribution), found in zip(told, beside, strict=True)
    ]
