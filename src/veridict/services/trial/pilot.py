"""A pilot predicts and logs as if it decided, acts on nothing, and tells what it would have done.

Its records are trials (`core.nouns.TrialRecord`): no guard takes them, they open no case and are
none of the node's predictions. They are anchored like the others, so that nobody can say later
that they were written when the labels were known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from veridict.core.errors import NotFound
from veridict.core.nouns import NO_REASON, Decision, Request, TrialRecord
from veridict.ledger.log import Log
from veridict.services.node import Node
from veridict.services.predict import Issuer, Prediction, predict
from veridict.services.records import decode, is_trial
from veridict.watch.arrays import F64
from veridict.watch.backtest import amounts_minor
from veridict.watch.outlook import Decided
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table

PREFIX = "pilot "  # of the request's name in the log: the row itself is still to be decided


class Pilot:
    """A `services.watching.Decider` by the model at work. Raises NotFound where none is."""

    def __init__(self, node: Node) -> None:
        self._node, work = node, node.at_work()
        sequence = next_trial(node.log)
        self._issuer = Issuer(work.model, work.policy, node.log, work.clock, sequence, True)

    def known(self, ids: Sequence[str]) -> list[bool]:
        return [index is not None for index in _trials(self._node.log, ids)]

    def decide(self, features: F64, requests: Sequence[Request]) -> list[Prediction]:
        named = [replace(request, id=PREFIX + request.id) for request in requests]
        with self._node.lock:
            made = predict(self._issuer, named, features)
            self._node.follow()
        return made


def piloted(node: Node, scenario: Scenario[Any], rows: Table[Any]) -> Decided:
    """What the pilot would have done with those of `rows` that it has seen, for `outlook`.

    The rows' labels judge it; where they are unknown, only the work is told. Raises NotFound
    where the pilot has seen none.
    """
    found = _trials(node.log, rows.ids)
    seen = np.array([row for row, index in enumerate(found) if index is not None], np.int64)
    if not len(seen):
        raise NotFound("the pilot has seen none of these rows", remedy="run `veridict pilot` first")
    decisions = np.zeros(len(seen), np.int8)
    causes = [""] * len(seen)
    for place, row in enumerate(seen.tolist()):
        index = found[row]
        assert index is not None
        record = decode(node.log.body(index))
        assert isinstance(record, TrialRecord), "only a pilot names its requests so"
        decisions[place] = record.prediction.decision
        if record.prediction.decision is not Decision.ALLOW:
            causes[place] = _cause(node, record)
    judged = Table(rows.rows.take(seen), rows.shape)
    return Decided(
        "pilot", judged.times_s, decisions, judged.labels, amounts_minor(scenario, judged), causes
    )


def next_trial(log: Log) -> int:
    """One more than the number of the pilot's last trial; 0 before the first."""
    for index in range(log.size - 1, -1, -1):
        body = log.body(index)
        if is_trial(body):
            payload = log.payload(index)
            if payload is not None and payload.request.id.startswith(PREFIX):
                return TrialRecord.decode(body).prediction.sequence + 1
    return 0


def _trials(log: Log, ids: Sequence[str]) -> list[int | None]:
    return log.find_requests([PREFIX + one for one in ids])


def _cause(node: Node, record: TrialRecord) -> str:
    """The strongest feature's name."""
    strongest, names = record.prediction.reasons[0], node.feature_names(record.prediction.model_id)
    if strongest == NO_REASON:
        return "the score"
    return names[strongest] if strongest < len(names) else f"feature {strongest}"
