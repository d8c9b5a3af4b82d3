"""Payments to an address that looks like one used before, but is another.

Scenario: address poisoning. A thief makes an address with the same first and last digits as one
that the victim pays, and plants it in the victim's history with a payment of dust; the victim
copies the wrong one.
Remedy: hold the payment and show both addresses in full, side by side. The planting itself is
reviewed, before anybody has lost money.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import ClassVar

from veridict.core.codec import canonical_json
from veridict.core.nouns import Decision
from veridict.watch.detectors.base import Alert, Example, View

# Digits after 0x that wallets show, and that chance repeats once in 16^7 pairs.
FIRST, LAST = 3, 4
REMEMBERED = 1 << 20

EXAMPLE = Example(
    (
        (0, "0x" + "11" * 20, "0xa7b4bac8f0f9692e56750aefb5f6cb5516e90570", 100_000),
        (60, "0xa7bf48749d2e4aa29e3209879956b9baa9e90570", "0x" + "11" * 20, 1),
        (90, "0x" + "11" * 20, "0xa7bf48749d2e4aa29e3209879956b9baa9e90570", 2_000_000),
        (95, "0x" + "11" * 20, "0xa7b4bac8f0f9692e56750aefb5f6cb5516e90570", 2_000_000),
    ),
    alerts=(1, 2),
)


class LookAlike:
    """Remembers, for each account, one address a pattern of digits: the first that was used."""

    name = "look_alike"
    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()

    def judge(self, view: View) -> list[Alert]:
        alerts = []
        pairs = zip(view.rows.strings("payer"), view.rows.strings("payee"), strict=True)
        for row, (payer, payee) in enumerate(pairs):
            known = self._other(payer, payee)
            if known is not None:
                reason = f"the payee {payee} looks like {known}, which the payer used before"
                alerts.append(Alert(row, self.name, Decision.HOLD, reason, 1.0))
            planted = self._other(payee, payer)
            if planted is not None:
                reason = f"the payer {payer} looks like {planted}, which the payee used before"
                alerts.append(Alert(row, self.name, Decision.REVIEW, reason, 0.5))
        return alerts

    def _other(self, owner: str, address: str) -> str | None:
        """The address of `owner` that `address` looks like; remembered if there is none."""
        pattern = pattern_of(address)
        if pattern is None:
            return None
        key, lower = (owner.lower(), pattern), address.lower()
        known = self._known.setdefault(key, lower)
        self._known.move_to_end(key)
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)
        return None if known == lower else known

    def save(self) -> bytes:
        return canonical_json([[*key, value] for key, value in self._known.items()])

    def restore(self, state: bytes) -> None:
        self._known = OrderedDict(((a, b), c) for a, b, c in json.loads(state))


def pattern_of(address: str) -> str | None:
    """First and last digits of an Ethereum address; None for any other name."""
    if len(address) != 42 or address[:2] not in ("0x", "0X"):
        return None
    return (address[2 : 2 + FIRST] + address[-LAST:]).lower()
