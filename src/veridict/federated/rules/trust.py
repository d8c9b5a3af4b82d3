"""Norm clip and cosine trust to a root update (after Cao et al., "FLTrust", NDSS 2021).

The root update is what the public root batch would teach. An update counts by its cosine to
it, nothing below zero, and no longer than the root: a party may turn the model a little, by
data the root has never seen, and never against it or far. Small updates stay small, so that
noise from a party without data is not lifted to everybody's length.
"""

from __future__ import annotations

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
        for weight, square, toward in zip(
            measures.weights, measures.norms2, measures.toward, strict=True
        ):
            # 2^16 of trust by 2^16 of weight, to 2^16
            share = cosine(toward, square, root2) * weight >> 16
            shares.append(share)
            coefficients.append(shortened(share << fine, square, root2))
        total = sum(shares)
        if total == 0:
            return Combination((0,) * len(shares), 1, (0,) * len(shares))
        return Combination(
            tuple(coefficients), total << fine, tuple(s * SHARE_ONE // total for s in shares)
        )


def cosine(product: int, a2: int, b2: int) -> int:
    """max(0, cos) in units of 2^-16, floored; 0 where either is the zero vector."""
    if product <= 0 or a2 == 0 or b2 == 0:
        return 0
    return min(SHARE_ONE, (product << 16) // max(1, isqrt(a2 * b2)))


def shortened(coefficient: int, square: int, root2: int) -> int:
    """So much less as the update is longer than the root's."""
    if square <= root2:
        return coefficient
    return coefficient * isqrt(root2) // max(1, isqrt(square))
