"""What holders of components answer, and what is established of it.

A component's answer counts when two of its holders give the same. Places 0 to 2 are the
committee's seats; 3 and 4 are the stand-bys, which hold what seats 0 and 1 do once it is late.

    answers   for each dealer: number u16 │ 1, or 0 for what cannot be read │ per component
              inner product, norm², g, columns: 32B each
    sums      caller u8 │ who is counted, a bit for each member 32B │ per component u64 each
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from veridict.core.errors import BadInput
from veridict.federated.committee.components import COMPONENTS, U64
from veridict.federated.committee.dealing import SEATS, held_by
from veridict.federated.committee.field import FIELD_BYTES, pack, random_elements
from veridict.federated.committee.proof import Answer, Shape
from veridict.federated.fixed import I64, ONE

Parts = Mapping[int, Answer]  # by component
Said = Mapping[int, Parts | None]  # by dealer; None: its components cannot be read

T = TypeVar("T", Answer, bytes)

_BITS = 32  # bytes


def seat_of(place: int) -> int:
    return place % SEATS


def encode_answers(said: Said) -> bytes:
    out = []
    for dealer, parts in sorted(said.items()):
        out.append(dealer.to_bytes(2, "big") + bytes([parts is not None]))
        for number in sorted(parts) if parts else ():
            part = parts[number] if parts else None
            assert part is not None
            out.append(pack([part.toward, part.norm2, part.g, *part.columns]))
    return b"".join(out)


def decode_answers(data: bytes, place: int, length: int) -> Said:
    """Raises BadInput for what holders of this place do not send."""
    numbers = sorted(held_by(seat_of(place)))
    size = FIELD_BYTES * (3 + Shape(length).columns)
    said: dict[int, Parts | None] = {}
    at = 0
    while at < len(data):
        dealer, readable = int.from_bytes(data[at : at + 2], "big"), data[at + 2 : at + 3]
        at += 3
        if readable == b"\0":
            said[dealer] = None
            continue
        whole = data[at : at + size * len(numbers)]
        if len(whole) != size * len(numbers) or readable != b"\1":
            raise BadInput("answers that break off", remedy="answer for each component")
        at += len(whole)
        said[dealer] = {
            number: _answer(random_elements(whole[size * n : size * (n + 1)]))
            for n, number in enumerate(numbers)
        }
    return said


def _answer(elements: Sequence[int]) -> Answer:
    return Answer(elements[0], elements[1], elements[2], tuple(elements[3:]))


def established(given: Mapping[int, T]) -> T | None:
    """What two holders or more say, and more than say anything else; `given` by place."""
    ranked = Counter(given.values()).most_common(2)
    rival = ranked[1][1] if len(ranked) > 1 else 0
    return ranked[0][0] if ranked and ranked[0][1] > max(1, rival) else None


@dataclass(frozen=True, slots=True)
class Measured:
    """`good`: dealer → norm² and inner product. `faults`: dealer → why it is left out.

    `open`: dealers of whom it cannot be said yet. `liars`: places that answered otherwise than
    was established.
    """

    good: Mapping[int, tuple[int, int]]
    faults: Mapping[int, str]
    open: frozenset[int]
    liars: frozenset[int]


def measured(said: Mapping[int, Said], dealers: Sequence[int]) -> Measured:
    """`said`: by place."""
    good, faults, undecided, liars = {}, {}, set(), set()
    for dealer in dealers:
        whole: Answer | None = None
        twice = 0
        for number in range(COMPONENTS):
            given = {
                place: parts[number]
                for place, all_said in said.items()
                if (parts := all_said.get(dealer)) is not None and number in parts
            }
            part = established(given)
            if part is None:
                continue
            twice += 1
            liars |= {place for place, other in given.items() if other != part}
            whole = part if whole is None else whole + part
        if whole is None or twice < COMPONENTS:
            asked = all(dealer in said.get(seat, {}) for seat in range(SEATS))
            if asked and any(said[seat][dealer] is None for seat in range(SEATS)):
                faults[dealer] = "its components cannot be read by who should hold them"
            else:
                undecided.add(dealer)
        elif not whole.holds:
            faults[dealer] = "its proof of the norm is wrong"
        elif whole.norm2 > ONE * ONE:
            faults[dealer] = "its update is above the norm bound"
        else:
            good[dealer] = whole.norm2, whole.inner
    return Measured(good, faults, frozenset(undecided), frozenset(liars))


@dataclass(frozen=True, slots=True)
class Sums:
    """A holder's components of Σ coefficient·update, modulo 2^64."""

    caller: int
    counted: frozenset[int]
    parts: Mapping[int, U64] = field(compare=False)

    def encode(self) -> bytes:
        bits = sum(1 << number for number in self.counted)
        parts = [part.astype("<u8").tobytes() for _, part in sorted(self.parts.items())]
        return bytes([self.caller]) + bits.to_bytes(_BITS, "big") + b"".join(parts)

    @classmethod
    def decode(cls, data: bytes, place: int, length: int) -> Sums | None:
        """None for what holders of this place do not send."""
        numbers = sorted(held_by(seat_of(place)))
        if len(data) != 1 + _BITS + 8 * length * len(numbers):
            return None
        bits = int.from_bytes(data[1 : 1 + _BITS], "big")
        rows = np.frombuffer(data, "<u8", offset=1 + _BITS).reshape(len(numbers), length)
        parts = {number: rows[n].astype(np.uint64) for n, number in enumerate(numbers)}
        return cls(data[0], frozenset(n for n in range(8 * _BITS) if bits >> n & 1), parts)


def added(coefficients: Sequence[int], components: Sequence[U64]) -> U64:
    """Σ coefficient·component modulo 2^64."""
    total = np.zeros_like(components[0])
    for coefficient, component in zip(coefficients, components, strict=True):
        total += np.uint64(coefficient) * component
    return total


def opened(sums: Mapping[int, Sums]) -> tuple[I64 | None, frozenset[int]]:
    """Of sums by place over the same: the total, and who lied; None while a part is missing."""
    total: U64 | None = None
    liars: set[int] = set()
    for number in range(COMPONENTS):
        given = {place: s.parts[number].tobytes() for place, s in sums.items() if number in s.parts}
        part = established(given)
        if part is None:
            return None, frozenset()
        liars |= {place for place, other in given.items() if other != part}
        values = np.frombuffer(part, np.uint64)
        total = values if total is None else total + values
    assert total is not None
    return total.view(np.int64), frozenset(liars)
