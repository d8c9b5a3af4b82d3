"""Features of payments: the same code in training and in serving, batch or one by one.

What a feature means and how it reads is in `names`; how it is computed in
`kernel`; what is remembered, forgotten, saved in `state`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from veridict.core.errors import BadStream
from veridict.watch.arrays import F64, I64
from veridict.watch.features import kernel
from veridict.watch.features.kernel import EMPTY
from veridict.watch.features.names import FEATURES, RISK_FEATURES
from veridict.watch.features.state import Limits, Memory
from veridict.watch.stream import Table

assert len(FEATURES) == kernel.FEATURES
assert len(RISK_FEATURES) == kernel.RISK_FEATURES


class PaymentFeatures:
    """An `Extractor` over tables with columns payer, payee, amount_minor.

    With `label_delay_s` the labels in the rows become features of later payments, that many
    seconds after theirs: what investigators know by then. None: labels are never looked at.
    Where labels come by themselves, rows are given without them and `learn` is told: the same bits.
    Not safe for several threads.
    """

    def __init__(self, *, label_delay_s: int | None = None, limits: Limits | None = None) -> None:
        self.label_delay_s = label_delay_s
        self._memory = Memory(-1 if label_delay_s is None else label_delay_s, limits or Limits())
        self.features = FEATURES if label_delay_s is None else FEATURES + RISK_FEATURES

    def batch(self, rows: Table[Any]) -> F64:
        """float64[n, len(features)]; changes the state. Raises BadStream if time falls."""
        times_s = rows.times_s
        x = np.empty((len(times_s), len(self.features)))
        if not len(times_s):
            return x
        if times_s[0] < self._memory.now_s or (times_s[1:] < times_s[:-1]).any():
            raise BadStream(
                f"{rows.ids[0]} or a later row is earlier than a row already seen",
                remedy="give payments to the extractor in the order of time",
                first=rows.ids[0],
            )
        names = (rows.strings("payer"), rows.strings("payee"))
        amounts = rows.integers("amount_minor") / 100.0
        self._memory.run(times_s, *names, amounts, rows.labels.astype(np.int64), x)
        return x

    def learn(self, known: Table[Any], known_s: I64 | None = None) -> None:
        """Labels of earlier rows count for rows from `known_s` on, int64[n], now by default.

        Unknown labels are skipped, and those of accounts forgotten meanwhile.
        """
        memory = self._memory
        if memory.delay_s < 0 or not len(known):
            return
        numbers = memory.numbers
        payers, payees = (
            np.array([numbers.get(name, EMPTY) for name in known.strings(side)], np.int64)
            for side in ("payer", "payee")
        )
        labels = known.labels.astype(np.int64)
        from_s = np.full(len(known), memory.now_s) if known_s is None else known_s
        fresh = np.column_stack([from_s, payers, payees, labels, known.times_s])
        memory.tell(fresh[(labels >= 0) & (payers != EMPTY) & (payees != EMPTY)])

    @property
    def memory_bytes(self) -> int:
        """What the state holds: arrays, and the accounts' names."""
        return self._memory.size_bytes()

    def save(self) -> bytes:
        return self._memory.save()

    def restore(self, state: bytes) -> None:
        self._memory = Memory.restored(state, self._memory.delay_s, self._memory.limits)
