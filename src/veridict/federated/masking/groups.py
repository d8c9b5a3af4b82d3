"""Who sums with whom: groups drawn by public randomness, so that nobody picks a victim's."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from veridict.core.errors import BadInput
from veridict.federated.fixed import GROUP_MAX

GROUP_MIN = 3  # of two, each knows the other's update from the sum


def draw_groups(beacon: bytes, parties: Sequence[bytes], size: int) -> list[list[int]]:
    """Indexes of `parties` (their public keys) in groups of `size` or more, at most GROUP_MAX.

    The order is that of SHA-256(beacon ‖ key), so it depends on neither's choice alone.
    Raises BadInput for fewer than GROUP_MIN parties.
    """
    if not GROUP_MIN <= size <= GROUP_MAX or len(parties) < GROUP_MIN:
        raise BadInput(
            f"groups of {size} among {len(parties)} parties",
            remedy=f"use groups of {GROUP_MIN} to {GROUP_MAX}, and at least {GROUP_MIN} parties",
        )
    order = sorted(range(len(parties)), key=lambda i: sha256(beacon + parties[i]).digest())
    count = max(1, len(order) // size, -(-len(order) // GROUP_MAX))
    return [sorted(order[start::count]) for start in range(count)]
