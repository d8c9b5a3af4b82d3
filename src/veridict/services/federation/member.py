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

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from veridict.core.errors import Refused
from veridict.federated.fixed import Update
from veridict.federated.learners.learner import Rows, digest_of
from veridict.federated.round import GroupSum
from veridict.federated.wire import encode_update
from veridict.services.federation.exchange import Exchange
from veridict.services.federation.masked import MaskedRound
from veridict.services.federation.outcome import (
    Outcome,
    Refusal,
    agreed_root,
    opened_updates,
    outcome,
)
from veridict.services.federation.rules import FederationRules
from veridict.services.federation.seat import Glance, Phase, Seat
from veridict.services.federation.shelf import Draft

UPDATE, ROOT = "update", "root"  # kinds of posts


@dataclass(frozen=True, slots=True)
class Told:
    """What a step did, for the page and the log."""

    round: int
    phase: Phase
    did: str
    refusals: tuple[Refusal, ...] = ()


class Member:
    """`rows`: this party's own, never sent. `root`: the public batch. `clock`: seconds."""

    def __init__(
        self,
        rules: FederationRules,
        seat: Seat,
        exchange: Exchange,
        rows: Rows,
        root: Rows,
        clock: Callable[[], float],
    ) -> None:
        seat.check(rules)
        number = seat.number
        if number is None:
            raise Refused("this account is no member", remedy="join first", reason="not a member")
        self.rules, self.seat, self.exchange, self.number = rules, seat, exchange, number
        self.learner, self.rule = rules.learner_(), rules.rule_()
        self._rows, self._root, self._clock = rows, root, clock
        self._masked: MaskedRound | None = None
        self._outcomes: dict[int, Outcome] = {}
        self._finals: dict[int, bytes] = {}  # round → digest of its state; final is final
        self._committee: tuple[int, tuple[int, ...]] = (0, ())
        self._rooted = 0  # the last round for which the root's update was posted
        self._paid: set[int] = set()
        self.exchange.shelf.put_state(self.learner.start())

    # -- the plot -------------------------------------------------------------------------------

    def step(self) -> Told:
        """Do what is due now. Safe to call again; raises OperatorErrors of chain and disk."""
        now = self.seat.glance()
        self.exchange.keys = {number: self.seat.key_of(number) for number in range(now.count)}
        self.exchange.listen(now.round)
        try:
            did = getattr(self, f"_{now.phase.word}")(now)
        except Refused as error:
            # Another member was faster, or the window closed between reading and writing.
            did = f"refused: {error.facts.get('reason', error.message)}"
        found = self._outcomes.get(now.round)
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
        if state is not None and self.learner.finished(state):
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
        self._post_root(now)
        self.seat.reveal(draft.digest, draft.salt)
        return "revealed"

    def _vote(self, now: Glance) -> str:
        self._post_root(now)
        found = self._outcome(now)
        if found is None:
            return "waiting for updates"
        if self.number not in self._drawn(now):
            return "not drawn"
        self.seat.vote(found.decision)
        return "voted"

    def _challenge(self, now: Glance) -> str:
        found = self._outcome(now)
        if found is None or found.decision == now.decision:
            return "agrees" if found else "waiting for updates"
        self.seat.challenge(found.decision)
        return "challenged"

    def _jury(self, now: Glance) -> str:
        found = self._outcome(now)
        if found is None:
            return "waiting for updates"
        self.seat.judge(found.decision)
        return "judged"

    def _done(self, now: Glance) -> str:
        self.seat.finalise()
        self._pay_out(now.round)
        self.exchange.shelf.forget(now.round)
        return "finalised"

    # -- parts ----------------------------------------------------------------------------------

    def _state(self, last_final: int) -> bytes | None:
        if last_final not in self._finals:
            self._finals[last_final] = self.seat.final(last_final).state
        return self.exchange.find_state(self._finals[last_final])

    def _drawn(self, now: Glance) -> tuple[int, ...]:
        if self._committee[0] != now.round:
            self._committee = now.round, self.seat.drawn()
        return self._committee[1]

    def _draft(self, now: Glance) -> Draft | None:
        state = self._state(now.last_final)
        if state is None:
            return None
        update = self.learner.update(state, self._rows, seed=now.round)
        if self.rules.mode == "open":
            return Draft(encode_update(update), secrets.token_bytes(32))
        session = self._session(now, state)
        body = session.masked(update)
        return None if body is None else Draft(body, secrets.token_bytes(32), session.note)

    def _post_root(self, now: Glance) -> None:
        """Once all are committed, so that nobody trains toward it."""
        if self.rules.rule != "trust" or self._rooted == now.round:
            return
        state = self._state(now.last_final)
        if state is not None and self.number in self._drawn(now):
            update = self.learner.update(state, self._root)
            self.exchange.say(now.round, ROOT, self.number, encode_update(update))
            self._rooted = now.round

    def _outcome(self, now: Glance) -> Outcome | None:
        """None while something is missing that a revealed digest names."""
        if now.round in self._outcomes:
            return self._outcomes[now.round]
        state = self._state(now.last_final)
        bodies = self.exchange.heard(now.round, UPDATE)
        if state is None or not now.revealed <= bodies.keys():
            return None
        good = {number: bodies[number] for number in now.revealed}
        for number, body in good.items():
            if Draft(body, b"").digest != self.seat.digest_of(number):
                return None
        sums, refusals = self._sums(now, state, good)
        if sums is None:
            return None
        stakes = [member.stake for member in self.seat.members()]
        root = self._agreed_root(now, state)
        made = outcome(
            self.learner, state, sums, self.rule, root, stakes, self.rules.reward, refusals
        )
        self.exchange.shelf.put_state(made.turned.state)
        self._outcomes[now.round] = made
        return made

    def _sums(
        self, now: Glance, state: bytes, bodies: dict[int, bytes]
    ) -> tuple[list[GroupSum] | None, list[Refusal]]:
        if self.rules.mode == "masked":
            return self._session(now, state).opened(bodies)
        updates, refusals = opened_updates(bodies, self.learner.length(state))
        return [GroupSum.of([n], [update]) for n, update in updates.items()], refusals

    def _agreed_root(self, now: Glance, state: bytes) -> Update | None:
        if self.rules.rule != "trust":
            return None
        own = self.learner.update(state, self._root)
        posted = self.exchange.heard(now.round, ROOT)
        return agreed_root(own, posted, self._drawn(now), self.learner.length(state))

    def _session(self, now: Glance, state: bytes) -> MaskedRound:
        if self._masked is None or self._masked.number != now.round:
            self._masked = MaskedRound(
                rules=self.rules,
                exchange=self.exchange,
                number=now.round,
                member=self.number,
                members={number: self.seat.key_of(number) for number in sorted(now.roster)},
                beacon=now.beacon,
                drawn=self._drawn(now),
                about=digest_of(state),
                length=self.learner.length(state) + 1,
                clock=self._clock,
            )
        return self._masked

    def _pay_out(self, number: int) -> None:
        """Claim what a final round owes, where this member has recomputed it as it was decided."""
        found = self._outcomes.get(number)
        if found is None or number in self._paid or not found.amounts[self.number]:
            return
        self._paid.add(number)
        if self.seat.final(number) == found.decision:
            amount = found.amounts[self.number]
            self.seat.claim(number, self.number, amount, found.proof(self.number))
