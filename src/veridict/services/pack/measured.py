"""What the decided rows came to: measures of the predictions whose labels arrived, by group.

Told once when a pack is written (`metrics.json`) and made again when it is verified, by
the same code from the same records: a claim can be wrong, invented or left out, not vague.
Counted are predictions with a label whose request is open; scores and labels are the log's.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import VeridictError
from veridict.core.nouns import Payload, Policy, PredictionRecord, Request
from veridict.models.segments import RowPolicy, Segmented
from veridict.services.audit.walk import Row
from veridict.services.pack.layout import Claim
from veridict.services.papers.measures import grouped_metrics
from veridict.services.records import ModelRecord, OutcomesRecord

Grouping = Callable[[Request], tuple[str, ...]]
UNKNOWN = -1
_TOP = 2**63 - 1  # of a sequence number that a label can name


@dataclass(slots=True)
class _Decided:
    """One model's open predictions, in the order of the log; `sequences` rise in an honest one."""

    policy: Policy
    policies: list[Policy] = field(default_factory=list)  # each row's
    sequences: array[int] = field(default_factory=lambda: array("q"))
    scores: array[int] = field(default_factory=lambda: array("q"))
    groups: list[tuple[str, ...]] = field(default_factory=list)

    def row_policy(self, rows: Sequence[int]) -> Policy | RowPolicy:
        if not isinstance(self.policy, Segmented):
            return self.policy
        pairs = [(self.policies[row].review_at, self.policies[row].hold_at) for row in rows]
        return RowPolicy(*np.array(pairs, np.int64).T)


class Measured:
    """An examiner that finds nothing wrong: it remembers, and `claims()` counts."""

    def __init__(self, grouping: Grouping | None) -> None:
        self._grouping = grouping
        self._models: dict[str, _Decided] = {}
        self._outcomes: list[OutcomesRecord] = []
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.labelled = 0

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if isinstance(row.record, PredictionRecord) and row.payload is not None:
                self._predicted(row.record, row.payload)
            elif isinstance(row.record, ModelRecord):
                self._registered(row.record)
            elif isinstance(row.record, OutcomesRecord):
                self._outcomes.append(row.record)

    def claims(self) -> list[Claim]:
        """In the order in which the models were registered; of none whose labels are missing."""
        self.labelled = 0
        return [
            claim
            for model_id, decided in self._models.items()
            for claim in self._claims_of(model_id, decided)
        ]

    def _registered(self, record: ModelRecord) -> None:
        try:
            policy = record.model_card().policy
        except VeridictError:
            return  # `Models` names it
        self._models.setdefault(record.model_id, _Decided(policy)).policy = policy

    def _predicted(self, record: PredictionRecord, payload: Payload) -> None:
        decided = self._models.get(record.model_id.hex())
        if decided is None or record.sequence > _TOP:
            return  # `Models` or `Sequences` names it
        try:
            groups = self._grouping(payload.request) if self._grouping else ()
        except VeridictError:  # a payment in the guard, or rows that were sent to the API
            groups = ()
        decided.sequences.append(record.sequence)
        decided.scores.append(record.score)
        decided.policies.append(decided.policy.at(payload.inputs))
        decided.groups.append(self._known.setdefault(groups, groups))

    def _claims_of(self, model_id: str, decided: _Decided) -> list[Claim]:
        labels = self._labels(np.frombuffer(decided.sequences, np.int64))
        (known,) = np.nonzero(labels != UNKNOWN)
        if not len(known):
            return []
        self.labelled += len(known)
        metrics = grouped_metrics(
            [decided.groups[row] for row in known.tolist()],
            np.frombuffer(decided.scores, np.int64)[known],
            labels[known],
            decided.row_policy(known.tolist()),
        )
        return [Claim(model_id, m.name, m.value, m.group, m.rows) for m in metrics]

    def _labels(self, sequences: NDArray[np.int64]) -> NDArray[np.int8]:
        """int8[n]: of each prediction what the log said last, UNKNOWN where nothing."""
        order = np.argsort(sequences, kind="stable")
        ranked, labels = sequences[order], np.full(len(sequences), UNKNOWN, np.int8)

        def label(first: int, last: int, value: int) -> None:
            if first <= last and last >= 0 and first <= _TOP:
                start = np.searchsorted(ranked, max(first, 0), side="left")
                stop = np.searchsorted(ranked, min(last, _TOP), side="right")
                labels[order[start:stop]] = value

        for record in self._outcomes:
            for first, last in record.spans:
                label(first, last, 0)
            for sequence in record.positives:
                label(sequence, sequence, 1)
        return labels
