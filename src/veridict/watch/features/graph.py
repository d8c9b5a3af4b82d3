"""The graph of payments: fans, scatter-gathers, cycles, and nearness to listed accounts.

Costlier than `payments` and `habits`, so taken where rings are looked for. What it tells is in
`graph_names`, what is held in `graph_state`, how patterns are found in `graph_search`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from veridict.core.errors import BadInput
from veridict.watch.arrays import F64
from veridict.watch.features import graph_kernel as kernel
from veridict.watch.features.graph_names import GRAPH
from veridict.watch.features.graph_search import MAX_LENGTH, Scratch
from veridict.watch.features.graph_state import BLANK_ACCOUNT, BLANK_PAIR, EDGE, Graph
from veridict.watch.features.kernel import DAY_S, NEVER
from veridict.watch.features.keys import Keys, key_of
from veridict.watch.features.order import in_order
from veridict.watch.features.records import Records
from veridict.watch.features.saved import pack, unpack
from veridict.watch.scenario import LabelFree
from veridict.watch.stream import Table

assert len(GRAPH) == kernel.FEATURES

_MAGIC = b"veridict payment graph 1\n"
CHUNK = 4096
FIRST_EDGES = 1024


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """`edges`: payments held at most, about 700 bytes each with their pairs and accounts.

    `ordered`: a cycle's payments follow each other in time. `budget`: pairs a search visits.
    """

    window_s: int = 30 * DAY_S
    ordered: bool = True
    longest: int = MAX_LENGTH
    budget: int = 2048
    edges: int = 1 << 20

    def __post_init__(self) -> None:
        if self.window_s < 1 or not 2 <= self.longest <= MAX_LENGTH:
            raise BadInput(
                f"a window of {self.window_s} s or cycles up to {self.longest}",
                remedy=f"use a positive window, and cycles of 2 to {MAX_LENGTH} accounts",
            )
        if self.budget < 16 or self.edges < 4:
            raise BadInput("limits too small", remedy="allow a budget of 16 and 4 edges at least")


class GraphFeatures(LabelFree):
    """An `Extractor` over tables with columns payer, payee, amount_minor.

    `labelled`: names of listed accounts. Not safe for several threads.
    """

    features = GRAPH

    def __init__(
        self, *, labelled: Iterable[str] = (), settings: GraphSettings | None = None
    ) -> None:
        self._settings = settings or GraphSettings()
        self._labels = np.unique(np.array([key_of(name) for name in labelled], np.int64))
        self._keys = Keys()
        self._now_s = NEVER
        # Twice as many accounts as edges: none in the window is ever forgotten.
        self._accounts = Records(BLANK_ACCOUNT, 2 * self._settings.edges)
        self._pairs = Records(BLANK_PAIR, self._settings.edges)
        self._edge = np.zeros(min(FIRST_EDGES, self._settings.edges), EDGE)
        self._head_tail = np.zeros(2, np.int64)
        self._scratch = self._fresh_scratch()

    def batch(self, rows: Table[Any]) -> F64:
        """float64[n, len(features)]; changes the state. Raises BadStream if time falls."""
        x = np.empty((len(rows), len(self.features)))
        if not len(rows):
            return x
        times_s = in_order(rows, self._now_s)
        payers, payees = (self._keys(rows.strings(side)) for side in ("payer", "payee"))
        amounts = rows.integers("amount_minor") / 100.0
        s, start = self._settings, 0
        while start < len(rows):
            stop = min(len(rows), start + CHUNK, start + self._make_room())
            kernel.run(
                self._graph(), self._scratch, start, stop, s.window_s, s.ordered, s.longest,
                s.budget, times_s, payers, payees, amounts, x,
            )  # fmt: skip
            start = stop
        self._now_s = int(times_s[-1])
        return x

    @property
    def memory_bytes(self) -> int:
        tables = self._accounts.size_bytes + self._pairs.size_bytes
        return tables + self._edge.nbytes + sum(array.nbytes for array in self._scratch)

    def save(self) -> bytes:
        numbers = np.arange(*self._head_tail)
        edges = self._edge[numbers % len(self._edge)]
        arrays = (*self._accounts.dump(), *self._pairs.dump(), edges)
        head = {"now_s": self._now_s, "head": int(self._head_tail[0])}
        return pack(_MAGIC, {**self._made(), **head}, arrays)

    def restore(self, state: bytes) -> None:
        """Raises BadInput unless `state` is whole and was saved by one made the same way."""
        kinds = (*self._accounts.kinds(), *self._pairs.kinds(), EDGE)
        head, arrays = unpack(_MAGIC, state, self._made(), kinds)
        self._accounts.load(arrays[:4])
        self._pairs.load(arrays[4:8])
        first, edges = head["head"], arrays[8]
        self._head_tail = np.array([first, first + len(edges)])
        room = max(FIRST_EDGES, 1 << max(0, len(edges) - 1).bit_length())
        self._edge = _ring(edges, first, min(room, self._settings.edges))
        self._now_s = head["now_s"]
        self._scratch = self._fresh_scratch()

    def _made(self) -> dict[str, Any]:
        s = self._settings
        return {
            "settings": [s.window_s, s.ordered, s.longest, s.budget, s.edges],
            "labels": sha256(self._labels.astype("<i8").tobytes()).hexdigest(),
        }

    def _graph(self) -> Graph:
        accounts, pairs = self._accounts, self._pairs
        return Graph(
            accounts.shelf, accounts.rows, pairs.shelf, pairs.rows, self._edge, self._head_tail,
            self._labels, (BLANK_ACCOUNT, BLANK_PAIR),
        )  # fmt: skip

    def _fresh_scratch(self) -> Scratch:
        accounts = len(self._accounts.rows)
        return Scratch(
            np.zeros((accounts, 2), np.int64),
            np.zeros(accounts, np.int64),
            np.zeros(accounts, np.int64),
            np.zeros((self._settings.budget, 2), np.int64),
            np.zeros((MAX_LENGTH, 3), np.int64),
            np.zeros(1, np.int64),
        )

    def _make_room(self) -> int:
        """Rows that fit for certain; tables and ring have grown where they had to."""
        if self._accounts.free < 2:
            self._accounts.grow()
            self._scratch = self._fresh_scratch()
        if not self._pairs.free:
            self._pairs.grow()
        head, tail = self._head_tail.tolist()
        if tail - head == len(self._edge) < self._settings.edges:
            edges = self._edge[np.arange(head, tail) % len(self._edge)]
            self._edge = _ring(edges, head, min(2 * len(edges), self._settings.edges))
        full = len(self._edge) == self._settings.edges
        free = CHUNK if full else len(self._edge) - (tail - head)
        return min(self._accounts.free // 2, self._pairs.free, free)


def _ring(edges: Any, first: int, room: int) -> Any:
    """Edges number first, first + 1 … at their places in a ring of `room`."""
    ring = np.zeros(room, EDGE)
    ring[np.arange(first, first + len(edges)) % room] = edges
    return ring
