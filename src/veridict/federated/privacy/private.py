"""A learner whose updates leave room for noise, and the noise.

An update's integers are a party's mean over its rows, times its rows over `rows_max`. So one
row changes them by at most `bound` = ONE · (a row's part of the clip) / rows_max, whoever's it
is, and a whole party by at most ONE; truncation adds at most one unit a number, twice. Noise
must not lift an update over the norm bound that everybody checks: all updates are divided by
`headroom`, a whole number, and steps are multiplied by it again. It comes from the rules alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from veridict.core.errors import BadInput
from veridict.federated.fixed import BITS, F64, I64, ONE, WEIGHT_ONE, Clip, Update, divide, norm2
from veridict.federated.learners.learner import Learner, Rows
from veridict.federated.privacy.accounting import TAIL, least_deviation
from veridict.federated.privacy.gaussian import discrete_gaussian
from veridict.federated.privacy.guard import Guard

if TYPE_CHECKING:
    from veridict.models.compile import Compiled

HEADROOM_MAX = 1 << 12


class Private(Learner):
    """`update` is what would leave without noise; `guarded` adds it. Else as `inner`."""

    name = "private"

    def __init__(self, inner: Learner, guard: Guard, rows_max: int) -> None:
        if guard.unit == "row" and not inner.row_bounded:
            raise BadInput(
                f"the learner {inner.name} lets a row move an update as far as it will",
                remedy="set `row_norm` in its settings, the clip of one row's gradient",
            )
        if guard.rows_min > rows_max:
            raise BadInput(
                f"from {guard.rows_min} to {rows_max} rows", remedy="state the smallest party's"
            )
        self.inner, self.guard, self._rows_max = inner, guard, rows_max
        self.scale = inner.scale
        self._rooms: dict[int, int] = {}  # length → headroom

    # -- noise ----------------------------------------------------------------------------------

    def sensitivity(self, state: bytes) -> int:
        """How far one unit can move an update, L2, in units of the update."""
        return self._sensitivity(self.inner.length(state), self.headroom(state))

    def deviation(self, state: bytes) -> int:
        """Of the noise that one party adds to each number."""
        return self._deviation(self.inner.length(state), self.headroom(state))

    def guarded(self, state: bytes, update: Update) -> Update:
        """What may leave: `update` and this party's noise."""
        deviation, bound = self.deviation(state), (update.weight << (BITS - 16)) ** 2
        while True:
            noisy = update.values + discrete_gaussian(deviation, len(update.values))
            if norm2(noisy) <= bound:  # never false: TAIL
                return Update(noisy, update.weight)

    def headroom(self, state: bytes) -> int:
        """The least that holds signal and noise of the smallest party under its norm bound.

        Raises BadInput where so few rows cannot hide so many numbers.
        """
        length = self.inner.length(state)
        if length not in self._rooms:
            self._rooms[length] = self._fitting(length)
        return self._rooms[length]

    def _fitting(self, length: int) -> int:
        smallest = self.weight(self.guard.rows_min) << (BITS - 16)
        for room in range(1, HEADROOM_MAX):
            noise = self._deviation(length, room) * (math.sqrt(length) + TAIL)
            if smallest // room + noise + math.sqrt(length) <= smallest:
                if self._deviation(length, room) < least_deviation(length):
                    break  # so coarse a grid would cost epsilon
                return room
        raise BadInput(
            f"{self.guard.rows_min} rows cannot hide an update of {length} numbers",
            remedy="ask for fewer numbers (smaller trees, fewer cuts), a lower multiplier, or "
            "parties with more rows",
        )

    def _sensitivity(self, length: int, room: int) -> int:
        signal = ONE / self._rows_max if self.guard.unit == "row" else float(ONE)
        truncated = math.sqrt(length)
        return math.ceil((signal * (1 + 2**-20) + truncated) / room + truncated)

    def _deviation(self, length: int, room: int) -> int:
        noise = self.guard.multiplier * self._sensitivity(length, room)
        return math.ceil(noise / math.sqrt(self.guard.sharers))

    # -- as the inner learner -------------------------------------------------------------------

    def start(self) -> bytes:
        return self.inner.start()

    def check(self, state: bytes) -> None:
        self.inner.check(state)

    def length(self, state: bytes) -> int:
        return self.inner.length(state)

    def clip(self, state: bytes) -> Clip:
        return self.inner.clip(state)

    def vector(self, state: bytes, rows: Rows, seed: int) -> F64:
        return self.inner.vector(state, rows, seed)

    def update(self, state: bytes, rows: Rows, seed: int = 0) -> Update:
        """Without noise: for a public batch, or to be `guarded`."""
        plain = self.inner.update(state, rows, seed)
        return Update(divide(plain.values, self.headroom(state)), plain.weight)

    def weight(self, rows: int) -> int:
        return max(1, min(WEIGHT_ONE, rows * WEIGHT_ONE // self._rows_max))

    def moved(self, state: bytes, step: I64) -> bytes:
        return self.inner.moved(state, step * self.headroom(state))

    def finished(self, state: bytes) -> bool:
        return self.inner.finished(state)

    @property
    def rounds(self) -> int:
        return self.inner.rounds

    def compiled(self, state: bytes) -> Compiled:
        return self.inner.compiled(state)

    def scores(self, state: bytes, features: F64) -> F64:
        return self.inner.scores(state, features)
