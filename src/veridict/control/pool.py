"""The pool's arithmetic, to the unit as contracts/DynamicFeePool.vy does it, for simulations.

Reserves and amounts are token units; fees are millionths of what is paid in.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Pool:
    """Reserves of two tokens; a price is y for one x."""

    x: int
    y: int

    @property
    def price(self) -> float:
        return self.y / self.x

    def quote(self, pays_x: bool, paid: int, fee: int) -> int:
        """What comes out for `paid`."""
        into, out = (self.x, self.y) if pays_x else (self.y, self.x)
        counted = paid * (MILLION - fee) // MILLION
        return out * counted // (into + counted) if into else 0

    def traded(self, pays_x: bool, paid: int, fee: int) -> tuple[Pool, int]:
        """The pool after a trade, and what came out."""
        out = self.quote(pays_x, paid, fee)
        after = Pool(self.x + paid, self.y - out) if pays_x else Pool(self.x - out, self.y + paid)
        return after, out

    def arbitrage(self, numerator: int, denominator: int, fee: int) -> tuple[bool, int]:
        """(pays_x, paid): the trade that earns most at the outside price of y for one x.

        That price is numerator / denominator. Paid is 0 where the fee eats every gain. The best
        trade leaves the marginal price, after the fee, at the outside one (Angeris et al., 2019).
        """
        share = MILLION - fee
        # Buying x with y while the pool sells it below the outside price: y' = sqrt(k·p·share).
        k = self.x * self.y
        want_y = isqrt(k * numerator * share // (denominator * MILLION))
        if want_y > self.y:
            return False, (want_y - self.y) * MILLION // share
        want_x = isqrt(k * denominator * share // (numerator * MILLION))
        if want_x > self.x:
            return True, (want_x - self.x) * MILLION // share
        return True, 0
