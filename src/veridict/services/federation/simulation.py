"""Many members in one process, a round at a time: what a rule and a mode make of them.

    rows → members → attackers, dropouts → groups → masked sums → rule → state

Members are streamed: one's rows, its update and its group's masks exist only while they are
needed, so memory follows a group and the sums, not the number of members. The arithmetic, the
rules and the masking are those of a real federation; chain, posts and TLS are left out.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from veridict.core.errors import BadInput, EvidenceError
from veridict.federated.fixed import I64, Update, encode
from veridict.federated.learners.learner import Learner, Rows
from veridict.federated.masking.combiner import Combiner
from veridict.federated.masking.groups import draw_groups
from veridict.federated.masking.party import Party
from veridict.federated.masking.session import Session
from veridict.federated.round import GroupSum, turn
from veridict.federated.rules import rule_named
from veridict.proofs.signing import PrivateKey

Attack = Literal["sign-flip", "label-flip", "noise"]
_STAGES = ("advertise", "share", "mask", "confirm")  # after which one a member that drops is gone


@dataclass(frozen=True, slots=True)
class Plan:
    """`attackers`, `dropouts`: shares of the members. `group`: 0 for open updates."""

    members: int = 1000
    attackers: float = 0.0
    attack: Attack = "sign-flip"
    dropouts: float = 0.0
    group: int = 0
    rule: str = "trust"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.members < 3 or not 0 <= self.attackers < 1 or not 0 <= self.dropouts < 1:
            raise BadInput("no such federation", remedy="simulate 3 members or more")


@dataclass(frozen=True, slots=True)
class Simulated:
    """One round. `lost`: members of groups that could not be opened. `unheard`: attackers, and
    honest members, whose part the rule made nothing."""

    round: int
    dropped: int
    lost: int
    groups: int
    unheard: tuple[int, int]
    auc: float
    seconds: float
    peak_mb: float


def simulate(
    plan: Plan, learner: Learner, rows: Rows, root: Rows, test: Rows
) -> Iterator[Simulated]:
    """Until the learner has finished. `rows` are dealt to the members at random, unevenly."""
    rng = np.random.default_rng(plan.seed)
    parts = _dealt(len(rows), plan.members, rng)
    hostile = frozenset(range(round(plan.members * plan.attackers)))
    state, number = learner.start(), 0
    while not learner.finished(state):
        began, number = time.monotonic(), number + 1
        gone = {int(m): _STAGES[int(rng.integers(len(_STAGES)))] for m in range(plan.members)
                if rng.random() < plan.dropouts}  # fmt: skip
        round_ = _Round(plan, learner, state, rows, parts, hostile, gone, number)
        sums = list(round_.sums())
        toward = learner.update(state, root) if plan.rule == "trust" else None
        turned = turn(learner, state, sums, rule_named(plan.rule, _faulty(plan, sums)), toward)
        state = turned.state
        silent = set(turned.without_say)
        heard = {member for each in sums for member in each.members}
        yield Simulated(
            number, len(gone), plan.members - len(heard) - len(round_.missing), len(sums),
            (len(silent & hostile), len(silent - hostile)),
            auc(learner.scores(state, test.features), test.labels),
            time.monotonic() - began, peak_mb(),
        )  # fmt: skip


@dataclass
class _Round:
    plan: Plan
    learner: Learner
    state: bytes
    rows: Rows
    parts: Sequence[np.ndarray]
    hostile: frozenset[int]
    gone: dict[int, str]
    number: int

    def __post_init__(self) -> None:
        self.missing: set[int] = set()  # who dropped before its update was in

    def sums(self) -> Iterator[GroupSum]:
        if self.plan.group == 0:
            self.missing = set(self.gone)
            for member in range(self.plan.members):
                if member not in self.gone:
                    yield GroupSum.of([member], [self.update(member)])
            return
        names = [member.to_bytes(4, "big") for member in range(self.plan.members)]
        beacon = self.number.to_bytes(32, "big")
        for group in draw_groups(beacon, names, self.plan.group):
            found = self._masked(group)
            if found is not None:
                yield found

    def update(self, member: int) -> Update:
        """What a member sends: its own update, or a hostile one."""
        part = self.parts[member]
        rows = Rows(self.rows.features[part], self.rows.labels[part])
        if member not in self.hostile:
            return self.learner.update(self.state, rows, self.number)
        if self.plan.attack == "label-flip":
            rows = replace(rows, labels=(1 - rows.labels).astype(np.int8))
            return self.learner.update(self.state, rows, self.number)
        vector = self.learner.vector(self.state, rows, self.number)
        if self.plan.attack == "sign-flip":
            vector = -3.0 * vector
        else:
            noise = np.random.default_rng([self.number, member]).normal(size=len(vector))
            vector = noise * (float(np.linalg.norm(vector)) / float(np.linalg.norm(noise)))
        clip, weight = self.learner.clip(self.state), self.learner.weight(len(rows))
        return encode(vector, clip, weight)

    def _masked(self, group: Sequence[int]) -> GroupSum | None:
        """The group's sum by the whole protocol; None where too few stayed to open it."""
        keys = [PrivateKey.generate() for _ in group]
        session = Session(bytes(32), tuple(k.public for k in keys), self._length + 1)
        parties = {at: Party(session, at, key.key) for at, key in enumerate(keys)}
        combiner = Combiner(session)

        def stay(stage: str) -> None:
            """Those who drop before this stage are gone."""
            order = _STAGES.index(stage)
            for at, member in enumerate(group):
                if member in self.gone and _STAGES.index(self.gone[member]) < order:
                    parties.pop(at, None)

        try:
            for at, party in parties.items():
                combiner.take(at, party.advertise())
            ads = combiner.advance()
            stay("share")
            for at, party in parties.items():
                combiner.take(at, party.share(ads))
            shares = combiner.advance()
            stay("mask")
            for at, party in parties.items():
                update = self.update(group[at])
                vector: I64 = np.append(update.values, update.weight)
                combiner.take(at, party.mask(shares, vector))
            combiner.advance()
            self.missing |= {group[at] for at in range(len(group)) if at not in combiner.alive}
            stay("confirm")
            for at, party in parties.items():
                combiner.take(at, party.confirm(combiner.alive))
            confirmed = combiner.advance()
            for at, party in parties.items():
                combiner.take(at, party.unmask(confirmed))
            opened = combiner.open()
        except EvidenceError:
            self.missing |= {member for member in group if member in self.gone}
            return None
        return GroupSum.opened([group[at] for at in opened.members], opened.values)

    @property
    def _length(self) -> int:
        return self.learner.length(self.state)


def _dealt(rows: int, members: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Each member's rows: at least one, and some have several times as many as others."""
    if rows < members:
        raise BadInput(
            f"{rows} rows for {members} members", remedy="bring a row for each member at least"
        )
    order = rng.permutation(rows)
    spare = rng.multinomial(rows - members, rng.dirichlet(np.full(members, 2.0)))
    return np.split(order, np.cumsum(1 + spare)[:-1])


def _faulty(plan: Plan, sums: Sequence[GroupSum]) -> int:
    """How many sums the rules that ask for it are to withstand: as many as they can here."""
    wanted = round(plan.attackers * len(sums) * max(1, plan.group))
    return max(0, min(wanted, (len(sums) - 3) // 4))


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """The chance that a row of class 1 scores above one of class 0; a tie is half."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    ones = int((labels == 1).sum())
    zeros = len(labels) - ones
    if not ones or not zeros:
        raise BadInput("test rows of one class", remedy="hold out rows of both")
    above = float(ranks[labels == 1].sum()) - ones * (ones + 1) / 2
    return above / (ones * zeros)


def peak_mb() -> float:
    """The largest resident size of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1 << 20 if sys.platform == "darwin" else 1 << 10)
