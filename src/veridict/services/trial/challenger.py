"""A challenger scores what the model at work was shown, logs it beside, and acts on nothing.

Both see the same committed inputs: its trial repeats the commitments of the prediction that it
stands beside, so that the payload of that one opens both, and anybody can run it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from veridict.core.errors import BadInput, NotFound
from veridict.core.nouns import Policy, PredictionRecord, TrialRecord
from veridict.ledger.log import Entry, Log
from veridict.models.card import ModelCard
from veridict.models.image import unpack
from veridict.models.segments import decisions
from veridict.models.working import WorkingModel
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.records import is_prediction, is_trial
from veridict.services.trial.records import ChallengerRecord

BATCH = 512
Beside = tuple[PredictionRecord, bytes]  # a prediction, and the inputs that its payload holds


@dataclass(frozen=True, slots=True)
class Challenger:
    """A listener of `node`: `node.listeners.append(challenger)`. Call `catch_up` first."""

    node: Node
    model: WorkingModel
    policy: Policy

    def __call__(self, made: Sequence[Prediction]) -> None:
        champion = [p for p in made if p.record.model_id != self.model.id]
        self._log([(p.record, p.payload.inputs) for p in champion])

    def catch_up(self) -> int:
        """Score what was predicted since it began and it did not see; returns how many."""
        done = 0
        for batch in _batches(_unseen(self.node, self.model.id)):
            self._log(batch)
            done += len(batch)
        return done

    def _log(self, shown: Sequence[Beside]) -> None:
        """Predictions of another width are no rows for it: the model at work has changed."""
        width = 8 * self.model.n_features
        fitting = [(record, inputs) for record, inputs in shown if len(inputs) == width]
        if not fitting:
            return
        images = unpack(b"".join(inputs for _, inputs in fitting), self.model.n_features)
        scores, reasons = self.model.score(images), self.model.explain(images)[0]
        now_ms = self.node.parts.clock()
        told = scores.tolist()
        decided = decisions(self.policy, images, told)
        trials = [
            TrialRecord(
                replace(
                    record,
                    decision=decision,
                    reasons=(why[0], why[1], why[2]),
                    time_ms=now_ms,
                    score=score,
                    model_id=self.model.id,
                )
            )
            for (record, _), score, decision, why in zip(
                fitting, told, decided, reasons.tolist(), strict=True
            )
        ]
        with self.node.lock:
            self.node.log.append([Entry(trial.encode(), None) for trial in trials])
            self.node.follow()


def begin(node: Node, model: WorkingModel, card: ModelCard) -> Challenger:
    """From now on `model` challenges the one at work. Raises BadInput where it cannot.

    It must read the features of the one at work, in the same order. One that challenged before
    is dismissed.
    """
    at_work = node.at_work().model.id
    if card.model_id != model.id.hex():
        raise BadInput("the card is another model's", remedy="pass the card of this model")
    if model.id == at_work:
        raise BadInput("this model is at work", remedy="challenge it with another one")
    if card.features != node.feature_names(at_work):
        raise BadInput(
            "the challenger reads other features than the model at work",
            remedy="compare them with `veridict backtest`, or train it on the same feature sets",
        )
    node.parts.shelf.put(model.id, model.model.bytes, model.annex.encode())
    _say(node, card, "began")
    return Challenger(node, model, card.policy)


def end(node: Node) -> ModelCard:
    """Dismiss the challenger; returns its card. Raises NotFound where there is none."""
    card = card_of(node)
    _say(node, card, "ended")
    return card


def promoted(node: Node, card: ModelCard) -> None:
    """It is at work now, and challenges no more."""
    _say(node, card, "promoted")


def card_of(node: Node) -> ModelCard:
    """The challenger's. Raises NotFound where there is none."""
    if node.board.challenger is None:
        raise NotFound(
            "no model challenges the one at work",
            remedy="begin with `veridict challenger begin MODEL.vdm`",
        )
    return ModelCard.decode(msgspec.json.encode(node.board.challenger[1].card))


def join(node: Node) -> None:
    """Let the challenger that began in this log listen again, after what it missed."""
    if node.board.challenger is None or node.issuer is None:
        return
    card = card_of(node)
    model = node.model(bytes.fromhex(card.model_id))
    if model is not None:
        challenger = Challenger(node, model, card.policy)
        challenger.catch_up()
        node.listeners.append(challenger)


def _say(node: Node, card: ModelCard, event: Literal["began", "ended", "promoted"]) -> None:
    document = msgspec.json.decode(card.encode())
    node.append(ChallengerRecord(card.model_id, event, document, node.parts.clock()))


def _unseen(node: Node, model_id: bytes) -> Iterator[Beside]:
    """Predictions since it began behind the last that it stands beside, as far as they open."""
    assert node.board.challenger is not None
    began, log = node.board.challenger[0], node.log
    last = _last_beside(log, began, model_id)
    for index in range(began, log.size):
        body = log.body(index)
        if is_prediction(body) and body[32:64] != model_id:
            record = PredictionRecord.decode(body)
            payload = log.payload(index) if record.sequence > last else None
            if payload is not None:
                yield record, payload.inputs


def _last_beside(log: Log, began: int, model_id: bytes) -> int:
    """The sequence of the last prediction that has a trial of this model; -1 if none has."""
    for index in range(log.size - 1, began, -1):
        body = log.body(index)
        if is_trial(body) and body[32:64] == model_id:
            return TrialRecord.decode(body).prediction.sequence
    return -1


def _batches(rows: Iterator[Beside]) -> Iterator[list[Beside]]:
    batch: list[Beside] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
