"""Payment features, slow and readable: judges the compiled kernel bit for bit.

Dictionaries instead of arrays, no limits, nothing ever forgotten. What is decayed is kept
with the time it was last brought up to date.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction

DAY_S = 86_400
DAYS = (1, 7, 30)
MONTH_S = 30 * DAY_S
NAN = math.nan


def sixty_fourth_root_of_half(k: int) -> float:
    """2^(-k/64), correctly rounded, by integer arithmetic alone: floor of the 64th root."""
    bits = 80
    target = 1 << (64 * bits - k)
    low, high = 0, 1 << (bits + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**64 <= target else (low, middle)
    return float(Fraction(low, 1 << bits))


ROOTS = [sixty_fourth_root_of_half(k) for k in range(64)]


def decay(then_s: int | None, now_s: int, half_life_s: int) -> float:
    if then_s is None:
        return 0.0
    tick = half_life_s // 64
    halves, rest = divmod(now_s // tick - then_s // tick, 64)
    return 0.0 if halves >= 64 else ROOTS[rest] * 0.5**halves


def ratio(a: float, b: float) -> float:
    return a / b if b > 0 else NAN


def age(then_s: int | None, now_s: int) -> float:
    return NAN if then_s is None else (now_s - then_s) / DAY_S


@dataclass
class Side:
    """One side of an account: what it paid, or what it received."""

    last_s: int | None = None
    counts: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    fan: float = 0.0

    def features(self, now_s: int, amount: float) -> list[float]:
        counts = [
            c * decay(self.last_s, now_s, d * DAY_S) for c, d in zip(self.counts, DAYS, strict=True)
        ]
        usual = ratio(self.sums[2], self.counts[2])
        fan = self.fan * decay(self.last_s, now_s, MONTH_S)
        return [*counts, usual, ratio(amount, usual), age(self.last_s, now_s), fan]

    def add(self, now_s: int, amount: float, new: bool) -> None:
        for i, days in enumerate(DAYS):
            left = decay(self.last_s, now_s, days * DAY_S)
            self.counts[i] = self.counts[i] * left + 1.0
            self.sums[i] = self.sums[i] * left + amount
        self.fan = self.fan * decay(self.last_s, now_s, MONTH_S) + (1.0 if new else 0.0)
        self.last_s = now_s


@dataclass
class Checked:
    """What is known of an account's earlier payments: rows and events over 7 and 30 days."""

    last_s: int | None = None
    rows: list[float] = field(default_factory=lambda: [0.0, 0.0])
    events: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def features(self, now_s: int) -> list[float]:
        found = []
        for i, days in enumerate(DAYS[1:]):
            found.append(self.events[i] * decay(self.last_s, now_s, days * DAY_S))
            found.append(ratio(self.events[i], self.rows[i]))
        return found

    def add(self, paid_s: int, event: int) -> None:
        for i, days in enumerate(DAYS[1:]):
            left = decay(self.last_s, paid_s, days * DAY_S)
            self.rows[i] = self.rows[i] * left + 1.0
            self.events[i] = self.events[i] * left + event
        self.last_s = paid_s


@dataclass
class Account:
    paid: Side = field(default_factory=Side)
    received: Side = field(default_factory=Side)
    checked_payer: Checked = field(default_factory=Checked)
    checked_payee: Checked = field(default_factory=Checked)
    last_received: float = 0.0
    payees: list[str] = field(default_factory=list)
    payers: list[str] = field(default_factory=list)


@dataclass
class Pair:
    last_s: int
    amount: float
    often: float


def put_first(names: list[str], name: str) -> None:
    if name in names:
        names.remove(name)
    names.insert(0, name)
    del names[4:]


class Reference:
    def __init__(self, label_delay_s: int | None = None) -> None:
        self.delay_s = label_delay_s
        self.accounts: dict[str, Account] = {}
        self.pairs: dict[tuple[str, str], Pair] = {}
        self.waiting: deque[tuple[int, str, str, int]] = deque()

    def row(
        self, now_s: int, payer: str, payee: str, amount_minor: int, label: int | None
    ) -> list[float]:
        sender = self.accounts.setdefault(payer, Account())
        receiver = self.accounts.setdefault(payee, Account())
        amount = amount_minor / 100
        self._learn(now_s)
        x = [amount, (now_s % DAY_S) / 3600]
        x += sender.paid.features(now_s, amount)
        x += receiver.received.features(now_s, amount)
        got, gave = sender.received, receiver.paid
        x += [got.counts[2] * decay(got.last_s, now_s, MONTH_S), age(got.last_s, now_s)]
        x += [ratio(amount, sender.last_received)]
        x += [gave.counts[2] * decay(gave.last_s, now_s, MONTH_S), age(gave.last_s, now_s)]
        pair, back = self.pairs.get((payer, payee)), self.pairs.get((payee, payer))
        if pair is None:
            x += [NAN, 0.0, NAN]
        else:
            often = pair.often * decay(pair.last_s, now_s, MONTH_S)
            x += [age(pair.last_s, now_s), often, ratio(amount, pair.amount)]
        x.append(age(back.last_s if back else None, now_s))
        x.append(float(len(set(receiver.payees) & set(sender.payers))))
        if self.delay_s is not None:
            x += sender.checked_payer.features(now_s) + receiver.checked_payee.features(now_s)
            if label is not None:
                self.waiting.append((now_s, payer, payee, label))
        self._count(now_s, payer, payee, amount)
        return x

    def _learn(self, now_s: int) -> None:
        delay_s = self.delay_s
        while delay_s is not None and self.waiting and self.waiting[0][0] + delay_s <= now_s:
            paid_s, payer, payee, label = self.waiting.popleft()
            self.accounts[payer].checked_payer.add(paid_s, label)
            self.accounts[payee].checked_payee.add(paid_s, label)

    def _count(self, now_s: int, payer: str, payee: str, amount: float) -> None:
        sender, receiver = self.accounts[payer], self.accounts[payee]
        pair = self.pairs.get((payer, payee))
        new = pair is None or now_s - pair.last_s > MONTH_S
        sender.paid.add(now_s, amount, new)
        receiver.received.add(now_s, amount, new)
        often = pair.often * decay(pair.last_s, now_s, MONTH_S) if pair else 0.0
        self.pairs[(payer, payee)] = Pair(now_s, amount, often + 1.0)
        receiver.last_received = amount
        put_first(sender.payees, payee)
        put_first(receiver.payers, payer)
