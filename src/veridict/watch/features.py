"""Features of payments: the same code in training and in serving, batch or one by one.

What a feature means and how it reads is here; how it is computed in `feature_kernel`;
what is remembered, forgotten, saved in `feature_state`. Recent means decayed with a
half-life, see there. NaN stands where there is nothing to compare with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from veridict.core.errors import BadStream
from veridict.watch import feature_kernel as kernel
from veridict.watch.arrays import F64
from veridict.watch.feature_state import Limits, Memory
from veridict.watch.stream import Table


@dataclass(frozen=True, slots=True)
class Feature:
    """`text` shows the value {v}; `absent` is said where the value is NaN."""

    name: str
    text: str
    absent: str = "nothing to compare with yet"

    def sentence(self, value: float) -> str:
        return self.absent if math.isnan(value) else self.text.format(v=value)


def _side(who: str, did: str, other: str) -> tuple[Feature, ...]:
    """The seven features of one side of the payment, as `describe_side` writes them."""
    first = f"the {who} never {did} before"
    return (
        *(
            Feature(f"{who}_{did}_{d}d", f"the {who} {did} about {{v:.1f}} times in {span}")
            for d, span in ((1, "a day"), (7, "7 days"), (30, "30 days"))
        ),
        Feature(f"{who}_usual", f"the {who}'s usual amount is {{v:.2f}}", first),
        Feature(f"{who}_ratio", f"the amount is {{v:.1f}} times the {who}'s usual", first),
        Feature(f"{who}_{did}_age", f"the {who} last {did} {{v:.1f}} days ago", first),
        Feature(f"{who}_{other}s", f"about {{v:.1f}} new {other}s in 30 days for the {who}"),
    )


FEATURES: tuple[Feature, ...] = (
    Feature("amount", "the amount is {v:.2f}"),
    Feature("hour", "it is {v:.1f} h after midnight (UTC)"),
    *_side("payer", "paid", "payee"),
    *_side("payee", "received", "payer"),
    Feature("payer_received_30d", "the payer received about {v:.1f} times in 30 days"),
    Feature(
        "payer_received_age",
        "the payer last received money {v:.1f} days ago",
        "the payer never received money",
    ),
    Feature(
        "pass_on",
        "the amount is {v:.2f} times what the payer last received",
        "the payer never received money",
    ),
    Feature("payee_paid_30d", "the payee paid about {v:.1f} times in 30 days"),
    Feature("payee_paid_age", "the payee last paid {v:.1f} days ago", "the payee never paid"),
    Feature("pair_age", "this payer last paid this payee {v:.1f} days ago", "a new pair"),
    Feature("pair_30d", "this payer paid this payee about {v:.1f} times in 30 days"),
    Feature("pair_ratio", "the amount is {v:.2f} times the pair's last", "a new pair"),
    Feature("back_age", "money went the other way {v:.1f} days ago", "money never went back"),
    Feature("circle", "{v:.0f} accounts close a circle of three between them"),
)

RISK_FEATURES: tuple[Feature, ...] = tuple(
    feature
    for who in ("payer", "payee")
    for d in (7, 30)
    for feature in (
        Feature(f"{who}_bad_{d}d", f"about {{v:.1f}} confirmed cases of the {who} in {d} days"),
        Feature(
            f"{who}_bad_share_{d}d",
            f"a share of {{v:.2f}} of the {who}'s checked payments was bad ({d} days)",
            f"no payment of the {who} was checked yet",
        ),
    )
)

assert len(FEATURES) == kernel.FEATURES
assert len(RISK_FEATURES) == kernel.RISK_FEATURES


class PaymentFeatures:
    """An `Extractor` over tables with columns payer, payee, amount_minor.

    With `label_delay_s` the labels in the rows become features of later payments, that many
    seconds after theirs: what investigators know by then. None: labels are never looked at.
    Not safe for several threads.
    """

    def __init__(self, *, label_delay_s: int | None = None, limits: Limits | None = None) -> None:
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

    @property
    def memory_bytes(self) -> int:
        """What the state holds: arrays, and the accounts' names."""
        return self._memory.size_bytes()

    def save(self) -> bytes:
        return self._memory.save()

    def restore(self, state: bytes) -> None:
        self._memory = Memory.restored(state, self._memory.delay_s, self._memory.limits)
