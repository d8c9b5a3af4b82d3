"""What the features of habits mean and how each reads; `habits_kernel` computes them.

A habit is what is usual for an account over its long past, which single odd amounts hardly move.
"""

from __future__ import annotations

from veridict.watch.features.names import Feature


def _side(who: str) -> tuple[Feature, ...]:
    few = f"the {who} has no history yet"
    return (
        Feature(f"{who}_times_habit", f"the amount is {{v:.1f}} times the {who}'s habit", few),
        Feature(f"{who}_deviations", f"{{v:.1f}} standard deviations from the {who}'s habit", few),
        Feature(f"{who}_hour_count", f"about {{v:.1f}} payments of the {who} within an hour"),
        Feature(f"{who}_hour_sum", f"about {{v:.2f}} moved by the {who} within an hour"),
    )


HABITS: tuple[Feature, ...] = (
    *_side("payer"),
    *_side("payee"),
    Feature("payer_habit", "the payer's habit is {v:.2f}", "the payer has no history yet"),
    Feature(
        "payer_spread", "the payer's amounts spread by {v:.2f}", "the payer has no history yet"
    ),
    Feature("payer_history", "{v:.0f} earlier payments of the payer"),
    Feature("payer_doubles_7d", "about {v:.1f} payments beyond twice the habit in 7 days"),
    Feature("payer_triples_7d", "about {v:.1f} payments beyond three times the habit in 7 days"),
    Feature("payer_peak_7d", "the week's largest payment was about {v:.1f} times the habit"),
    Feature(
        "payer_silence",
        "the payer was silent for {v:.1f} times the usual gap",
        "the payer has no rhythm yet",
    ),
    Feature(
        "payer_part_of_day",
        "a share of {v:.2f} of the payer's payments is made at this time of day",
        "the payer has no history yet",
    ),
    Feature("payee_history", "{v:.0f} earlier payments to the payee"),
    Feature("weekday", "{v:.0f} days after Monday (UTC)"),
)

HABIT_RISKS: tuple[Feature, ...] = (
    Feature("payee_bad_1d", "about {v:.1f} confirmed cases of the payee in a day"),
    Feature(
        "payee_bad_share_1d",
        "a share of {v:.2f} of the payee's checked payments was bad (a day)",
        "no payment of the payee was checked yet",
    ),
    *(
        Feature(
            f"payee_plain_bad_{d}d",
            f"about {{v:.1f}} cases of the payee in amounts usual for the payers ({d} d)",
        )
        for d in (1, 7, 30)
    ),
    Feature("payee_bad_age", "the payee's last known case was {v:.1f} days ago", "no case known"),
    Feature(
        "payee_good_age",
        "the payee's last payment known to be good was {v:.1f} days ago",
        "no good payment known",
    ),
    Feature("payee_streak", "{v:.0f} cases of the payee since its last good payment"),
    Feature("payee_streak_plain", "{v:.0f} of them in amounts usual for the payers"),
    Feature("payee_streak_age", "the payee's cases began {v:.1f} days ago", "no case is open"),
    Feature("payer_bad_age", "the payer's last known case was {v:.1f} days ago", "no case known"),
    Feature("payer_plain_bad_30d", "about {v:.1f} cases of the payer in usual amounts (30 d)"),
    Feature("payer_odd_bad_30d", "about {v:.1f} cases of the payer in unusual amounts (30 d)"),
)
