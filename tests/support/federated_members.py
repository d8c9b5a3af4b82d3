"""A whole federation in one process: real contract, real shelves, members that ask each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from eth_account import Account

from veridict.chain.client import Client
from veridict.chain.embedded.chain import EmbeddedChain
from veridict.core.errors import PeerUnavailable
from veridict.federated.learners import Rows
from veridict.proofs.signing import PrivateKey
from veridict.services.federation.exchange import Exchange
from veridict.services.federation.member import Member, Told
from veridict.services.federation.posts import Place, Venue
from veridict.services.federation.rules import (
    FeatureRule,
    FederationRules,
    Windows,
    root_digest,
)
from veridict.services.federation.seat import Phase, Seat
from veridict.services.federation.shelf import Shelf

CHAIN_ID, ETHER, START_MS = 31337, 10**18, 1_700_000_000_000
WEIGHTS = np.array([1.5, -1.0, 0.8, 0.0])


def some_rows(seed: int, n: int = 120) -> Rows:
    rng = np.random.default_rng(seed)
    features = np.clip(rng.normal(rng.normal(0, 0.4, 4), 1.0, (n, 4)), -5, 5)
    chance = 1 / (1 + np.exp(0.3 - features @ WEIGHTS))
    return Rows(features, (rng.random(n) < chance).astype(np.int8))


ROOT = some_rows(1000, 80)


def rules_of(**changes: Any) -> FederationRules:
    fields: dict[str, Any] = {
        "name": "test",
        "label": "y",
        "features": tuple(FeatureRule(f"f{i}", "-5", "5") for i in range(4)),
        "rows_max": 120,
        "root": root_digest(ROOT),
        "settings": {"rounds": 2},
        "windows": Windows(commit_s=40, reveal_s=20, vote_s=20, challenge_s=10),
    }
    return FederationRules(**(fields | changes))


@dataclass
class Wire:
    """The way to a member; cut, it answers nothing."""

    to: Exchange
    cut: bool = False

    def posts(self, round_: int, have: frozenset[Place]) -> list[bytes]:
        self._check()
        return self.to.posts(round_, have)

    def state(self, digest: bytes) -> bytes | None:
        self._check()
        return self.to.state(digest)

    def _check(self) -> None:
        if self.cut:
            raise PeerUnavailable("cut off", remedy="heal the network")


@dataclass
class Village:
    """`dead`: members that take no step. Time passes only when nobody can do anything."""

    folder: Path
    rules: FederationRules
    size: int = 4
    dead: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.now_ms = START_MS
        accounts = [Account.from_key(sha256(b"party %d" % i).digest()) for i in range(self.size)]
        self.chain = EmbeddedChain.open(
            self.folder / "chain",
            chain_id=CHAIN_ID,
            genesis_accounts={str(a.address): 1000 * ETHER for a in accounts},
            clock=lambda: self.now_ms,
        )
        self.clients = [Client(self.chain, account) for account in accounts]
        self.contract = Seat.create(self.clients[0], self.rules).contract.address
        self.keys = [PrivateKey.generate() for _ in accounts]
        for client, key in zip(self.clients, self.keys, strict=True):
            Seat.at(client, self.contract).join(key.public, self.rules.stake)
        self.shelves = [Shelf(self.folder / f"{i}.sqlite") for i in range(self.size)]
        self.exchanges = [
            Exchange(Venue(CHAIN_ID, self.contract), shelf, key)
            for shelf, key in zip(self.shelves, self.keys, strict=True)
        ]
        self.wires = {
            (a, b): Wire(self.exchanges[b])
            for a in range(self.size)
            for b in range(self.size)
            if a != b
        }
        for (a, _), wire in self.wires.items():
            self.exchanges[a].peers.append(wire)
        self.members = [self.seated(i) for i in range(self.size)]

    def seated(self, i: int) -> Member:
        """A fresh process for member i, over what it kept."""
        seat = Seat.at(self.clients[i], self.contract)
        return Member(
            self.rules, seat, self.exchanges[i], some_rows(i), ROOT, lambda: self.now_ms / 1000
        )

    def restart(self, i: int) -> None:
        self.members[i] = self.seated(i)

    def alive(self) -> Iterable[Member]:
        return [m for i, m in enumerate(self.members) if i not in self.dead]

    def walk(self) -> list[Told]:
        """Everybody's next step, and some seconds."""
        told = [member.step() for member in self.alive()]
        # A masked commit takes several steps of everybody within one attempt.
        self.now_ms += 2000 if self.rules.mode != "open" else 5000
        return told

    def until(self, phase: Phase, most: int = 2000) -> None:
        """Member by member, so that no phase is passed over."""
        for _ in range(most):
            for member in self.alive():
                if self.phase is phase:
                    return
                member.step()
            self.now_ms += 2000
        raise AssertionError(f"no {phase.word} in sight: {self.phase.word}")

    def until_final(self, number: int, most: int = 400) -> list[Told]:
        told: list[Told] = []
        for _ in range(most):
            if self.members[0].seat.last_final >= number:
                return told
            told += self.walk()
        seat = self.members[0].seat
        raise AssertionError(f"round {seat.round} is in {seat.phase.word}: {told[-8:]}")

    def states(self) -> set[bytes | None]:
        return {member.state() for member in self.alive()}

    @property
    def phase(self) -> Phase:
        return self.members[0].seat.phase

    def close(self) -> None:
        for shelf in self.shelves:
            shelf.close()
        self.chain.close()
