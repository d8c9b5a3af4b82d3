"""The rule of contracts/AdaptiveParameter.vy, to the unit, for simulations and for its callers."""

from __future__ import annotations

from dataclasses import dataclass

from veridict.core.nouns import SCORE_BITS


@dataclass(frozen=True, slots=True)
class Limits:
    """What its owner fixed for ever, in the contract's order. Integers of the parameter's unit."""

    low: int
    high: int
    safe: int  # the value without predictions
    max_step: int  # a move, at most
    cool_down_s: int  # between moves
    expiry_s: int  # after a move without another, back to safe
    veto_s: int  # after a veto, no moves
    base: int  # the target at score 0
    slope: int  # of the target, by 2^32 of score

    def target(self, score: int) -> int:
        """Where a prediction of `score` says it should stand, within the bounds."""
        return min(self.high, max(self.low, self.base + (score * self.slope >> SCORE_BITS)))

    def step(self, before: int, score: int) -> int:
        """Where it stands after following that prediction from `before`."""
        target = self.target(score)
        return max(min(target, before + self.max_step), before - self.max_step)


@dataclass(slots=True)
class Follower:
    """One parameter through time, as the contract would have it. Times in whole seconds."""

    limits: Limits
    _value: int = 0
    _moved_at_s: int | None = None

    def value(self, now_s: int) -> int:
        """Safe before the first move, and when predictions stopped."""
        if self._moved_at_s is None or now_s >= self._moved_at_s + self.limits.expiry_s:
            return self.limits.safe
        return self._value

    def is_due(self, now_s: int) -> bool:
        return self._moved_at_s is None or now_s >= self._moved_at_s + self.limits.cool_down_s

    def follow(self, score: int, now_s: int) -> int:
        """The value after a prediction of `score`; unmoved while it cools down."""
        if self.is_due(now_s):
            self._value = self.limits.step(self.value(now_s), score)
            self._moved_at_s = now_s
        return self.value(now_s)
