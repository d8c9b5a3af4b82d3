"""Checks 5, 7 and 8: numbered without a gap, scored and decided as claimed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from veridict.core.nouns import Payload, PredictionRecord, TrialRecord
from veridict.models.canonical import CanonicalModel
from veridict.models.image import unpack
from veridict.services.audit.models import Models
from veridict.services.audit.walk import Notes, Row, Verdict

Opened = tuple[int, PredictionRecord, Payload]
Seen = tuple[int, PredictionRecord, Payload | None]


def predictions(rows: Sequence[Row]) -> Iterator[Seen]:
    for row in rows:
        if isinstance(row.record, PredictionRecord):
            yield row.index, row.record, row.payload


def scored(rows: Sequence[Row]) -> Iterator[Seen]:
    """Predictions, and trials that bring their own inputs: a pilot's."""
    for row in rows:
        if isinstance(row.record, PredictionRecord):
            yield row.index, row.record, row.payload
        elif isinstance(row.record, TrialRecord) and row.payload is not None:
            yield row.index, row.record.prediction, row.payload


class Sequences:
    title = "predictions are numbered without a gap"

    def __init__(self, models: Models) -> None:
        self._notes = Notes()
        self._next = 0

    def see(self, rows: Sequence[Row]) -> None:
        for index, record, _ in predictions(rows):
            self._notes.examined += 1
            if record.sequence != self._next:
                self._notes.wrong(
                    "sequence.gap", f"record {index}", str(self._next), str(record.sequence)
                )
            self._next = record.sequence + 1

    def verdict(self) -> Verdict:
        return self._notes.verdict()


class Scores:
    title = "the models, run again, give the same scores and reasons"

    def __init__(self, models: Models) -> None:
        self._models = models
        self._notes = Notes()

    def see(self, rows: Sequence[Row]) -> None:
        for model, batch in _by_model(self._models, rows):
            fitting = [seen for seen in batch if self._fits(model, seen)]
            if not fitting:
                continue
            packed = b"".join(payload.inputs for _, _, payload in fitting)
            images = unpack(packed, model.n_features)
            for (index, record, _), score in zip(
                fitting, model.score(images).tolist(), strict=True
            ):
                self._notes.examined += 1
                if score != record.score:
                    where = f"prediction {record.sequence} at record {index}"
                    self._notes.wrong("score.false", where, str(score), str(record.score))
            annex = self._models.annexes.get(model.id)
            if annex is not None:
                self._compare_reasons(fitting, model.explain(images, annex)[0].tolist())

    def verdict(self) -> Verdict:
        return self._notes.verdict()

    def _compare_reasons(self, batch: list[Opened], reasons: list[list[int]]) -> None:
        for (index, record, _), due in zip(batch, reasons, strict=True):
            if list(record.reasons) != due:
                where = f"prediction {record.sequence} at record {index}"
                self._notes.wrong("reasons.false", where, str(due), str(list(record.reasons)))

    def _fits(self, model: CanonicalModel, seen: Opened) -> bool:
        index, _, payload = seen
        if len(payload.inputs) == 8 * model.n_features:
            return True
        self._notes.wrong(
            "payload.inputs",
            f"record {index}",
            f"{8 * model.n_features} bytes of inputs",
            f"{len(payload.inputs)}",
        )
        return False


class Decisions:
    title = "decisions follow from scores by the registered policy"

    def __init__(self, models: Models) -> None:
        self._models = models
        self._notes = Notes()

    def see(self, rows: Sequence[Row]) -> None:
        for index, record, payload in scored(rows):
            active = self._models.active.get(record.model_id)
            if active is None:
                continue  # `Models` has named the unregistered model
            self._notes.examined += 1
            if payload is None:  # the segment is not known: it must be one of what they decide
                due = active.policy.possible(record.score)
            else:
                due = frozenset((active.policy.at(payload.inputs).decide(record.score),))
            if record.decision not in due:
                where = f"prediction {record.sequence} at record {index}"
                told = " or ".join(decision.word for decision in sorted(due))
                self._notes.wrong("decision.false", where, told, record.decision.word)

    def verdict(self) -> Verdict:
        return self._notes.verdict()


def _by_model(models: Models, rows: Sequence[Row]) -> Iterator[tuple[CanonicalModel, list[Opened]]]:
    batches: dict[bytes, list[Opened]] = {}
    for index, record, payload in scored(rows):
        if payload is not None:
            batches.setdefault(record.model_id, []).append((index, record, payload))
    for model_id, batch in batches.items():
        model = models.runnable.get(model_id)
        if model is not None:
            yield model, batch
