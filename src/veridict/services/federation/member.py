"""A member of a federation, one step at a time: what the chain's phase asks for, and no more.

    idle       open the next round
    commit     train on the own rows; keep the draft; commit to it
    reveal     show it to the others; reveal it
    vote       recompute the round; if drawn, vote for what it comes to
    challenge  if the decision is another: challenge
    jury       say what it comes to
    done       finalise; claim the reward

`step` may be called at any time, by any schedule, after any crash: everything it needs is on
the chain, on its shelf, or with its peers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import to_builtins

from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput, Refused
from veridict.federated.fixed import Update
from veridict.federated.learners.arrays import Trainer
from veridict.federated.learners.learner import Rows
from veridict.federated.privacy.private import Private
from veridict.services.federation.counting import BALLOT, UPDATE, Counting
from veridict.services.federation.exchange import Exchange
from veridict.services.federation.outcome import Outcome, Refusal
from veridict.services.federation.rules import FederationRules
from veridict.services.federation.seat import Glance, Phase, Seat
from veridict.services.federation.shelf import Draft
from veridict.services.federation.spending import Journal, Spending

SPENT = "privacy"  # kind of posts: what an update has cost its party


@dataclass(frozen=True, slots=True)
class Told:
    """What a step did, for the page and the log."""

    round: int
    phase: Phase
    did: str
    refusals: tuple[Refusal, ...] = ()


class Member:
    """`rows`: this party's own, never sent, or code of its own that trains on them.

    `root`: the public batch, where the rules have one. `clock`: seconds.
    `journal` keeps what its updates cost in privacy, where the rules promise any.
    """

    def __init__(
        self,
        rules: FederationRules,
        seat: Seat,
        exchange: Exchange,
        rows: Rows | Trainer,
        root: Rows | None,
        clock: Callable[[], float],
        journal: Journal = lambda record: None,
    ) -> None:
        seat.check(rules)
        number = seat.number
        if number is None:
            raise Refused("this account is no member", remedy="join first", reason="not a member")
        self.rules, self.seat, self.exchange, self.number = rules, seat, exchange, number
        self.counting = Counting(rules, seat, exchange, number, root, clock)
        self.learner = self.counting.learner
        self._rows = rows
        self.spending: Spending | None = None
        if isinstance(self.learner, Private):
            if not isinstance(rows, Rows):
                raise BadInput(
                    "nobody knows how far a row moves what a party's own code trains",
                    remedy="train with a learner of ours, or promise no privacy",
                )
            self.spending = Spending(
                self.learner, rows, exchange.shelf, seat.contract.address, number, journal
            )
        self._trained: tuple[int, Update] | None = None  # round, and what was learned for it
        self._finals: dict[int, bytes] = {}  # round → digest of its state; final is final
        self._paid: set[int] = set()
        self.exchange.shelf.put_state(self.learner.start())

    # -- the plot -------------------------------------------------------------------------------

    def step(self) -> Told:
        """Do what is due now. Safe to call again; raises OperatorErrors of chain and disk."""
        now = self.seat.glance()
        self.counting.look(now)
        self.exchange.keys = {number: self.seat.key_of(number) for number in range(now.count)}
        self.exchange.listen(now.round)
        try:
            did = getattr(self, f"_{now.phase.word}")(now)
        except Refused as error:
            # Another member was faster, or the window closed between reading and writing.
            did = f"refused: {error.facts.get('reason', error.message)}"
        found = self.counting.outcomes.get(now.round)
        return Told(now.round, now.phase, did, found.refusals if found else ())

    @property
    def finished(self) -> bool:
        state = self.state()
        return state is not None and self.learner.finished(state)

    def state(self) -> bytes | None:
        """The last final state; None while no peer has it."""
        return self._state(self.seat.last_final)

    # -- one phase each ------------------------------------------------------------------------

    def _idle(self, now: Glance) -> str:
        self._pay_out(now.last_final)
        state = self._state(now.last_final)
        if state is not None and (self.learner.finished(state) or self._spent):
            return "finished"
        self.seat.open_round()
        return "opened a round"

    def _failed(self, now: Glance) -> str:
        return self._idle(now)

    def _commit(self, now: Glance) -> str:
        if self.number in now.committed:
            return "has committed"
        draft = self.exchange.shelf.draft(now.round)
        if draft is None:
            draft = self._draft(now)
            if draft is None:
                return "waiting for others"
            self.exchange.shelf.put_draft(now.round, draft)
        self.seat.commit(now.round, draft.digest, draft.salt)
        return "committed"

    def _reveal(self, now: Glance) -> str:
        draft = self.exchange.shelf.draft(now.round)
        if draft is None or self.number in now.revealed:
            return "has revealed" if draft else "nothing to reveal"
        self.exchange.say(now.round, UPDATE, self.number, draft.body)
        self.seat.reveal(draft.digest, draft.salt)
        return "revealed"

    def _vote(self, now: Glance) -> str:
        bodies = self.counting.bodies(now)
        state = self._state(now.last_final)
        if bodies is None or state is None:
            return "waiting for updates"
        self.counting.help(now, state, bodies)
        if self.number not in self.counting.drawn():
            return "not drawn"
        for ballot in self.counting.ballots(now, state, bodies):
            found = self.counting.outcome(now, state, ballot)
            if found is not None:
                self.counting.outcomes[now.round] = found
                self.exchange.say(now.round, BALLOT, self.number, ballot.encode())
                self.seat.vote(found.decision)
                return "voted"
        return "waiting for shares"

    def _challenge(self, now: Glance) -> str:
        found = self._judged(now)
        if found is None or found.decision == now.decision:
            return "agrees" if found else "waiting for updates"
        self.seat.challenge(found.decision)
        return "challenged"

    def _jury(self, now: Glance) -> str:
        found = self._judged(now)
        if found is None:
            return "waiting for updates"
        self.seat.judge(found.decision)
        return "judged"

    def _done(self, now: Glance) -> str:
        self.seat.finalise()
        self._pay_out(now.round)
        self.exchange.shelf.forget(now.round)
        return "finalised"

    @property
    def _spent(self) -> bool:
        return self.spending is not None and self.spending.over

    # -- parts ----------------------------------------------------------------------------------

    def _state(self, last_final: int) -> bytes | None:
        if last_final not in self._finals:
            self._finals[last_final] = self.seat.final(last_final).state
        return self.exchange.find_state(self._finals[last_final])

    def _draft(self, now: Glance) -> Draft | None:
        state = self._state(now.last_final)
        if state is None:
            return None
        update = self._update(now.round, state)
        if self.spending is None:
            return self.counting.draft(now, state, update)
        draft = self.counting.draft(now, state, self.spending.guarded(state, update))
        if draft is not None:
            record = self.spending.spend(now.round)
            self.exchange.say(now.round, SPENT, self.number, canonical_json(to_builtins(record)))
        return draft

    def _update(self, number: int, state: bytes) -> Update:
        """Trained once a round, however often others have to be waited for."""
        if self._trained is None or self._trained[0] != number:
            rows = self._rows
            update = (
                self.learner.update(state, rows, seed=number)
                if isinstance(rows, Rows)
                else rows.update(state, number)
            )
            self._trained = number, update
        return self._trained[1]

    def _judged(self, now: Glance) -> Outcome | None:
        state, bodies = self._state(now.last_final), self.counting.bodies(now)
        if state is None or bodies is None:
            return None
        return self.counting.judged(now, state, bodies)

    def _pay_out(self, number: int) -> None:
        """Claim what a final round owes, where this member has recomputed it as it was decided."""
        found = self.counting.outcomes.get(number)
        if found is None or number in self._paid or not found.amounts[self.number]:
            return
        self._paid.add(number)
        if self.seat.final(number) == found.decision:
            amount = found.amounts[self.number]
            self.seat.claim(number, self.number, amount, found.proof(self.number))
