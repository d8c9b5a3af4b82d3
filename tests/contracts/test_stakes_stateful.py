"""Stakes against a Python model: no ether appears or vanishes, nobody leaves early."""

from __future__ import annotations

from typing import Any

import boa
from boa.util.abi import Address
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.contracts import account, deploy

UNBONDING_S = 100
NOBODY = Address("0x" + "00" * 20)


class Bonds(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.scope = boa.env.anchor()
        self.scope.__enter__()
        self.stakes: Any = deploy("Stakes", UNBONDING_S)
        self.people = [Address(account(name).address) for name in ("a", "b", "c")]
        self.stakes.set_judge(self.people[2])
        self.bonds = dict.fromkeys(self.people, 0)
        self.exits = dict.fromkeys(self.people, 0)
        self.wallets = {p: boa.env.get_balance(p) for p in [*self.people, NOBODY]}

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            self.scope.__exit__(None, None, None)

    who = st.integers(0, 2)

    @rule(who=who, amount=st.integers(0, 1000))
    def deposit(self, who: int, amount: int) -> None:
        person = self.people[who]
        if amount == 0 or self.exits[person]:
            reason = "nothing deposited" if amount == 0 else "operator is leaving"
            with boa.reverts(f"Stakes: {reason}"):
                self.stakes.deposit(value=amount, sender=person)
            return
        self.stakes.deposit(value=amount, sender=person)
        self.bonds[person] += amount
        self.wallets[person] -= amount

    @rule(who=who)
    def request_exit(self, who: int) -> None:
        person = self.people[who]
        if not self.bonds[person] or self.exits[person]:
            with boa.reverts():
                self.stakes.request_exit(sender=person)
            return
        self.stakes.request_exit(sender=person)
        self.exits[person] = boa.env.timestamp + UNBONDING_S

    @rule(who=who)
    def withdraw(self, who: int) -> None:
        person = self.people[who]
        if not 0 < self.exits[person] <= boa.env.timestamp:
            with boa.reverts():
                self.stakes.withdraw(sender=person)
            return
        self.stakes.withdraw(sender=person)
        self.wallets[person] += self.bonds[person]
        self.bonds[person] = self.exits[person] = 0

    @rule(who=who, challenger=who, by=who)
    def slash(self, who: int, challenger: int, by: int) -> None:
        person, winner = self.people[who], self.people[challenger]
        if by != 2:
            with boa.reverts("Stakes: caller is not the judge"):
                self.stakes.slash(person, winner, sender=self.people[by])
            return
        bond = self.bonds[person]
        assert self.stakes.slash(person, winner, sender=self.people[2]) == bond
        self.wallets[winner] += bond // 2
        self.wallets[NOBODY] += bond - bond // 2
        self.bonds[person] = 0
        if bond:
            self.exits[person] = 0

    @rule(seconds=st.integers(1, UNBONDING_S))
    def wait(self, seconds: int) -> None:
        boa.env.time_travel(seconds=seconds)

    @invariant()
    def ether_is_conserved(self) -> None:
        if not hasattr(self, "stakes"):
            return
        assert boa.env.get_balance(self.stakes.address) == sum(self.bonds.values())
        for person, bond in self.bonds.items():
            assert self.stakes.bond(person) == bond >= 0
            assert self.stakes.exit_at(person) == self.exits[person]
            assert self.stakes.standing(person) == (0 if self.exits[person] else bond)
        for person, ether in self.wallets.items():
            assert boa.env.get_balance(person) == ether


TestBonds = Bonds.TestCase
TestBonds.settings = settings(max_examples=8, stateful_step_count=20)
