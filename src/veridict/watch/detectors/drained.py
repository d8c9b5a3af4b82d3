"""Accounts that are emptied.

Scenario: a thief has the keys, or has talked the customer into it, and moves all there is to an
account that never was paid before.
Remedy: hold what is left; call the customer before the rest is gone.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import ClassVar

from veridict.core.codec import canonical_json
from veridict.core.nouns import Decision
from veridict.watch.detectors.base import Alert, Example, View

SHARE = 0.9
MIN_RECEIPTS = 3  # before, too little is known of what the account holds
MIN_RETAINED = 3  # times the last receipt: who passes all on at once is no store of value
REMEMBERED = 1 << 20

EXAMPLE = Example(
    (
        *((86_400 * i, "employer", "alice", 200_000) for i in range(4)),
        (400_000, "alice", "grocer", 10_000),
        (500_000, "alice", "stranger", 780_000),
    ),
    alerts=(5,),
)


class Drained:
    """Estimates what an account holds by what it received and paid since it was first seen."""

    name = "drained"
    needs: ClassVar[tuple[str, ...]] = ("pair_age",)

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        # account -> receipts, the last of them, what is held; in cents
        self._accounts: OrderedDict[str, tuple[int, int, int]] = OrderedDict()

    def judge(self, view: View) -> list[Alert]:
        rows, alerts = view.rows, []
        age = view.feature("pair_age")
        amounts = rows.integers("amount_minor").tolist()
        pairs = zip(rows.strings("payer"), rows.strings("payee"), amounts, strict=True)
        for row, (payer, payee, amount) in enumerate(pairs):
            receipts, last, held = self._accounts.get(payer, (0, 0, 0))
            settled = receipts >= MIN_RECEIPTS and held >= MIN_RETAINED * last
            if settled and held and amount >= SHARE * held and age[row] != age[row]:
                reason = f"{min(1.0, amount / held):.0%} of what the payer held goes to a new payee"
                alerts.append(Alert(row, self.name, Decision.HOLD, reason, 0.9))
            self._move(payer, payee, amount)
        return alerts

    def _move(self, payer: str, payee: str, amount: int) -> None:
        receipts, last, held = self._accounts.get(payer, (0, 0, 0))
        self._put(payer, (receipts, last, max(0, held - amount)))
        receipts, last, held = self._accounts.get(payee, (0, 0, 0))
        self._put(payee, (receipts + 1, amount, held + amount))

    def _put(self, account: str, value: tuple[int, int, int]) -> None:
        self._accounts[account] = value
        self._accounts.move_to_end(account)
        if len(self._accounts) > self._remembered:
            self._accounts.popitem(last=False)

    def save(self) -> bytes:
        items = [[name, *map(str, value)] for name, value in self._accounts.items()]
        return canonical_json(items)

    def restore(self, state: bytes) -> None:
        self._accounts = OrderedDict(
            (name, (int(a), int(b), int(c))) for name, a, b, c in json.loads(state)
        )
