"""What is usual for whom a prediction is about, and for everybody: beside each reason.

    own        the median over the subject's last OWN predictions before this one
    everybody  the median over the EVERYBODY records before this one

Both over the values that the model was shown, as the payloads keep them, by the
same model; missing values do not count. Of two middle values the lower is taken,
so that a median is a value that occurred and nothing is computed. Whoever has the
payloads finds the same; nothing of it is in any record, and nothing is kept: an
erased payload is gone from here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from veridict.core.nouns import PredictionRecord
from veridict.ledger.log import Log
from veridict.ledger.lookup import Query
from veridict.models.image import float_of
from veridict.services.face import Face
from veridict.services.records import is_prediction
from veridict.services.views import UsualView

OWN = 32
EVERYBODY = 256
MISSING = b"\0" * 8  # models.image: NaN


@dataclass(frozen=True, slots=True)
class Middle:
    """The median of `rows` values; None of none."""

    value: float | None
    rows: int


@dataclass(frozen=True, slots=True)
class Usual:
    """Of one feature."""

    own: Middle
    everybody: Middle


def usual(
    log: Log, index: int, record: PredictionRecord, subject: str, features: Sequence[int]
) -> list[Usual]:
    """For each of `features`, what was usual before the prediction at `index`."""
    asked = Query(subject=subject, model=record.model_id)
    own = log.find(asked, 0, index, most=OWN, newest=True) if subject else []
    theirs = shown_inputs(log, own, record.model_id)
    others = shown_inputs(log, range(max(0, index - EVERYBODY), index), record.model_id)
    return [Usual(_middle(theirs, feature), _middle(others, feature)) for feature in features]


def usual_view(face: Face, feature: int, found: Usual) -> UsualView:
    """`found` in words, e.g. "usually 120.50 for this payer (14 before), 88.00 for everybody"."""
    own, everybody = (
        None if middle.value is None else face.value(feature, middle.value)
        for middle in (found.own, found.everybody)
    )
    told = []
    if own is not None:
        before = f"last {OWN}" if found.own.rows == OWN else f"{found.own.rows} before"
        told.append(f"{own} for this {face.whom} ({before})")
    if everybody is not None:
        told.append(f"{everybody} for everybody")
    text = f"usually {', '.join(told)}" if told else ""
    return UsualView(own, found.own.rows, everybody, found.everybody.rows, text)


def shown_inputs(log: Log, indices: Sequence[int], model_id: bytes) -> list[bytes]:
    """The packed inputs of the predictions by this model whose payload is there."""
    return [
        inputs
        for body, inputs in log.shown(indices)
        if is_prediction(body) and body[32:64] == model_id
    ]


def _middle(rows: Sequence[bytes], feature: int) -> Middle:
    """Images have the order of the floats, so their median is the floats'."""
    cells = (inputs[8 * feature : 8 * feature + 8] for inputs in rows)
    values = [cell for cell in cells if len(cell) == 8 and cell != MISSING]
    if not values:
        return Middle(None, 0)
    return Middle(float_of(int.from_bytes(median_low(values), "big")), len(values))
