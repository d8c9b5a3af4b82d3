"""Norm clip and cosine trust to a root update (after Cao et al., "FLTrust", NDSS 2021).

The root update is what the public root batch would teach. An update counts by its cosine to
it, nothing below zero, and no longer than the root: a party may turn the model a little, by
data the root has never seen, and never against it or far. Small updates stay small, so that
noise from a party without data is not lifted to everybody's length.
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from veridict.core.errors import BadInput
from veridict.federated.fixed import I64, divide, inner, norm2
from veridict.federated.rules.rule import SHARE_ONE, Aggregate, Rule


class Trust(Rule):
    """Needs `root`, the public root batch's update. Withstands any number of hostile parties."""

    name = "trust"

    def _aggregate(self, updates: I64, weights: I64, root: I64 | None) -> Aggregate:
        if root is None or root.shape != updates.shape[1:]:
            raise BadInput(
                "the rule `trust` needs the root batch's update",
                remedy="give a public root batch, or choose another rule",
            )
        root2 = norm2(root)
        norms2 = [norm2(update) for update in updates]
        trusts = [
            cosine(inner(update, root), square, root2)
            for update, square in zip(updates, norms2, strict=True)
        ]
        # 2^16 of trust by 2^16 of weight, to 2^16: the products with 2^27 stay below 2^63.
        shares = [trust * int(w) >> 16 for trust, w in zip(trusts, weights, strict=True)]
        total = sum(shares)
        if total == 0:
            return Aggregate(np.zeros_like(root), (0,) * len(updates))
        step = np.zeros_like(root)
        for update, square, share in zip(updates, norms2, shares, strict=True):
            if share:
                step += shortened(update, square, root2) * share
        return Aggregate(divide(step, total), tuple(s * SHARE_ONE // total for s in shares))


def cosine(product: int, a2: int, b2: int) -> int:
    """max(0, cos) in units of 2^-16, floored; 0 where either is the zero vector."""
    if product <= 0 or a2 == 0 or b2 == 0:
        return 0
    return min(SHARE_ONE, (product << 16) // max(1, isqrt(a2 * b2)))


def shortened(update: I64, square: int, root2: int) -> I64:
    """`update` no longer than the root."""
    if square <= root2:
        return update
    return divide(update * isqrt(root2), max(1, isqrt(square)))
