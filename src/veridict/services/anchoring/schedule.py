"""When to anchor: as soon as it is cheap for the time waited, at the deadline at any price.

An anchor covers everything that waits, so its price is paid for a span of time. Posting at
the deadline each time, at the usual fee, costs `usual / deadline` per second. The rule posts
earlier exactly when that costs no more: when the fee has fallen at least as far below the
usual one as the wait falls short of the deadline. The fee it accepts thus rises in a
straight line, from nothing when the first record comes to the usual fee at the deadline.

Another rule, say one that forecasts fees, takes the place of `patient` with the same
signature; the deadline holds whatever it answers, see `decide`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LEAD_DIVISOR, LONGEST_LEAD_S = 4, 30  # set aside for being mined: a quarter, 30 s at the most


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known when it is asked whether to post. Fees are wei per unit of gas.

    `waited_s` is the age of the oldest record that waits; `recent_wei` runs from the oldest
    block to the newest, and is empty where the chain tells no fees.
    """

    waited_s: float
    deadline_s: float
    fee_wei: int
    recent_wei: tuple[int, ...] = ()

    @property
    def last_call_s(self) -> float:
        """When to post at the latest, for the anchor to be mined by the deadline."""
        return self.deadline_s - min(self.deadline_s / LEAD_DIVISOR, LONGEST_LEAD_S)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`accepted_wei` is the fee at which it would be posted now; None: any, the time has come."""

    post: bool
    accepted_wei: int | None


Rule = Callable[[Moment], int]  # the fee it accepts at this moment


def decide(moment: Moment, rule: Rule) -> Verdict:
    """`rule`, held to the deadline."""
    if moment.waited_s >= moment.last_call_s:
        return Verdict(True, None)
    accepted = rule(moment)
    return Verdict(bool(moment.recent_wei) and moment.fee_wei <= accepted, accepted)


def patient(moment: Moment) -> int:
    """The usual fee (the median of the recent blocks), times the part of the wait that is over."""
    if not moment.recent_wei or moment.last_call_s <= 0:
        return 0
    usual = sorted(moment.recent_wei)[len(moment.recent_wei) // 2]
    return int(usual * min(1.0, max(0.0, moment.waited_s) / moment.last_call_s))
