"""A federation's contract with members, and its arithmetic told again in Python."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import boa
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.support.contracts import account, deploy
from veridict.proofs.merkle import leaf_hash, root_from_leaf_hashes

ETHER = 10**18
IDLE, COMMITTING, REVEALING, VOTING, CHALLENGING, JURY, DONE, FAILED = range(8)
START, RULES_DIGEST = sha256(b"start").digest(), sha256(b"rules").digest()
NONE = b"\0" * 32
NOBODY = 255


@dataclass(frozen=True, slots=True)
class Rules:
    stake: int = ETHER
    fine: int = ETHER // 10
    reward: int = ETHER
    least: int = 3
    commit_s: int = 100
    reveal_s: int = 100
    vote_s: int = 50
    challenge_s: int = 200
    open_updates: bool = True

    @property
    def words(self) -> tuple[object, ...]:
        return (
            RULES_DIGEST,
            START,
            self.stake,
            self.fine,
            self.reward,
            self.least,
            self.commit_s,
            self.reveal_s,
            self.vote_s,
            self.challenge_s,
            self.open_updates,
        )


class Federation:
    """`owners[i]` is member number i."""

    def __init__(self, members: int = 5, **rules: Any) -> None:
        self.rules = replace(Rules(), **rules)
        self.contract: Any = deploy("Federation", self.rules.words)
        self.owners: list[str] = []
        for i in range(members):
            self.join(f"member {i}")

    def join(self, name: str) -> str:
        owner = str(account(name).address)
        boa.env.set_balance(owner, 100 * ETHER)
        key = sha256(name.encode()).digest()
        number = self.contract.join(key, sender=owner, value=self.rules.stake)
        assert number == len(self.owners)
        self.owners.append(owner)
        return owner

    def commitment(self, member: int, digest: bytes, salt: bytes) -> bytes:
        words = (self.contract.round(), digest, salt, self.owners[member])
        return keccak(encode(["uint256", "bytes32", "bytes32", "address"], words))

    def commit(self, *members: int) -> None:
        for member in members:
            commitment = self.commitment(member, digest(member), salt(member))
            self.contract.commit(commitment, sender=self.owners[member])

    def reveal(self, *members: int) -> None:
        for member in members:
            self.contract.reveal(digest(member), salt(member), sender=self.owners[member])

    def to_votes(self) -> list[int]:
        """A round up to its votes, all having revealed; the members drawn."""
        self.contract.open_round(sender=self.owners[0])
        standing = [i for i in range(len(self.owners)) if self.contract.standing(i)]
        self.commit(*standing)
        self.reveal(*standing)
        return [int(i) for i in self.contract.committee()]

    def decided(self, state: bytes = b"s" * 32, report: bytes = b"r" * 32) -> list[int]:
        drawn = self.to_votes()
        for member in drawn[:2]:
            self.contract.vote(state, report, sender=self.owners[member])
        return drawn

    def final(self, state: bytes = b"s" * 32, report: bytes = b"r" * 32) -> list[int]:
        drawn = self.decided(state, report)
        boa.env.time_travel(seconds=self.rules.challenge_s)
        self.contract.finalise()
        return drawn


def digest(member: int) -> bytes:
    return sha256(b"update %d" % member).digest()


def salt(member: int) -> bytes:
    return sha256(b"salt %d" % member).digest()


def drawn_by(beacon: bytes, members: list[int], span: int) -> list[int]:
    """Sortition, in Python."""
    found: list[int] = []
    for i in range(128):
        if len(found) == min(5, len(members)):
            break
        number = int.from_bytes(keccak(encode(["bytes32", "uint256"], [beacon, i]))) % span
        if number in members and number not in found:
            found.append(number)
    return found + [NOBODY] * (5 - len(found))


def report_leaves(amounts: list[int]) -> list[bytes]:
    return [leaf_hash(encode(["uint256", "uint256"], [i, a])) for i, a in enumerate(amounts)]


def report_of(amounts: list[int]) -> bytes:
    return root_from_leaf_hashes(report_leaves(amounts))
