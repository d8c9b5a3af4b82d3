"""When to anchor: when the fee is low for the time waited, at the deadline at any price.

What is accepted is a share of the usual fee (the median of the recent blocks) that rises to
the whole at the deadline. How it rises depends on whether records still come:

    `in_stream`   they come: part², with part = the part of the wait that is over. An early
                  anchor only brings the next one nearer, so it must be cheap for the span
                  that it covers; mostly this waits for the deadline, which is right
    `patient`     they stopped: 1 - 0.2·√(1 - part). What waits is one batch, to be posted
                  once, and every fee below the usual one is a gain

On Ethereum's blocks of October to December 2023, with deadlines of ½, 1, 2 and 5 hours, a
batch costs 6, 9, 10 and 11 % less than posted at once, and a steady stream within 3 % of what
posting at the deadline costs. The shares were chosen there. The rule for a batch, used on a
stream, costs 10 to 100 times as much: it posts at every dip.

Another rule for a batch, say one that forecasts fees, takes the place of `patient` with the
same signature. It is not asked about a stream, and the deadline holds whatever it answers.
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


Rule = Callable[[Moment], int]  # the fee it accepts for a batch at this moment


def decide(moment: Moment, rule: Rule) -> Verdict:
    """`rule` for a batch, `in_stream` for a stream, and the deadline for both."""
    if moment.waited_s >= moment.last_call_s:
        return Verdict(True, None)
    accepted = rule(moment) if is_batch(moment) else in_stream(moment)
    return Verdict(bool(moment.recent_wei) and moment.fee_wei <= accepted, accepted)


def is_batch(moment: Moment) -> bool:
    """Have records stopped coming?"""
    return moment.quiet_s >= STOPPED * moment.last_call_s


def patient(moment: Moment) -> int:
    return int(_usual(moment) * (1 - DEPTH * (1 - _part(moment)) ** 0.5))


def in_stream(moment: Moment) -> int:
    return int(_usual(moment) * _part(moment) ** 2)


def _usual(moment: Moment) -> int:
    """The median; 0 where nothing is known, which accepts nothing."""
    recent = sorted(moment.recent_wei)
    return recent[len(recent) // 2] if recent else 0


def _part(moment: Moment) -> float:
    """Of the wait that is over, 0 to 1."""
    return min(1.0, max(0.0, moment.waited_s) / moment.last_call_s) if moment.last_call_s else 1.0
