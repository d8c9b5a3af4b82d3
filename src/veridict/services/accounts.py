"""By which erasure a payload is gone: the mirror of `services.erasing`, without its goodwill.

For people who look at one record. An audit makes its own account, over the whole log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from veridict.core.nouns import Payload
from veridict.ledger.view import LogView
from veridict.services.records import ErasureRecord, decode
from veridict.services.sayings import ErasureWords, read_words, said


class Accounts:
    """Of one log, whose `erasures` (index, record) may grow behind our back."""

    def __init__(self, log: LogView, erasures: Sequence[tuple[int, ErasureRecord]]) -> None:
        self._log, self._erasures = log, erasures
        self._read = 0
        self._by: dict[int, int] = {}

    def of(self, index: int) -> int | None:
        """The index of the erasure record that accounts for record `index`."""
        self._catch_up()
        return self._by.get(index)

    def all(self) -> list[int]:
        """Indexes of all records whose payloads were erased, rising."""
        self._catch_up()
        return sorted(self._by)

    def _catch_up(self) -> None:
        for number, record in self._erasures[self._read :]:
            payload = self._log.payload(number)
            self._by |= dict.fromkeys(accounted(number, record, payload), number)
            self._read += 1


def accounted(number: int, record: ErasureRecord, payload: Payload | None) -> Iterator[int]:
    """Indexes of the records that erasure `number` accounts for, all before itself, rising.

    None where its words do not open the record, or are not what an erasure says.
    """
    words = read_words(payload, ErasureWords)
    if payload is None or words is None or said(payload) != record.said:
        return
    following = 0
    for first, last in words.spans:
        if not following <= first <= last < number:
            return
        following = last + 1
        yield from range(first, following)


def erasures_of(log: LogView) -> list[tuple[int, ErasureRecord]]:
    """All erasures, with their indexes; reads the whole log."""
    documents = ((index, body) for index, body in log.records() if body[:1] == b"{")
    records = ((index, decode(body)) for index, body in documents)
    return [(index, record) for index, record in records if isinstance(record, ErasureRecord)]


def spans_of(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Rising numbers as spans, both ends inclusive: [3, 4, 5, 9] → [(3, 5), (9, 9)]."""
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1] = spans[-1][0], number
        else:
            spans.append((number, number))
    return spans
