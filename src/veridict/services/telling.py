"""How payments ended, told after the event: labels by request, logged as outcomes.

What is told counts for whatever is decided behind the record, and for nothing before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from veridict.core.errors import BadInput
from veridict.core.nouns import PredictionRecord
from veridict.ledger.lookup import Query
from veridict.ledger.view import LogView
from veridict.services.accounts import spans_of
from veridict.services.node import Node
from veridict.services.records import OutcomesRecord, decode
from veridict.services.trial.comparing import labels_of

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Told:
    """`index`: where the outcomes are logged, None if nothing was new.

    `unknown` names no prediction of this node; `before` had this label already.
    """

    index: int | None
    events: int
    others: int
    unknown: int
    before: int


def tell(node: Node, labels: Sequence[tuple[str, int]]) -> Told:
    """Log the labels (request id, 0 or 1) that are new. Raises BadInput for two of one request."""
    by_id = dict(labels)
    if len(by_id) != len(labels):
        raise BadInput("one request is told twice", remedy="give each id one label")
    with node.lock:
        found = node.log.find_requests(list(by_id))
        known = labels_of(node.log)
        fresh: dict[int, int] = {}
        times_s, unknown = [], 0
        for label, index in zip(by_id.values(), found, strict=True):
            record = None if index is None else decode(node.log.body(index))
            if index is None or not isinstance(record, PredictionRecord):
                unknown += 1
            elif known.get(record.sequence) != label:
                fresh[record.sequence] = label
                payload = node.log.payload(index)
                times_s.append(payload.request.time_s if payload else record.time_ms // 1000)
        before = len(by_id) - unknown - len(fresh)
        if not fresh:
            return Told(None, 0, 0, unknown, before)
        positives = sorted(sequence for sequence, label in fresh.items() if label)
        first_s = min(times_s)
        index = node.append(
            OutcomesRecord(
                label=f"{datetime.fromtimestamp(first_s, UTC):%Y-%m-%d}",
                time_s=first_s,
                spans=spans_of(sorted(fresh)),
                positives=positives,
                time_ms=node.parts.clock(),
            )
        )
    return Told(index, len(positives), len(fresh) - len(positives), unknown, before)


def judged(log: LogView, record: OutcomesRecord) -> Iterator[tuple[int, int]]:
    """Index of each prediction in the log that `record` is about, and its label, in order."""
    positives = set(record.positives)
    for first, last in record.spans:
        query, start = Query(sequences=(first, last)), 0
        while page := log.find(query, start, most=PAGE):
            for index in page:
                about = decode(log.body(index))
                if isinstance(about, PredictionRecord):
                    yield index, int(about.sequence in positives)
            start = page[-1] + 1
