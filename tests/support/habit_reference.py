"""Habits, slow and readable: judges the compiled kernel bit for bit. Nothing is ever forgotten."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

from tests.support.payment_reference import DAY_S, DAYS, NAN, age, decay, ratio

HOUR_S, WEEK_S, MONTH_S = 3600, 7 * DAY_S, 30 * DAY_S


def _zeros(n: int) -> list[float]:
    return [0.0] * n


@dataclass
class Side:
    last_s: int | None = None
    n: float = 0.0
    mean: float = 0.0
    spread: float = 0.0
    gap: float = 0.0
    hour: list[float] = field(default_factory=lambda: _zeros(2))
    unusual: list[float] = field(default_factory=lambda: _zeros(2))
    peak: float = 0.0
    parts: list[float] = field(default_factory=lambda: _zeros(8))
    known_s: int | None = None
    checked: list[float] = field(default_factory=lambda: _zeros(3))
    bad: list[float] = field(default_factory=lambda: _zeros(3))
    plain: list[float] = field(default_factory=lambda: _zeros(3))
    bad_s: int | None = None
    good_s: int | None = None
    streak: list[tuple[int, float]] = field(default_factory=list)

    def multiple(self, amount: float) -> float:
        return amount / self.mean if self.n >= 5 and self.mean > 0 else 1.0

    def described(self, now_s: int, amount: float) -> list[float]:
        deviation = math.sqrt(self.spread) if self.n >= 2 else 0.0
        left = decay(self.last_s, now_s, HOUR_S)
        return [
            ratio(amount, self.mean) if self.n else NAN,
            (amount - self.mean) / deviation if deviation > 0 else NAN,
            self.hour[0] * left,
            self.hour[1] * left,
        ]

    def count(self, now_s: int, amount: float) -> None:
        times = self.multiple(amount)
        week, hour, month = (decay(self.last_s, now_s, h) for h in (WEEK_S, HOUR_S, MONTH_S))
        self.unusual = [
            u * week + (1.0 if times > top else 0.0)
            for u, top in zip(self.unusual, (2, 3), strict=True)
        ]
        self.peak = max(self.peak * week, times if times > 1 else 0.0)
        self.hour = [self.hour[0] * hour + 1.0, self.hour[1] * hour + amount]
        self.parts = [p * month for p in self.parts]
        self.parts[now_s % DAY_S // (DAY_S // 8)] += 1.0
        weight = max(1.0 / (self.n + 1.0), 0.01)
        if self.last_s is not None:
            self.gap += max(1.0 / self.n, 0.01) * (float(now_s - self.last_s) - self.gap)
        away = (amount if self.n < 5 else min(amount, 3.0 * self.mean)) - self.mean
        self.mean += weight * away
        self.spread = (1.0 - weight) * (self.spread + weight * away * away)
        self.n += 1.0
        self.last_s = now_s

    def learn(self, paid_s: int, bad: float, plain: float) -> None:
        ordered = self.known_s is None or paid_s >= self.known_s
        for w, days in enumerate(DAYS):
            left = decay(self.known_s, paid_s, days * DAY_S) if ordered else 1.0
            weight = 1.0 if ordered else decay(paid_s, self.known_s or 0, days * DAY_S)
            self.checked[w] = self.checked[w] * left + weight
            self.bad[w] = self.bad[w] * left + weight * bad
            self.plain[w] = self.plain[w] * left + weight * plain
        self.known_s = paid_s if ordered else self.known_s
        if bad:
            self.streak.append((paid_s, plain))
            self.bad_s = max(paid_s, self.bad_s or paid_s)
        else:
            self.streak = []
            self.good_s = max(paid_s, self.good_s or paid_s)


class HabitReference:
    """`row` gives a payment's features as a list, after which it counts."""

    def __init__(self, label_delay_s: int | None) -> None:
        self.delay_s = label_delay_s
        self.payers: dict[str, Side] = defaultdict(Side)
        self.payees: dict[str, Side] = defaultdict(Side)
        self.waiting: deque[tuple[int, str, str, float, int]] = deque()

    def row(self, now_s: int, payer: str, payee: str, minor: int, label: int | None) -> list[float]:
        amount = minor / 100
        while self.delay_s is not None and self.waiting:
            if self.waiting[0][0] + self.delay_s > now_s:
                break
            self.learn(*self.waiting.popleft())
        out, into = self.payers[payer], self.payees[payee]
        x = [*out.described(now_s, amount), *into.described(now_s, amount)]
        x += self._habits(out, into, now_s)
        if self.delay_s is not None:
            x += self._risks(out, into, now_s, self.delay_s)
            if label is not None:
                self.waiting.append((now_s, payer, payee, amount, label))
        out.count(now_s, amount)
        into.count(now_s, amount)
        return x

    def learn(self, paid_s: int, payer: str, payee: str, amount: float, label: int) -> None:
        bad = float(label)
        plain = bad if self.payers[payer].multiple(amount) <= 2 else 0.0
        self.payers[payer].learn(paid_s, bad, plain)
        self.payees[payee].learn(paid_s, bad, plain)

    def _habits(self, out: Side, into: Side, now_s: int) -> list[float]:
        week = decay(out.last_s, now_s, WEEK_S)
        total = 0.0
        for part in out.parts:
            total += part
        return [
            out.mean if out.n else NAN,
            math.sqrt(out.spread) if out.n >= 2 else NAN,
            out.n,
            out.unusual[0] * week,
            out.unusual[1] * week,
            out.peak * week,
            (now_s - (out.last_s or 0)) / out.gap if out.gap > 0 else NAN,
            ratio(out.parts[now_s % DAY_S // (DAY_S // 8)], total),
            into.n,
            float((now_s // DAY_S + 3) % 7),
        ]

    def _risks(self, out: Side, into: Side, now_s: int, delay_s: int) -> list[float]:
        by = max(now_s - delay_s, into.known_s or 0)
        month = decay(out.known_s, max(now_s - delay_s, out.known_s or 0), MONTH_S)
        return [
            into.bad[0] * decay(into.known_s, by, DAY_S),
            ratio(into.bad[0], into.checked[0]),
            *(into.plain[w] * decay(into.known_s, by, d * DAY_S) for w, d in enumerate(DAYS)),
            age(into.bad_s, now_s),
            age(into.good_s, now_s),
            float(len(into.streak)),
            sum((plain for _, plain in into.streak), 0.0),
            age(into.streak[0][0] if into.streak else None, now_s),
            age(out.bad_s, now_s),
            out.plain[2] * month,
            (out.bad[2] - out.plain[2]) * month,
        ]
