"""One prediction explained in full: what each feature is worth to its score, exactly.

Compared with the records before it, as everybody knew them then (`services.usual`): their
mean score, plus what each feature is worth (`models.worth`), is the score. Made from model and
payloads alone, so that anyone who has them finds the same fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from veridict.core.errors import NotFound, Refused
from veridict.core.nouns import PredictionRecord
from veridict.ledger.log import Log
from veridict.models.canonical import CanonicalModel
from veridict.models.image import float_of, unpack
from veridict.models.reference import scores
from veridict.models.shapley import Attribution
from veridict.models.shelf import Shelf
from veridict.models.worth import Method, method_of, worth
from veridict.services.papers.files import registration
from veridict.services.records import decode
from veridict.services.usual import Usual, shown_inputs, usual

BACKGROUND = 64


@dataclass(frozen=True, slots=True)
class Part:
    """One feature: its value in this row, what is usual, and what it is worth, in 2^-32."""

    feature: str
    value: float
    usual: Usual
    worth: Fraction


@dataclass(frozen=True, slots=True)
class Explained:
    """`base` + the sum of all `parts` = `score`, exactly. `parts`: the largest magnitude first.

    `score` is that of `output`, one of the model's `outputs`; where there are several, the record
    holds the number of the winning one instead.
    """

    record: PredictionRecord
    output: int
    outputs: int
    score: int
    base: Fraction
    background: int
    method: Method
    parts: tuple[Part, ...]


def explain(log: Log, shelf: Shelf, index: int, output: int | None = None) -> Explained:
    """Of a model with several outputs the winning one is explained, or `output`.

    Raises NotFound where `index` is no prediction or erased, Refused where none is before it,
    BadInput where the model has no such output.
    """
    record, inputs, subject = _prediction(log, index)
    model = CanonicalModel(shelf.need(record.model_id)[0]).parts
    before = shown_inputs(log, range(max(0, index - BACKGROUND), index), record.model_id)
    if not before:
        raise Refused(
            f"no prediction stands before record {index} to compare it with",
            remedy="choose a later one",
            reason="nothing to compare with",
        )
    row, *background = (_images(each, model.n_features) for each in (inputs, *before))
    if output is None:
        reached = scores(model, row)
        output = reached.index(max(reached))
    found: Attribution = worth(model, row, background, output)
    names = registration(log, record.model_id).model_card().features
    compared = usual(log, index, record, subject, range(model.n_features))
    parts = [
        Part(name, float_of(image), beside, value)
        for name, image, beside, value in zip(names, row, compared, found.values, strict=True)
    ]
    ranked = sorted(parts, key=lambda part: -abs(part.worth))
    return Explained(
        record,
        output,
        model.n_outputs,
        found.score,
        found.base,
        len(background),
        method_of(model),
        tuple(ranked),
    )


def _prediction(log: Log, index: int) -> tuple[PredictionRecord, bytes, str]:
    record, payload = decode(log.body(index)), log.payload(index)
    if not isinstance(record, PredictionRecord) or payload is None:
        raise NotFound(
            f"record {index} is no prediction, or was erased",
            remedy="choose a prediction",
            index=index,
        )
    return record, payload.inputs, payload.request.subject


def _images(inputs: bytes, n_features: int) -> list[int]:
    images: list[int] = unpack(inputs, n_features)[0].tolist()
    return images
