"""The model at work and its challenger beside each other, by what the log knows by now."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from veridict.core.errors import NotFound
from veridict.core.nouns import NO_REASON, Decision, Payload, PredictionRecord, TrialRecord
from veridict.ledger.log import Log
from veridict.services.node import Node
from veridict.services.records import ActRecord, OutcomesRecord, decode, is_prediction, is_trial
from veridict.services.trial.challenger import card_of
from veridict.watch.arrays import I8, I64
from veridict.watch.outlook import Comparison, Decided, compare
from veridict.watch.scenario import Costs

LABELS = {"release": 0, "confirm": 1}
READ = 512


@dataclass(frozen=True, slots=True)
class _Pair:
    """`index` is the prediction's; `trial` what the challenger said of it."""

    index: int
    champion: PredictionRecord
    trial: PredictionRecord


def report(node: Node, costs: Costs) -> Comparison:
    """Of all predictions that both have scored. Raises NotFound where there are none."""
    began = node.board.challenger[0] if node.board.challenger else 0
    model_id = bytes.fromhex(card_of(node).model_id)
    pairs = _pairs(node.log, began, model_id)
    if not pairs:
        raise NotFound(
            "nothing was predicted since the challenger began",
            remedy="let `veridict watch` or `veridict up` decide some rows first",
        )
    known = labels_of(node.log)
    times_s, amounts = _moments(node.log, [pair.index for pair in pairs])
    labels = np.array([known.get(pair.champion.sequence, -1) for pair in pairs], np.int8)
    order = np.argsort(times_s, kind="stable")

    def decided(name: str, records: list[PredictionRecord]) -> Decided:
        decisions: I8 = np.array([record.decision for record in records], np.int8)[order]
        causes = [_cause(node, records[place]) for place in order.tolist()]
        return Decided(name, times_s[order], decisions, labels[order], amounts[order], causes)

    return compare(
        decided("model at work", [pair.champion for pair in pairs]),
        decided("challenger", [pair.trial for pair in pairs]),
        costs,
    )


def labels_of(log: Log) -> dict[int, int]:
    """By a prediction's sequence, its label as far as the log has heard; a person's word counts.

    What outcomes say of many is overruled by the act on a case.
    """
    told: dict[int, int] = {}
    acts: dict[int, int] = {}
    for body in log.bodies(0, log.size):
        if is_prediction(body) or is_trial(body):
            continue
        record = decode(body)
        if isinstance(record, OutcomesRecord):
            for first, last in record.spans:
                told.update(dict.fromkeys(range(first, last + 1), 0))
            told.update(dict.fromkeys(record.positives, 1))
        elif isinstance(record, ActRecord):
            about = decode(log.body(record.index))
            if isinstance(about, PredictionRecord):
                acts[about.sequence] = LABELS[record.act]
    return told | acts


def _pairs(log: Log, began: int, model_id: bytes) -> list[_Pair]:
    champions: dict[int, tuple[int, PredictionRecord]] = {}
    pairs = []
    for index, body in enumerate(log.bodies(began, log.size), began):
        if is_prediction(body):
            record = PredictionRecord.decode(body)
            champions[record.sequence] = (index, record)
        elif is_trial(body) and body[32:64] == model_id:
            trial = TrialRecord.decode(body).prediction
            found = champions.pop(trial.sequence, None)
            if found is not None and found[1].inputs == trial.inputs:
                pairs.append(_Pair(*found, trial))
    return pairs


def _moments(log: Log, indices: list[int]) -> tuple[I64, I64]:
    """Seconds and amounts of the requests, int64[n] each; of an erased one the record's time."""
    times_s, amounts = np.zeros(len(indices), np.int64), np.zeros(len(indices), np.int64)
    for place, index in enumerate(indices):
        payload = log.payload(index)
        if payload is None:
            times_s[place] = PredictionRecord.decode(log.body(index)).time_ms // 1000
        else:
            times_s[place], amounts[place] = payload.request.time_s, _amount_minor(payload)
    return times_s, amounts


def _amount_minor(payload: Payload) -> int:
    """0 where the request tells none, as a payment in the guard or a row sent to the API."""
    try:
        content = json.loads(payload.request.content)
    except ValueError:
        return 0
    amount = content.get("amount_minor") if isinstance(content, dict) else None
    return amount if isinstance(amount, int) else 0


def _cause(node: Node, record: PredictionRecord) -> str:
    """The strongest feature's name; both models read the same ones."""
    if record.decision is Decision.ALLOW:
        return ""
    names = node.feature_names(node.at_work().model.id)
    strongest = record.reasons[0]
    known = strongest != NO_REASON and strongest < len(names)
    return names[strongest] if known else "the score"
