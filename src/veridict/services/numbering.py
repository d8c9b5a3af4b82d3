"""Numbers for predictions in a log that several nodes write, and times that do not go back.

Sequence numbers run through the whole log without a gap, so a node does not know
its own before it holds the log's lock. Predictions are submitted with any number
and get the right one as they are written, and no time before their predecessor's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from veridict.core.nouns import PredictionRecord
from veridict.ledger.log import Log
from veridict.services.records import decode, is_prediction


def numbered(bodies: list[bytes], earlier: Iterator[bytes]) -> list[bytes]:
    """`bodies` with their predictions numbered on; `earlier` are the log's, newest first."""
    if not any(map(is_prediction, bodies)):
        return bodies
    last = next(filter(is_prediction, earlier), None)
    sequence, time_ms = 0, 0
    if last is not None:
        before = PredictionRecord.decode(last)
        sequence, time_ms = before.sequence + 1, before.time_ms
    finished: list[bytes] = []
    for body in bodies:
        if is_prediction(body):
            record = PredictionRecord.decode(body)
            time_ms = max(time_ms, record.time_ms)
            finished.append(replace(record, sequence=sequence, time_ms=time_ms).encode())
            sequence += 1
        else:
            finished.append(body)
    return finished


def last_time_ms(log: Log) -> int:
    """The time of the last record, behind which a node's clock must not fall; 0 without any."""
    return decode(log.body(log.size - 1)).time_ms if log.size else 0
