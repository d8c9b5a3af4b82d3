"""What one member makes of a round's updates, under the federation's mode.

draft      what to commit to, and what to keep of it
help       say what others need to open the sums
outcome    what the round comes to, counted as a ballot says
judged     what it comes to, where it is decided already
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Sequence
from hashlib import sha256

import numpy as np

from veridict.core.errors import BadInput, Refused
from veridict.federated.fixed import Update
from veridict.federated.learners.learner import Rows, digest_of
from veridict.federated.round import GroupSum, Turned, turn
from veridict.federated.wire import encode_update
from veridict.services.federation.committee import CommitteeRound
from veridict.services.federation.exchange import Exchange
from veridict.services.federation.masked import MaskedRound
from veridict.services.federation.outcome import (
    Ballot,
    Outcome,
    Refusal,
    near_root,
    opened_updates,
    settled,
)
from veridict.services.federation.rules import FederationRules
from veridict.services.federation.seat import Glance, Phase, Seat
from veridict.services.federation.shelf import Draft

UPDATE, BALLOT = "update", "ballot"  # kinds of posts


class Counting:
    """Of member `number`. `root`: the public batch. `clock`: seconds."""

    def __init__(
        self,
        rules: FederationRules,
        seat: Seat,
        exchange: Exchange,
        number: int,
        root: Rows | None,
        clock: Callable[[], float],
    ) -> None:
        self.rules, self.seat, self.exchange, self.number = rules, seat, exchange, number
        self.learner, self.rule, self.root = rules.learner_(), rules.rule_(), root
        self.outcomes: dict[int, Outcome] = {}
        self._clock = clock
        self._round = -1
        self._masked: MaskedRound | None = None
        self._committee: CommitteeRound | None = None
        self._drawn: tuple[int, ...] = ()
        self._taught: tuple[bytes, Update] | None = None
        self._since: dict[Phase, float] = {}
        self._checked: dict[int, bytes] = {}  # member → digest on the chain

    def look(self, now: Glance) -> None:
        """At the beginning of every step."""
        if now.round != self._round:
            self._round, self._masked, self._committee = now.round, None, None
            self._drawn, self._since, self._checked = (), {}, {}
        self._since.setdefault(now.phase, self._clock())

    def drawn(self) -> tuple[int, ...]:
        """The committee of this round, and behind it the stand-bys."""
        self._drawn = self._drawn or self.seat.drawn()
        return self._drawn

    def draft(self, now: Glance, state: bytes, update: Update) -> Draft | None:
        """None while posts of others are missing."""
        salt = secrets.token_bytes(32)
        if self.rules.mode == "open":
            return Draft(encode_update(update), salt)
        if self.rules.mode == "committee":
            body, kept = self._sitting(now, state).dealt(update)
            return Draft(body, salt, kept)
        session = self._session(now, state)
        self._hides_enough(session)
        masked = session.masked(update)
        return None if masked is None else Draft(masked, salt, session.note)

    def _hides_enough(self, session: MaskedRound) -> None:
        """Raises Refused where a sum may open with fewer parts of the noise than are promised."""
        privacy = self.rules.privacy
        if privacy is not None and privacy.sharers > session.surely:
            raise Refused(
                f"a group's sum may be of {session.surely}, and {privacy.sharers} share the noise",
                remedy="wait for more members",
                reason="too few to share the noise",
            )

    def bodies(self, now: Glance) -> dict[int, bytes] | None:
        """What was revealed, as far as it can be had; None while it is worth waiting for more.

        Who reveals a digest and keeps back what it names would stop every round otherwise.
        """
        heard = self.exchange.heard(now.round, UPDATE)
        for number in now.revealed & heard.keys() - self._checked.keys():
            self._checked[number] = self.seat.digest_of(number)
        bodies = {
            number: heard[number]
            for number in sorted(now.revealed & heard.keys())
            if sha256(heard[number]).digest() == self._checked[number]
        }
        if bodies.keys() == now.revealed:
            return bodies
        patience = self.rules.windows.vote_s / 3
        enough = len(bodies) >= self.rules.least
        return bodies if enough and self._waited(Phase.VOTE) > patience else None

    def help(self, now: Glance, state: bytes, bodies: dict[int, bytes]) -> None:
        """Everybody's part in opening the sums, drawn or not."""
        if self.rules.mode == "masked":
            self._sums(now, state, bodies)
        if self.rules.mode == "committee":
            draft = self.exchange.shelf.draft(now.round)
            waited = self._waited(Phase.VOTE)
            self._sitting(now, state).help(bodies, draft.note if draft else "", waited)

    def ballots(self, now: Glance, state: bytes, bodies: dict[int, bytes]) -> list[Ballot]:
        """Of the committee, in the order in which it was drawn; and this member's own."""
        own = self._own_ballot(now, state, bodies)
        return [*self._posted(now), *([own] if own else [])]

    def outcome(self, now: Glance, state: bytes, ballot: Ballot) -> Outcome | None:
        """None where this ballot cannot be counted here, or should not be."""
        bodies = self.bodies(now)
        if bodies is None or not ballot.counted <= bodies.keys():
            return None
        if len(ballot.counted) < self.rules.least:
            return None
        if self.rules.mode == "committee":
            return self._added(now, state, ballot, bodies)
        root = None
        if self.rules.rule == "trust":
            root = near_root(self._teach(state), ballot.root)
            if root is None:
                return None
        counted = {number: bodies[number] for number in sorted(ballot.counted)}
        sums, refusals = self._sums(now, state, counted)
        if not sums:
            return None
        turned = turn(self.learner, state, sums, self.rule, root)
        return self._settled(now, turned, ballot.counted, refusals)

    def judged(self, now: Glance, state: bytes, bodies: dict[int, bytes]) -> Outcome | None:
        """What the round comes to: as it was decided, if any ballot comes to that."""
        if now.round in self.outcomes:
            return self.outcomes[now.round]
        posted = self._posted(now)
        found = [self.outcome(now, state, ballot) for ballot in posted]
        for made in found:
            if made is not None and made.decision == now.decision:
                self.outcomes[now.round] = made
                return made
        if self.rules.mode == "committee":
            return self._unsupported(now, state, bodies)
        if None in found or (not posted and bodies.keys() != now.revealed):
            return None  # it may be right, for all that is known here
        own_ballot = self._own_ballot(now, state, bodies)
        own = None if own_ballot is None else self.outcome(now, state, own_ballot)
        if own is not None:
            self.outcomes[now.round] = own
        return own

    # -- parts ----------------------------------------------------------------------------------

    def _waited(self, phase: Phase) -> float:
        """Seconds since this member saw it begin, in this round; endless where it saw it not."""
        return self._clock() - self._since.get(phase, -math.inf)

    def _posted(self, now: Glance) -> list[Ballot]:
        said = self.exchange.heard(now.round, BALLOT)
        found = [Ballot.read(said[number]) for number in self.drawn() if number in said]
        return [ballot for ballot in found if ballot is not None]

    def _own_ballot(self, now: Glance, state: bytes, bodies: dict[int, bytes]) -> Ballot | None:
        if self.rules.mode == "committee":
            added = self._sitting(now, state).added(bodies)
            return None if added is None else Ballot(added.counted, added.root)
        root = encode_update(self._teach(state)) if self.rules.rule == "trust" else b""
        return Ballot(frozenset(bodies), root)

    def _teach(self, state: bytes) -> Update:
        """The root batch's update, trained once a state."""
        if self._taught is None or self._taught[0] != state:
            if self.root is None:
                raise BadInput("a member without the root batch", remedy="join with --root")
            self._taught = state, self.learner.update(state, self.root)
        return self._taught[1]

    def _added(
        self, now: Glance, state: bytes, ballot: Ballot, bodies: dict[int, bytes]
    ) -> Outcome | None:
        added = self._sitting(now, state).added(bodies)
        if added is None or (added.counted, added.root) != (ballot.counted, ballot.root):
            return None
        step = added.aggregate.step
        turned = Turned(self.learner.moved(state, step), step, added.shares)
        return self._settled(now, turned, frozenset(bodies), added.refusals)

    def _unsupported(self, now: Glance, state: bytes, bodies: dict[int, bytes]) -> Outcome | None:
        """Of a decision that no posts stand behind: what they do come to, or no step at all."""
        own = self._own_ballot(now, state, bodies)
        if own is not None:
            return self._added(now, state, own, bodies)
        waited = self._waited(Phase.CHALLENGE)
        if now.phase is not Phase.JURY and waited < self.rules.windows.challenge_s / 2:
            return None
        still = Turned(state, np.zeros(self.learner.length(state), np.int64), {})
        return self._settled(now, still, frozenset(bodies), ())

    def _settled(
        self,
        now: Glance,
        turned: Turned,
        counted: frozenset[int],
        refusals: Sequence[Refusal],
    ) -> Outcome:
        absent = [
            Refusal(number, "federation.not-counted", "revealed what others could not get")
            for number in sorted(now.revealed - counted)
        ]
        stakes = self.seat.stakes(now.count)
        made = settled(turned, stakes, self.rules.reward, [*absent, *refusals])
        self.exchange.shelf.put_state(turned.state)
        return made

    def _sums(
        self, now: Glance, state: bytes, bodies: dict[int, bytes]
    ) -> tuple[list[GroupSum] | None, list[Refusal]]:
        if self.rules.mode == "masked":
            return self._session(now, state).opened(bodies)
        updates, refusals = opened_updates(bodies, self.learner.length(state))
        return [GroupSum.of([n], [update]) for n, update in updates.items()], refusals

    def _session(self, now: Glance, state: bytes) -> MaskedRound:
        if self._masked is None:
            self._masked = MaskedRound(
                rules=self.rules,
                exchange=self.exchange,
                number=now.round,
                member=self.number,
                members={number: self.seat.key_of(number) for number in sorted(now.roster)},
                beacon=now.beacon,
                drawn=self.drawn(),
                about=digest_of(state),
                length=self.learner.length(state) + 1,
                clock=self._clock,
            )
        return self._masked

    def _sitting(self, now: Glance, state: bytes) -> CommitteeRound:
        if self._committee is None:
            words = now.round.to_bytes(8, "big") + digest_of(state)
            self._committee = CommitteeRound(
                rules=self.rules,
                exchange=self.exchange,
                number=now.round,
                member=self.number,
                members={number: self.seat.key_of(number) for number in sorted(now.roster)},
                drawn=self.drawn(),
                context=sha256(self.exchange.venue.domain + words).digest(),
                length=self.learner.length(state),
                root=lambda: self._teach(state) if self.rules.rule == "trust" else None,
            )
        return self._committee
