"""Federation against a Python model: no wei appears, what is final stays, time decides alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.contracts import account
from tests.support.federation_model import Ballot, FederationModel
from tests.support.federations import ETHER, Federation, digest, report_leaves, report_of, salt
from veridict.proofs.merkle import root_from_leaf_hashes
from veridict.proofs.prover import inclusion_proof

MEMBERS_MAX, STRANGER = 7, "a stranger"
STATES = {1: b"1" * 32, 2: b"2" * 32}
who = st.integers(0, MEMBERS_MAX - 1)
opinion = st.sampled_from((1, 1, 1, 2))


class Rounds(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.scope = boa.env.anchor()
        self.scope.__enter__()
        self.it = Federation(4)
        self.contract: Any = self.it.contract
        self.model = FederationModel(self.it.rules, boa.env.timestamp)
        for _ in range(4):
            self.model.join()
        self.reported: dict[int, list[int]] = {}  # option of the ballot that became final

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            self.scope.__exit__(None, None, None)

    def both(self, expected: Callable[[], None], act: Callable[[], Any]) -> bool:
        """Whether it was done; the contract reverts exactly where the model refuses."""
        self.model.now = boa.env.timestamp
        try:
            expected()
        except AssertionError:
            with boa.reverts():
                act()
            return False
        act()
        return True

    def amounts(self, option: int, number: int) -> list[int]:
        return [(option + i) * ETHER // 10 for i in range(self.model.spans.get(number, 0))]

    def ballot(self, option: int) -> Ballot:
        return STATES[option], report_of(self.amounts(option, self.model.round) or [0])

    def sender(self, i: int) -> str:
        return self.it.owners[i % len(self.it.owners)]

    # -- members ---------------------------------------------------------------------------------

    @rule()
    def join(self) -> None:
        if len(self.it.owners) < MEMBERS_MAX:
            self.it.join(f"member {len(self.it.owners)}")
            self.model.join()

    @rule(i=who)
    def leave(self, i: int) -> None:
        i %= len(self.it.owners)
        if len(self.model.active) > 3:  # else no round would ever be opened again
            self.both(
                lambda: self.model.leave(i), lambda: self.contract.leave(sender=self.sender(i))
            )

    @rule(i=who)
    def withdraw(self, i: int) -> None:
        i %= len(self.it.owners)
        self.both(
            lambda: self.model.withdraw(i), lambda: self.contract.withdraw(sender=self.sender(i))
        )

    @rule(amount=st.integers(1, 3))
    def fund(self, amount: int) -> None:
        giver = str(account(STRANGER).address)
        boa.env.set_balance(giver, amount * ETHER)
        self.contract.fund(value=amount * ETHER, sender=giver)
        self.model.pot += amount * ETHER

    @rule(part=st.sampled_from((0.1, 0.5, 1.0)), window=st.integers(0, 4))
    def wait(self, part: float, window: int) -> None:
        rules = self.it.rules
        spans = (rules.commit_s, rules.reveal_s, rules.vote_s, 2 * rules.vote_s, rules.challenge_s)
        boa.env.time_travel(seconds=max(1, int(part * spans[window])))

    # -- a round ---------------------------------------------------------------------------------

    @rule(i=who)
    def open_round(self, i: int) -> None:
        i %= len(self.it.owners)
        self.both(
            lambda: self.model.open_round(i),
            lambda: self.contract.open_round(sender=self.sender(i)),
        )

    @rule(i=who, all_=st.booleans())
    def commit(self, i: int, all_: bool) -> None:
        for each in range(len(self.it.owners)) if all_ else [i % len(self.it.owners)]:
            self.both(lambda e=each: self.model.commit(e), lambda e=each: self.it.commit(e))  # type: ignore[misc]

    @rule(i=who, all_=st.booleans())
    def reveal(self, i: int, all_: bool) -> None:
        for each in range(len(self.it.owners)) if all_ else [i % len(self.it.owners)]:
            self.both(lambda e=each: self.model.reveal(e), lambda e=each: self.it.reveal(e))  # type: ignore[misc]

    @rule(upto=st.integers(2, 6), option=opinion, whole=st.booleans())
    def go_on(self, upto: int, option: int, whole: bool) -> None:
        """The next round as far as `upto`, so that late phases are seen often."""
        rules = self.it.rules
        self.open_round(0)
        for act in (
            lambda: self.commit(1, all_=True),
            lambda: self.reveal(0, all_=True),
            lambda: self.vote(option, None),
            lambda: None if whole else self.challenge(2, 3 - option),
            lambda: boa.env.time_travel(seconds=rules.challenge_s),
            lambda: self.finalise(),
        )[:upto]:
            act()

    @rule(i=who)
    def reveal_what_was_not_committed(self, i: int) -> None:
        i %= len(self.it.owners)
        with boa.reverts():
            self.contract.reveal(digest(i), salt(i + 1), sender=self.sender(i))

    @rule(i=who)
    def punish_silence(self, i: int) -> None:
        i %= len(self.it.owners)
        self.both(lambda: self.model.punish_silence(i), lambda: self.contract.punish_silence(i))

    @rule(option=opinion, one=st.none() | who)
    def vote(self, option: int, one: int | None) -> None:
        """One member, or the whole committee."""
        drawn = [int(i) for i in self.contract.committee()] if self.model.round else []
        ballot = self.ballot(option)
        for i in [one % len(self.it.owners)] if one is not None else drawn[:3]:
            if i < len(self.it.owners):
                self.both(
                    lambda i=i: self.model.vote(i, drawn, ballot),  # type: ignore[misc]
                    lambda i=i: self.contract.vote(*ballot, sender=self.sender(i)),  # type: ignore[misc]
                )

    @rule(i=who, option=opinion)
    def challenge(self, i: int, option: int) -> None:
        i %= len(self.it.owners)
        boa.env.set_balance(self.sender(i), 100 * ETHER)
        ballot, stake = self.ballot(option), self.it.rules.stake
        self.both(
            lambda: self.model.challenge(i, ballot),
            lambda: self.contract.challenge(*ballot, sender=self.sender(i), value=stake),
        )

    @rule(option=opinion, all_=st.booleans(), i=who)
    def judge(self, option: int, all_: bool, i: int) -> None:
        ballot = self.ballot(option)
        for each in range(len(self.it.owners)) if all_ else [i % len(self.it.owners)]:
            self.both(
                lambda e=each: self.model.judge(e, ballot),  # type: ignore[misc]
                lambda e=each: self.contract.judge(*ballot, sender=self.sender(e)),  # type: ignore[misc]
            )

    @rule()
    def finalise(self) -> None:
        self.both(self.model.finalise, self.contract.finalise)

    @rule(i=who, number=st.integers(1, 3), option=opinion)
    def claim(self, i: int, number: int, option: int) -> None:
        i %= len(self.it.owners)
        amounts = self.amounts(option, number) or [0]
        leaves = report_leaves(amounts)
        at = min(i, len(amounts) - 1)

        def nodes(level: int, index: int) -> bytes:
            return root_from_leaf_hashes(leaves[index << level : (index + 1) << level])

        proof = inclusion_proof(at, len(amounts), nodes)
        self.both(
            lambda: self.model.claim(number, at, amounts),
            lambda: self.contract.claim(number, at, amounts[at], proof),
        )

    @rule(i=who, option=opinion)
    def punish_vote(self, i: int, option: int) -> None:
        i %= len(self.it.owners)
        ballot = self.ballot(option)
        self.both(
            lambda: self.model.punish_vote(i, ballot),
            lambda: self.contract.punish_vote(i, *ballot),
        )

    # -- always ----------------------------------------------------------------------------------

    @invariant()
    def every_wei_is_somebody_s(self) -> None:
        if hasattr(self, "model"):
            stakes = [self.contract.members(i)[2] for i in range(len(self.it.owners))]
            assert stakes == [member.stake for member in self.model.members]
            assert self.contract.pot() == self.model.pot
            assert self.contract.locked() == self.model.locked <= self.model.pot
            held = boa.env.get_balance(self.contract.address)
            assert held == sum(stakes) + self.model.pot

    @invariant()
    def phase_and_members_are_the_model_s(self) -> None:
        if hasattr(self, "model"):
            self.model.now = boa.env.timestamp
            assert self.contract.phase() == self.model.phase()
            standing = {i for i in range(len(self.it.owners)) if self.contract.standing(i)}
            assert standing == self.model.active

    @invariant()
    def what_is_final_stays(self) -> None:
        if hasattr(self, "model"):
            for number, ballot in self.model.finals.items():
                state, report, span, left = self.contract.finals(number)
                assert (state, report) == ballot
                if number:
                    assert (span, left) == (self.model.spans[number], self.model.left[number])


TestRounds = Rounds.TestCase
TestRounds.settings = settings(max_examples=3, stateful_step_count=30, deadline=None)


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestManyRounds(Rounds.TestCase):  # type: ignore[misc,valid-type]
    settings = settings(max_examples=60, stateful_step_count=80, deadline=None)
