"""What the features of payments mean and how each reads; `features` computes them.

Recent means decayed with a half-life, see `kernel`. NaN stands where
there is nothing to compare with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feature:
    """`text` shows the value {v}; `absent` is said where the value is NaN."""

    name: str
    text: str
    absent: str = "nothing to compare with yet"

    def sentence(self, value: float) -> str:
        return self.absent if math.isnan(value) else self.text.format(v=value)

    def short(self, value: float) -> str:
        """The value alone, as the sentence spells it."""
        start = self.text.index("{v")
        spelled = self.text[start : self.text.index("}", start) + 1]
        return "nothing" if math.isnan(value) else spelled.format(v=value)


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
