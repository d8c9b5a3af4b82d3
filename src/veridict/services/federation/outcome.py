"""What a round comes to: recomputed by every member from the same posts, bit for bit.

    root update → sums → rule → state
                        ↘ shares → rewards → report (a Merkle root over all members' rewards)

The root batch's update is trained in floats, which may differ in the last bits between
machines. So a vote comes with a ballot: what was counted, and the root's update that was used.
Others count by the same ballot, if that update is within tolerance of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from eth_abi.abi import encode

from veridict.core.errors import BadInput
from veridict.federated.contribution import rewards
from veridict.federated.fixed import Update
from veridict.federated.learners.learner import digest_of
from veridict.federated.round import Turned
from veridict.federated.wire import decode_update
from veridict.proofs.merkle import leaf_hash, root_from_leaf_hashes
from veridict.proofs.prover import inclusion_proof
from veridict.services.federation.seat import Decision

_BITS = 32  # bytes
ROOT_TOLERANCE = 1 << 12  # of 2^27: what other float arithmetic may cost, and far below a poison


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a vote stands on: the members whose updates were counted, and the root's update.

    counted, a bit for each member 32B │ the root's update, as on the wire; or nothing
    """

    counted: frozenset[int]
    root: bytes

    def encode(self) -> bytes:
        return sum(1 << number for number in self.counted).to_bytes(_BITS, "big") + self.root

    @classmethod
    def read(cls, data: bytes) -> Ballot | None:
        """None for what is none."""
        if len(data) < _BITS:
            return None
        bits = int.from_bytes(data[:_BITS], "big")
        return cls(frozenset(n for n in range(8 * _BITS) if bits >> n & 1), data[_BITS:])


@dataclass(frozen=True, slots=True)
class Refusal:
    """A member left out of a round, and why."""

    member: int
    finding: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """`amounts`: wei for each member number."""

    turned: Turned
    amounts: tuple[int, ...]
    refusals: tuple[Refusal, ...]

    @property
    def decision(self) -> Decision:
        return Decision(digest_of(self.turned.state), root_from_leaf_hashes(self._leaves))

    def proof(self, member: int) -> list[bytes]:
        """Inclusion of the member's reward in the report."""
        leaves = self._leaves

        def nodes(level: int, index: int) -> bytes:
            return root_from_leaf_hashes(leaves[index << level : (index + 1) << level])

        return inclusion_proof(member, len(leaves), nodes)

    @property
    def _leaves(self) -> list[bytes]:
        words = (encode(["uint256", "uint256"], [n, a]) for n, a in enumerate(self.amounts))
        return [leaf_hash(word) for word in words]


def settled(
    turned: Turned, stakes: Sequence[int], pot: int, refusals: Sequence[Refusal] = ()
) -> Outcome:
    """`stakes`: wei, by member number; `pot`: wei a round pays at most.

    Rewards follow the parts that the rule gave, which are exact: all members find the same.
    """
    paid = rewards(turned.shares, dict(enumerate(stakes)), pot)
    silent = [
        Refusal(member, "federation.no-say", "the rule gave its update no part")
        for member in turned.without_say
    ]
    return Outcome(
        turned,
        tuple(paid.get(member, 0) for member in range(len(stakes))),
        (*refusals, *silent),
    )


def opened_updates(
    bodies: Mapping[int, bytes], length: int
) -> tuple[dict[int, Update], list[Refusal]]:
    """Open updates by member; those that are malformed or above the bound are refused by name."""
    good, refused = {}, []
    for member, body in sorted(bodies.items()):
        try:
            good[member] = decode_update(body, length)
        except BadInput as error:
            refused.append(Refusal(member, "federation.bad-update", error.message))
    return good, refused


def near_root(own: Update, posted: bytes) -> Update | None:
    """The root's update as it was posted, if it is what this member's own training gives too."""
    try:
        theirs = decode_update(posted, len(own.values))
    except BadInput:
        return None
    near = np.abs(theirs.values - own.values).max() <= ROOT_TOLERANCE
    return theirs if near and theirs.weight == own.weight else None
