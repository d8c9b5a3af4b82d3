"""Norm clip and cosine trust to a root update (after Cao et al., "FLTrust", NDSS 2021).

The root update is what the public root batch would teach. An update counts with its rows, and no
longer than the root's: fully down to 1/4 below the usual cosine to the root's (the median, or 0
if that is less), less below, and not at all where it is lower by 3/4. Near the end honest silos
differ from a small root batch by chance alone; FLTrust's cut at 0 then keeps the few that agree
with it, and the model becomes the root batch's. What goes against the root is let in only as far
as what goes its way outweighs it, so no number of hostile parties turns a step against the root.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from veridict.federated.rules.combined import Combination, CombinedRule, Measures
from veridict.federated.rules.rule import SHARE_ONE

_FINE = 12  # bits of a coefficient below those of a share; fewer for more than 255 updates


class Trust(CombinedRule):
    """Needs `root`, the public root batch's update. Withstands any number of hostile parties."""

    name = "trust"
    needs_root = True

    def combination(self, measures: Measures) -> Combination:
        root2 = measures.root2 or 0
        shares, coefficients = [], []
        fine = _FINE - max(0, len(measures.weights).bit_length() - 8)
        cosines = [
            cosine(toward, square, root2)
            for square, toward in zip(measures.norms2, measures.toward, strict=True)
        ]
        usual = max(0, sorted(cosines)[(len(cosines) - 1) // 2])
        for weight, square, cos in zip(measures.weights, measures.norms2, cosines, strict=True):
            # 2^16 of trust by 2^16 of weight, to 2^16
            share = trusted(cos, usual) * weight >> 16
            shares.append(share)
            coefficients.append(shortened(share << fine, square, root2))
        total = sum(shares)
        if total == 0 or root2 == 0:
            return Combination((0,) * len(shares), 1, (0,) * len(shares))
        less, of = _outweighed(coefficients, measures.toward)
        for n, toward in enumerate(measures.toward):
            if toward < 0:
                coefficients[n], shares[n] = coefficients[n] * less // of, shares[n] * less // of
        return Combination(
            tuple(coefficients), total << fine, tuple(s * SHARE_ONE // total for s in shares)
        )


def _outweighed(coefficients: Sequence[int], toward: Sequence[int]) -> tuple[int, int]:
    """By which quotient to take what goes against the root, so that the rest outweighs it."""
    moves = [c * t for c, t in zip(coefficients, toward, strict=True)]
    ahead, back = sum(m for m in moves if m > 0), -sum(m for m in moves if m < 0)
    return (ahead, back) if back > ahead else (1, 1)


def trusted(cos: int, usual: int) -> int:
    """All down to 1/4 below the usual cosine, none from 3/4 below it on; in units of 2^-16."""
    return min(SHARE_ONE, max(0, SHARE_ONE * 3 // 2 + 2 * (cos - usual)))


def cosine(product: int, a2: int, b2: int) -> int:
    """In units of 2^-16, rounded down; 0 where either is the zero vector."""
    if a2 == 0 or b2 == 0:
        return 0
    return max(-SHARE_ONE, min(SHARE_ONE, (product << 16) // max(1, isqrt(a2 * b2))))


def shortened(coefficient: int, square: int, root2: int) -> int:
    """So much less as the update is longer than the root's."""
    if square <= root2:
        return coefficient
    return coefficient * isqrt(root2) // max(1, isqrt(square))
