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

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from veridict.core.errors import Refused
from veridict.federated.learners.learner import Rows, digest_of
from veridict.federated.round import GroupSum
from veridict.federated.wire import encode_update
from veridict.services.federation.exchange import Exchange
from veridict.services.federation.masked import MaskedRound
from veridict.services.federation.outcome import (
    Ballot,
    Outcome,
    Refusal,
    near_root,
    opened_updates,
    outcome,
)
from veridict.services.federation.rules import FederationRules
from veridict.services.federation.seat import Glance, Phase, Seat
from veridict.services.federation.shelf import Draft

UPDATE, BALLOT = "update", "ballot"  # kinds of posts


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
        self._seen: tuple[int, Phase] = (0, Phase.IDLE)
        self._voting_since = -math.inf
        self._checked: dict[int, bytes] = {}  # of this round: member → digest on the chain
        self._paid: set[int] = set()
        self.exchange.shelf.put_state(self.learner.start())

    # -- the plot -------------------------------------------------------------------------------

    def step(self) -> Told:
        """Do what is due now. Safe to call again; raises OperatorErrors of chain and disk."""
        now = self.seat.glance()
        if now.round != self._seen[0]:
            self._voting_since, self._checked = -math.inf, {}
        if now.phase is Phase.VOTE and self._seen != (now.round, now.phase):
            self._voting_since = self._clock()
        self._seen = now.round, now.phase
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
        self.seat.reveal(draft.digest, draft.salt)
        return "revealed"

    def _vote(self, now: Glance) -> str:
        bodies = self._bodies(now)
        state = self._state(now.last_final)
        if bodies is None or state is None:
            return "waiting for updates"
        if self.number not in self._drawn(now):
            # In the masked mode everybody helps to open the sums.
            self._sums(now, state, bodies)
            return "not drawn"
        for ballot in (*self._ballots(now), self._own_ballot(now, state, bodies)):
            found = self._outcome(now, state, ballot)
            if found is not None:
                self._outcomes[now.round] = found
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

    def _bodies(self, now: Glance) -> dict[int, bytes] | None:
        """What was revealed, as far as it can be had; None while it is worth waiting for more.

        Who reveals a digest and keeps back what it names would stop every round otherwise.
        """
        heard = self.exchange.heard(now.round, UPDATE)
        for number in now.revealed & heard.keys() - self._checked.keys():
            self._checked[number] = self.seat.digest_of(number)
        bodies = {
            number: heard[number]
            for number in sorted(now.revealed & heard.keys())
            if Draft(heard[number], b"").digest == self._checked[number]
        }
        if bodies.keys() == now.revealed:
            return bodies
        patience = self.rules.windows.vote_s / 3
        enough = len(bodies) >= self.rules.least
        return bodies if enough and self._clock() - self._voting_since > patience else None

    def _ballots(self, now: Glance) -> list[Ballot]:
        """What members of the committee say they counted, in the order in which they were drawn."""
        said = self.exchange.heard(now.round, BALLOT)
        found = [Ballot.read(said[number]) for number in self._drawn(now) if number in said]
        return [ballot for ballot in found if ballot is not None]

    def _own_ballot(self, now: Glance, state: bytes, bodies: dict[int, bytes]) -> Ballot:
        root = self.learner.update(state, self._root) if self.rules.rule == "trust" else None
        return Ballot(frozenset(bodies), encode_update(root) if root else b"")

    def _outcome(self, now: Glance, state: bytes, ballot: Ballot) -> Outcome | None:
        """None where this ballot cannot be counted here, or should not be."""
        bodies = self._bodies(now)
        if bodies is None or not ballot.counted <= bodies.keys():
            return None
        if len(ballot.counted) < self.rules.least:
            return None
        root = None
        if self.rules.rule == "trust":
            root = near_root(self.learner.update(state, self._root), ballot.root)
            if root is None:
                return None
        counted = {number: bodies[number] for number in sorted(ballot.counted)}
        sums, refusals = self._sums(now, state, counted)
        if not sums:
            return None
        absent = [
            Refusal(number, "federation.not-counted", "revealed what others could not get")
            for number in sorted(now.revealed - ballot.counted)
        ]
        stakes = [member.stake for member in self.seat.members()]
        made = outcome(
            self.learner, state, sums, self.rule, root, stakes, self.rules.reward,
            [*absent, *refusals],
        )  # fmt: skip
        self.exchange.shelf.put_state(made.turned.state)
        return made

    def _judged(self, now: Glance) -> Outcome | None:
        """What the round comes to: as it was decided, if any ballot comes to that."""
        if now.round in self._outcomes:
            return self._outcomes[now.round]
        state, bodies = self._state(now.last_final), self._bodies(now)
        if state is None or bodies is None:
            return None
        ballots = self._ballots(now)
        found = [self._outcome(now, state, ballot) for ballot in ballots]
        for made in found:
            if made is not None and made.decision == now.decision:
                self._outcomes[now.round] = made
                return made
        if None in found or (not ballots and bodies.keys() != now.revealed):
            return None  # it may be right, for all that is known here
        own = self._outcome(now, state, self._own_ballot(now, state, bodies))
        if own is not None:
            self._outcomes[now.round] = own
        return own

    def _sums(
        self, now: Glance, state: bytes, bodies: dict[int, bytes]
    ) -> tuple[list[GroupSum] | None, list[Refusal]]:
        if self.rules.mode == "masked":
            return self._session(now, state).opened(bodies)
        updates, refusals = opened_updates(bodies, self.learner.length(state))
        return [GroupSum.of([n], [update]) for n, update in updates.items()], refusals

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
