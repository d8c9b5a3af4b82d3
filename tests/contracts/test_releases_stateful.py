"""Releases against a dict: no sequence puts a model to work before its delay, or after a veto."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import boa
from boa.util.abi import Address
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.contracts import CARD, account, data_contract, deploy, model_bytes

DELAY_S = 100
NONE = b"\0" * 32
OWNER, HEIR, GUARDIAN, STRANGER = range(4)
MODELS = [model_bytes(name) for name in (b"one", b"two", b"three")]
IDS = [NONE, *(sha256(data).digest() for data in MODELS)]


class Versions(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.scope = boa.env.anchor()
        self.scope.__enter__()
        names = ("owner", "heir", "guardian", "stranger")
        self.people = [Address(account(name).address) for name in names]
        self.registry: Any = deploy("Registry")
        self.releases: Any = deploy("Releases", self.registry.address)
        for data, model_id in zip(MODELS, IDS[1:], strict=True):
            self.registry.register(model_id, [data_contract(data)], CARD, 1)
        owner, guardian = self.people[OWNER], self.people[GUARDIAN]
        self.line = self.releases.create("line", guardian, DELAY_S, sender=owner)
        self.owner, self.offered = OWNER, -1
        self.proposal: tuple[int, int] | None = None  # model, proposed at
        self.stack: list[int] = []  # what is at work, over what it replaced
        self.retired: set[int] = set()
        # Told by the history alone: when each model was proposed last, and not struck since.
        self.waited: dict[int, int] = {}
        self.allowed: set[int] = {0}

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            self.scope.__exit__(None, None, None)

    who = st.integers(OWNER, STRANGER)
    which = st.integers(1, len(MODELS))

    def act(self, may: bool, name: str, by: int, *args: Any) -> bool:
        """Does it, or sees it refused; whether it was done."""
        function, sender = getattr(self.releases, name), self.people[by]
        if may:
            function(self.line, *args, sender=sender)
            return True
        with boa.reverts():
            function(self.line, *args, sender=sender)
        return False

    def at_work(self) -> int:
        return self.stack[-1] if self.stack else 0

    @rule(by=who, model=which)
    def propose(self, by: int, model: int) -> None:
        free = self.proposal is None and model != self.at_work() and model not in self.retired
        if self.act(by == self.owner and free, "propose", by, IDS[model]):
            self.proposal = (model, boa.env.timestamp)
            self.waited[model] = boa.env.timestamp

    @rule(by=who, model=which)
    def enact(self, by: int, model: int) -> None:
        ready = self.proposal is not None and self.proposal[0] == model
        ready = ready and self.proposal[1] + DELAY_S <= boa.env.timestamp  # type: ignore[index]
        if self.act(ready and model not in self.retired, "enact", by, IDS[model]):
            assert boa.env.timestamp - self.waited[model] >= DELAY_S
            self.allowed.add(model)
            self.stack.append(model)
            self.proposal = None

    @rule(by=who, model=which, name=st.sampled_from(["veto", "withdraw"]))
    def strike(self, by: int, model: int, name: str) -> None:
        right = GUARDIAN if name == "veto" else self.owner
        meant = self.proposal is not None and self.proposal[0] == model
        if self.act(by == right and meant, name, by, IDS[model]):
            self.proposal = None
            del self.waited[model]

    @rule(by=who, model=st.integers(0, len(MODELS)))
    def rollback(self, by: int, model: int) -> None:
        right = by in (self.owner, GUARDIAN) and model == self.at_work()
        if self.act(right and len(self.stack) > 1, "rollback", by, IDS[model]):
            self.stack.pop()

    @rule(by=who, heir=who)
    def offer(self, by: int, heir: int) -> None:
        if self.act(by == self.owner, "offer", by, self.people[heir]):
            self.offered = heir

    @rule(by=who)
    def accept(self, by: int) -> None:
        if self.act(by == self.offered, "accept", by):
            self.owner, self.offered = by, -1

    @rule(model=which)
    def deprecate(self, model: int) -> None:
        if model == len(MODELS) and model not in self.retired:
            self.registry.deprecate(IDS[model])
            self.retired.add(model)

    @rule(seconds=st.sampled_from([1, DELAY_S - 1, DELAY_S]))
    def wait(self, seconds: int) -> None:
        boa.env.time_travel(seconds=seconds)

    @invariant()
    def the_chain_says_the_same(self) -> None:
        if not hasattr(self, "allowed"):
            return
        assert self.at_work() in self.allowed
        assert self.releases.active(self.line) == IDS[self.at_work()]
        told = self.releases.proposed(self.line)
        model, since = self.proposal or (0, -DELAY_S)
        assert (told.model_id, told.ready_at) == (IDS[model], since + DELAY_S)
        assert self.releases.line(self.line).owner == self.people[self.owner]


TestVersions = Versions.TestCase
TestVersions.settings = settings(max_examples=12, stateful_step_count=30)
