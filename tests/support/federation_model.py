"""A federation's contract in plain Python: what every act does, or why it must revert."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.support.federations import (
    CHALLENGING,
    COMMITTING,
    DONE,
    FAILED,
    IDLE,
    JURY,
    REVEALING,
    START,
    VOTING,
    Rules,
    report_of,
)

Ballot = tuple[bytes, bytes]
REVERTS = AssertionError


@dataclass
class MemberModel:
    stake: int
    exit_at: int = 0
    gone: bool = False


@dataclass
class FederationModel:
    """Acts raise AssertionError where the contract reverts. `paid`: wei that left it."""

    rules: Rules
    now: int
    members: list[MemberModel] = field(default_factory=list)
    active: set[int] = field(default_factory=set)
    round: int = 0
    last_final: int = 0
    finals: dict[int, Ballot] = field(default_factory=lambda: {0: (START, bytes(32))})
    left: dict[int, int] = field(default_factory=dict)  # of a final round's share
    spans: dict[int, int] = field(default_factory=dict)
    claimed: set[tuple[int, int]] = field(default_factory=set)
    pot: int = 0
    locked: int = 0
    support: dict[tuple[int, Ballot], set[int]] = field(default_factory=dict)
    roster: frozenset[int] = frozenset()
    opened: int = 0
    reveal_early: int = 0
    vote_early: int = 0
    committed: set[int] = field(default_factory=set)
    revealed: set[int] = field(default_factory=set)
    punished: set[int] = field(default_factory=set)
    voted: set[int] = field(default_factory=set)
    judged: dict[int, Ballot] = field(default_factory=dict)
    decided_at: int = 0
    decision: Ballot = (bytes(32), bytes(32))
    challenger: int | None = None
    jury_until: int = 0

    # -- time ------------------------------------------------------------------------------------

    @property
    def vote_from(self) -> int:
        reveal_from = self.reveal_early or self.opened + self.rules.commit_s
        return self.vote_early or reveal_from + self.rules.reveal_s

    def stage(self) -> int:
        if self.now < (self.reveal_early or self.opened + self.rules.commit_s):
            return COMMITTING
        if self.now < self.vote_from:
            return REVEALING if len(self.committed) >= self.rules.least else FAILED
        late = self.now >= self.vote_from + 2 * self.rules.vote_s
        return FAILED if late or len(self.revealed) < self.rules.least else VOTING

    def phase(self) -> int:
        if self.round == self.last_final:
            return IDLE
        if not self.decided_at:
            return self.stage()
        if self.challenger is not None:
            return JURY if self.now < self.jury_until else DONE
        return CHALLENGING if self.now < self.decided_at + self.rules.challenge_s else DONE

    # -- members ---------------------------------------------------------------------------------

    def join(self) -> None:
        self.active.add(len(self.members))
        self.members.append(MemberModel(self.rules.stake))

    def leave(self, i: int) -> None:
        assert not self.members[i].gone
        assert not self.members[i].exit_at
        rules = self.rules
        longest = rules.commit_s + rules.reveal_s + 2 * rules.vote_s
        self.members[i].exit_at = self.now + longest + 2 * rules.challenge_s
        self.active.discard(i)

    def withdraw(self, i: int) -> None:
        member = self.members[i]
        assert not member.gone
        assert self.phase() in (IDLE, FAILED) or i not in self.roster
        assert 0 < member.exit_at <= self.now
        member.stake, member.gone = 0, True

    def _slash(self, i: int, amount: int, shown: bool) -> None:
        self.members[i].stake -= amount
        if self.members[i].stake < self.rules.stake - self.rules.fine:
            self.active.discard(i)
        self.pot += amount - (amount // 2 if shown else 0)

    def _participant(self, i: int) -> None:
        assert not self.members[i].gone
        assert i in self.roster & self.active

    # -- a round ---------------------------------------------------------------------------------

    def open_round(self, i: int) -> None:
        assert not self.members[i].gone
        assert self.phase() in (IDLE, FAILED)
        assert len(self.active) >= self.rules.least
        self.round += 1
        self.roster, self.opened = frozenset(self.active), self.now
        self.spans[self.round] = len(self.members)
        self.reveal_early = self.vote_early = self.decided_at = 0
        self.decision = (bytes(32), bytes(32))
        self.challenger, self.judged = None, {}
        for each in (self.committed, self.revealed, self.punished, self.voted):
            each.clear()

    def commit(self, i: int) -> None:
        self._participant(i)
        assert self.stage() == COMMITTING
        assert i not in self.committed
        self.committed.add(i)
        if self.committed == self.roster:
            self.reveal_early = self.now

    def reveal(self, i: int) -> None:
        self._participant(i)
        assert self.stage() == REVEALING
        assert i in self.committed - self.revealed
        self.revealed.add(i)
        if self.revealed == self.committed:
            self.vote_early = self.now

    def punish_silence(self, i: int) -> None:
        assert i in self.committed - self.revealed - self.punished
        assert self.stage() not in (COMMITTING, REVEALING)
        self.punished.add(i)
        self._slash(i, min(self.rules.fine, self.members[i].stake), shown=False)

    def vote(self, i: int, drawn: list[int], ballot: Ballot) -> None:
        self._participant(i)
        assert self.phase() == VOTING
        late = self.now >= self.vote_from + self.rules.vote_s
        assert i in (drawn if late else drawn[:3])
        assert i not in self.voted
        self.voted.add(i)
        self.support.setdefault((self.round, ballot), set()).add(i)
        if len(self.support[self.round, ballot]) >= 2:
            self.decided_at, self.decision = self.now, ballot

    def challenge(self, i: int, ballot: Ballot) -> None:
        self._participant(i)
        assert self.phase() == CHALLENGING
        assert ballot != self.decision
        self.challenger, self.jury_until = i, self.now + self.rules.challenge_s
        self.pot += self.rules.stake
        self._judge(i, ballot)

    def judge(self, i: int, ballot: Ballot) -> None:
        self._participant(i)
        assert self.phase() == JURY
        self._judge(i, ballot)

    def _judge(self, i: int, ballot: Ballot) -> None:
        assert i not in self.judged
        self.judged[i] = ballot
        if 2 * list(self.judged.values()).count(ballot) <= len(self.roster):
            return
        self.jury_until = self.now
        if ballot == self.decision:
            return
        guilty = self.support.pop((self.round, self.decision))
        self.decision = ballot
        for each in guilty:
            self._slash(each, self.members[each].stake, shown=True)
        self.pot -= self.rules.stake

    def finalise(self) -> None:
        assert self.phase() == DONE
        share = min(self.pot - self.locked, self.rules.reward)
        self.locked += share
        self.left[self.round] = share
        self.finals[self.round] = self.decision
        self.last_final = self.round

    def claim(self, number: int, i: int, amounts: list[int]) -> None:
        assert number in self.left
        assert (number, i) not in self.claimed
        assert i < self.spans[number] == len(amounts)
        assert report_of(amounts) == self.finals[number][1]
        self.claimed.add((number, i))
        paid = min(amounts[i], self.members[i].stake, self.left[number])
        self.left[number] -= paid
        self.locked -= paid
        self.pot -= paid

    def punish_vote(self, i: int, ballot: Ballot) -> None:
        assert self.round > 0
        assert self.phase() == IDLE
        assert ballot != self.decision
        assert i in self.support.get((self.round, ballot), set())
        self.support[self.round, ballot].discard(i)
        self._slash(i, self.members[i].stake, shown=True)
