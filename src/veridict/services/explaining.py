"""One prediction explained in full: what each feature is worth to its score, exactly.

Compared with the records before it, as everybody knew them then (`services.usual`): their
mean score, plus each feature's Shapley value, is the score. Made from model and payloads
alone, so that anyone who has them finds the same fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from veridict.core.errors import NotFound, Refused, UnsupportedModel
from veridict.core.nouns import PredictionRecord
from veridict.ledger.log import Log
from veridict.models.canonical import CanonicalModel, TreeModel
from veridict.models.image import float_of, unpack
from veridict.models.shapley import Attribution, shapley
from veridict.models.shelf import Shelf
from veridict.services.papers.files import registration
from veridict.services.records import decode
from veridict.services.usual import Usual, shown_inputs, usual

BACKGROUND = 64


@dataclass(frozen=True, slots=True)
class Part:
    """One feature: its value in this row, what is usual, and its Shapley value in 2^-32."""

    feature: str
    value: float
    usual: Usual
    worth: Fraction


@dataclass(frozen=True, slots=True)
class Explained:
    """`base` + the sum of all `parts` = `score`, exactly. `parts`: the largest magnitude first."""

    record: PredictionRecord
    base: Fraction
    background: int
    parts: tuple[Part, ...]

    @property
    def score(self) -> int:
        return self.record.score


def explain(log: Log, shelf: Shelf, index: int) -> Explained:
    """Raises NotFound where `index` is no prediction or erased, Refused where none is before it.

    Only trees with one output have their score explained so: UnsupportedModel otherwise.
    """
    record, inputs, subject = _prediction(log, index)
    model = CanonicalModel(shelf.need(record.model_id)[0])
    trees = model.parts
    if not isinstance(trees, TreeModel) or trees.n_outputs > 1:
        raise UnsupportedModel(
            "Shapley values are worked out for trees with one output",
            remedy="read the recorded reasons on the prediction's page",
        )
    before = shown_inputs(log, range(max(0, index - BACKGROUND), index), record.model_id)
    if not before:
        raise Refused(
            f"no prediction stands before record {index} to compare it with",
            remedy="choose a later one",
            reason="nothing to compare with",
        )
    row, background = _images(inputs, trees), [_images(other, trees) for other in before]
    found: Attribution = shapley(trees, row, background)
    names = registration(log, record.model_id).model_card().features
    compared = usual(log, index, record, subject, range(trees.n_features))
    parts = [
        Part(name, float_of(image), beside, worth)
        for name, image, beside, worth in zip(names, row, compared, found.values, strict=True)
    ]
    ranked = sorted(parts, key=lambda part: -abs(part.worth))
    return Explained(record, found.base, len(background), tuple(ranked))


def _prediction(log: Log, index: int) -> tuple[PredictionRecord, bytes, str]:
    record, payload = decode(log.body(index)), log.payload(index)
    if not isinstance(record, PredictionRecord) or payload is None:
        raise NotFound(
            f"record {index} is no prediction, or was erased",
            remedy="choose a prediction",
            index=index,
        )
    return record, payload.inputs, payload.request.subject


def _images(inputs: bytes, trees: TreeModel) -> list[int]:
    images: list[int] = unpack(inputs, trees.n_features)[0].tolist()
    return images
