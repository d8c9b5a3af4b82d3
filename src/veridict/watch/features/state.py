"""What the payment features remember: it grows to its limits, then forgets the oldest half.

Growing does not change a feature; forgetting does, and happens at the same row whether rows
come one by one or in batches.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput
from veridict.watch.arrays import F64, I64
from veridict.watch.features import kernel
from veridict.watch.features.kernel import EMPTY, NEAR, NEVER, RISK, SIDE, State

_MAGIC = b"veridict payment features 2\n"
_PER_ACCOUNT = ("out", "into", "risk_payer", "risk_payee", "flow", "times", "near")
_PER_PAIR = ("key", "when", "last", "often")
_FILL = {"times": NEVER, "near": EMPTY, "key": EMPTY}


@dataclass(frozen=True, slots=True)
class Limits:
    """About 250 bytes an account plus its name, 64 bytes a pair."""

    accounts: int = 1 << 20
    pairs: int = 1 << 21

    def __post_init__(self) -> None:
        if self.accounts < 4 or self.pairs < 4:
            raise BadInput("limits below 4", remedy="allow at least 4 accounts and 4 pairs")


def _empty(accounts: int, slots: int, labels: int, risk: bool) -> State:
    watched = accounts if risk else 0
    return State(
        out=np.zeros((accounts, SIDE)),
        into=np.zeros((accounts, SIDE)),
        risk_payer=np.zeros((watched, RISK)),
        risk_payee=np.zeros((watched, RISK)),
        flow=np.zeros(accounts),
        times=np.full((accounts, 4), NEVER, np.int64),
        near=np.full((accounts, 2, NEAR), EMPTY, np.int32),
        key=np.full(slots, EMPTY, np.int64),
        when=np.zeros(slots, np.int64),
        last=np.zeros(slots),
        often=np.zeros(slots),
        queue=np.zeros((labels, 5), np.int64),
    )


class Memory:
    """The state, the accounts' numbers, and the waiting labels (queue[head:tail])."""

    def __init__(self, delay_s: int, limits: Limits) -> None:
        self.delay_s, self.limits = delay_s, limits
        self.state = _empty(1024, 2048, 0, delay_s >= 0)
        self.numbers: dict[str, int] = {}
        self.pairs = self.head = self.tail = 0
        self.now_s = NEVER

    def run(
        self, times_s: I64, payers: list[str], payees: list[str], amounts: F64, labels: I64, x: F64
    ) -> None:
        """Features of rows in the order of time into x, float64[n, features]."""
        n = len(times_s)
        self._make_room_for_labels(n)
        numbers = np.empty((2, n), np.int64)
        row = 0
        while row < n:
            stop = self._number(payers, payees, numbers, row)
            if stop == row:
                self._forget_accounts()
                continue
            while row < stop:
                free = min(len(self.state.key) // 2, self.limits.pairs) - self.pairs
                row, self.head, self.tail, left = kernel.run(
                    self.state, row, stop, self.head, self.tail, self.delay_s, free,
                    times_s, numbers[0], numbers[1], amounts, labels, x,
                )  # fmt: skip
                self.pairs += free - left
                if row < stop:
                    self._make_room_for_pairs()
        self.now_s = int(times_s[-1])

    def tell(self, fresh: I64) -> None:
        """`fresh`: rows as the queue has them; they wait for their time among the others."""
        self._make_room_for_labels(len(fresh))
        queue, head, tail = self.state.queue, self.head, self.tail
        stop = tail + len(fresh)
        queue[tail:stop] = fresh
        self.tail = stop
        known_s = queue[max(head, tail - 1) : stop, 0]
        if (known_s[1:] < known_s[:-1]).any():
            order = np.argsort(queue[head:stop, 0], kind="stable")
            queue[head:stop] = queue[head:stop][order]

    def _number(self, payers: list[str], payees: list[str], into: I64, start: int) -> int:
        """Give accounts their numbers from row `start`; returns the first row without room."""
        numbers, stop = self.numbers, len(payers)
        into[0, start:] = [numbers.get(name, EMPTY) for name in payers[start:]]
        into[1, start:] = [numbers.get(name, EMPTY) for name in payees[start:]]
        strangers = np.flatnonzero((into[:, start:] == EMPTY).any(axis=0)) + start
        for row in strangers.tolist():
            payer, payee = payers[row], payees[row]
            known = payer in numbers and payee in numbers
            if not known and len(numbers) + 2 > self.limits.accounts:
                stop = row
                break
            into[0, row] = numbers.setdefault(payer, len(numbers))
            into[1, row] = numbers.setdefault(payee, len(numbers))
        capacity = len(self.state.flow)
        if len(numbers) > capacity:
            self._resize(max(2 * capacity, len(numbers)))
        return stop

    def _resize(self, accounts: int) -> None:
        grown = _empty(accounts, 0, 0, self.delay_s >= 0)
        for name in _PER_ACCOUNT:
            old = getattr(self.state, name)
            getattr(grown, name)[: len(old)] = old
        self.state = self.state._replace(**{n: getattr(grown, n) for n in _PER_ACCOUNT})

    def _make_room_for_labels(self, n: int) -> None:
        if self.delay_s < 0 or self.tail + n <= len(self.state.queue):
            return
        waiting = self.state.queue[self.head : self.tail]
        queue = np.zeros((2 * (len(waiting) + n), 5), np.int64)
        queue[: len(waiting)] = waiting
        self.state = self.state._replace(queue=queue)
        self.head, self.tail = 0, len(waiting)

    def _make_room_for_pairs(self) -> None:
        """Double the table; at the limit forget the half of the pairs longest ago."""
        slots = len(self.state.key)
        used = np.flatnonzero(self.state.key != EMPTY)
        if self.pairs >= self.limits.pairs:
            age = np.lexsort((self.state.key[used], self.state.when[used]))
            used = used[age[len(used) // 2 :]]
        else:
            slots *= 2
        self._place_pairs({n: getattr(self.state, n)[used] for n in _PER_PAIR}, slots)

    def _place_pairs(self, pairs: dict[str, np.ndarray], slots: int) -> None:
        fresh = _empty(0, slots, 0, False)
        kernel.place(fresh.key, pairs["key"], at := np.empty(len(pairs["key"]), np.int64))
        for name in _PER_PAIR:
            getattr(fresh, name)[at] = pairs[name]
        self.state = self.state._replace(**{n: getattr(fresh, n) for n in _PER_PAIR})
        self.pairs = len(at)

    def _forget_accounts(self) -> None:
        """Keep the half of the accounts that moved money last, and what is among them."""
        state, n = self.state, len(self.numbers)
        moved = state.times[:n, :2].max(axis=1)
        kept = np.sort(np.lexsort((np.arange(n), moved))[n // 2 :])
        new = np.full(n + 1, EMPTY, np.int64)  # the last one: EMPTY stays EMPTY
        new[kept] = np.arange(len(kept))
        names = list(self.numbers)
        self.numbers = {names[old]: number for number, old in enumerate(kept.tolist())}
        accounts = _empty(len(state.flow), 0, 0, self.delay_s >= 0)
        for name in _PER_ACCOUNT:
            if len(old := getattr(state, name)):
                getattr(accounts, name)[: len(kept)] = old[kept]
        accounts.near[: len(kept)] = new[accounts.near[: len(kept)]]
        self.state = state._replace(**{n: getattr(accounts, n) for n in _PER_ACCOUNT})
        self._renumber(new)

    def _renumber(self, new: I64) -> None:
        state = self.state
        used = np.flatnonzero(state.key != EMPTY)
        payer, payee = new[state.key[used] >> 32], new[state.key[used] & 0xFFFF_FFFF]
        both = (payer != EMPTY) & (payee != EMPTY)
        pairs = {n: getattr(state, n)[used[both]] for n in _PER_PAIR}
        pairs["key"] = (payer[both] << 32) | payee[both]
        self._place_pairs(pairs, len(state.key))
        queue = state.queue[self.head : self.tail].copy()
        queue[:, 1:3] = new[queue[:, 1:3]]
        queue = queue[(queue[:, 1:3] != EMPTY).all(axis=1)]
        self.tail = self.head + len(queue)
        state.queue[self.head : self.tail] = queue

    def size_bytes(self) -> int:
        arrays = sum(array.nbytes for array in self.state)
        names = sum(map(sys.getsizeof, self.numbers)) + 32 * len(self.numbers)  # and their ints
        return arrays + names + sys.getsizeof(self.numbers)

    def save(self) -> bytes:
        """Magic, SHA-256 of the rest, length of the head, head (JSON), arrays little-endian."""
        n, state = len(self.numbers), self.state
        used = np.flatnonzero(state.key != EMPTY)
        used = used[np.argsort(state.key[used])]
        arrays = [getattr(state, name)[:n] for name in _PER_ACCOUNT]
        arrays += [getattr(state, name)[used] for name in _PER_PAIR]
        arrays.append(state.queue[self.head : self.tail])
        head = canonical_json(
            {
                "accounts": list(self.numbers),
                "delay_s": self.delay_s,
                "limits": [self.limits.accounts, self.limits.pairs],
                "now_s": self.now_s,
                "slots": len(state.key),
                "shapes": [list(a.shape) for a in arrays],
            }
        )
        body = len(head).to_bytes(8, "big") + head
        body += b"".join(a.astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays)
        return _MAGIC + sha256(body).digest() + body

    @classmethod
    def restored(cls, saved: bytes, delay_s: int, limits: Limits) -> Memory:
        """Raises BadInput unless `saved` is whole and was saved with this delay and limits."""
        start = len(_MAGIC) + 32
        body = saved[start:]
        if not saved.startswith(_MAGIC) or sha256(body).digest() != saved[len(_MAGIC) : start]:
            raise BadInput(
                "the saved features state is damaged", remedy="replay the stream from its start"
            )
        at = 8 + int.from_bytes(body[:8], "big")
        head = json.loads(body[8:at])
        if head["delay_s"] != delay_s or head["limits"] != [limits.accounts, limits.pairs]:
            raise BadInput(
                "the saved features state has another label delay or other limits",
                remedy="restore into an extractor made the same way",
            )
        return cls(delay_s, limits)._fill(head, body, at)

    def _fill(self, head: dict[str, Any], body: bytes, at: int) -> Memory:
        self.numbers = {name: number for number, name in enumerate(head["accounts"])}
        self.now_s = head["now_s"]
        self._resize(max(1024, len(self.numbers)))
        pairs = {}
        for name, shape in zip((*_PER_ACCOUNT, *_PER_PAIR, "queue"), head["shapes"], strict=True):
            kind = getattr(self.state, name).dtype
            size = int(np.prod(shape)) * kind.itemsize
            array = np.frombuffer(body[at : at + size], kind.newbyteorder("<")).reshape(shape)
            at += size
            if name in _PER_ACCOUNT:
                getattr(self.state, name)[: len(array)] = array
            elif name in _PER_PAIR:
                pairs[name] = array.astype(kind)
            else:
                self.state = self.state._replace(queue=array.astype(kind))
                self.head, self.tail = 0, len(array)
        self._place_pairs(pairs, head["slots"])
        return self
