"""The committee mode's part of a round: measured and added by three that can read nothing.

    (the update)   components, sealed for the three that were drawn
    call           the root's update, by which all measure; of the first drawn, or the next
    answer.C       each seat: of each update its components' parts, by the root that C called
    sum            each seat, once a round: its components of Σ coefficient·update, over those
                   whose norm is proved and within the bound
    heir           each member, when the committee is late: components' keys for the stand-bys

All of it but the sealed keys can be read by everybody, so everybody finds the same step. What
one seat says of a component counts when another holder of it says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from veridict.core.errors import BadInput
from veridict.federated.committee.answers import (
    Measured,
    Parts,
    Said,
    Sums,
    added,
    decode_answers,
    encode_answers,
    measured,
    opened,
    seat_of,
)
from veridict.federated.committee.components import Component
from veridict.federated.committee.dealing import SEATS, Dealt, bequeath, deal
from veridict.federated.committee.proof import answer
from veridict.federated.fixed import I64, Update, mean, norm2
from veridict.federated.rules.combined import Combination, CombinedRule, Measures
from veridict.federated.wire import encode_update
from veridict.services.federation.added import Added, refusals_of
from veridict.services.federation.exchange import Exchange
from veridict.services.federation.outcome import Refusal, near_root
from veridict.services.federation.rules import FederationRules

CALL, ANSWER, SUM, HEIR = "call", "answer", "sum", "heir"
_HEIR_BYTES = 112


class CommitteeRound:
    """One member's view of one round. `members`: number → Ed25519 key.

    `waited`, where it is asked for: seconds since the votes were called for.
    """

    def __init__(
        self,
        *,
        rules: FederationRules,
        exchange: Exchange,
        number: int,
        member: int,
        members: Mapping[int, bytes],
        drawn: Sequence[int],
        context: bytes,
        length: int,
        root: Callable[[], Update | None],
    ) -> None:
        rule = rules.rule_()
        assert isinstance(rule, CombinedRule)  # the rules were checked when they were read
        self.number, self._rule, self._rules, self._root = number, rule, rules, root
        self._exchange, self._member, self._members = exchange, member, members
        self._drawn, self._context, self._length = drawn, context, length
        self._place = drawn.index(member) if member in drawn else None
        self._dealt: dict[int, Dealt] = {}
        self._malformed: dict[int, Refusal] = {}
        self._held: dict[int, dict[int, Component]] = {}
        self._answers: dict[
            tuple[int, int], Said
        ] = {}  # caller's and holder's place → what it said
        self._measured: dict[tuple[int, frozenset[int], frozenset[int]], Measured] = {}

    # -- while others may commit -----------------------------------------------------------------

    def dealt(self, update: Update) -> tuple[bytes, str]:
        """What to commit to, and what to keep of it: the components' keys."""
        seats = [self._members[number] for number in self._drawn[:SEATS]]
        values = mean(update.values, update.weight)
        body, kept = deal(values, update.weight, seats, self._context, self._member)
        return body, kept.hex()

    # -- after all have revealed -----------------------------------------------------------------

    def help(self, bodies: Mapping[int, bytes], kept: str, waited: float) -> None:
        """Say all that is this member's to say now."""
        self._read(bodies)
        if self._place is not None:
            self._call(waited)
            for caller, root in self._calls(waited):
                self._answer(caller, root, waited)
            self._add(waited)
        vote_s = self._rules.windows.vote_s
        if waited > 2 * vote_s / 3 and self.added(bodies) is None:
            self._bequeath(kept)

    def added(self, bodies: Mapping[int, bytes]) -> Added | None:
        """The step, once two holders of each component have said the same of it."""
        self._read(bodies)
        sums = self._sums()
        for caller, counted in {(s.caller, s.counted) for s in sums.values()}:
            agreed = {p: s for p, s in sums.items() if (s.caller, s.counted) == (caller, counted)}
            total, liars = opened(agreed)
            root = self._said(CALL).get(caller)
            if total is None or root is None:
                continue
            found = self._measure(caller)
            combination = self._combination(found, counted, root)
            if combination is None:
                continue
            lied = [self._drawn[place] for place in sorted(liars | found.liars)]
            left = self._dealt.keys() - counted - found.faults.keys()
            told = (*self._malformed.values(), *refusals_of(found.faults, left, lied))
            return Added(counted, root, combination.aggregate(total), told)
        return None

    # -- what this member says -------------------------------------------------------------------

    def _call(self, waited: float) -> None:
        place, called = self._place, self._said(CALL)
        if place is None or waited < self._turn(place) or place in called:
            return
        if called and min(called) < place:
            return
        root = self._root()
        self._say(CALL, b"" if root is None else encode_update(root))

    def _answer(self, caller: int, root: I64 | None, waited: float) -> None:
        place, kind = self._place, f"{ANSWER}.{caller}"
        if place is None or self._has_said(kind):
            return
        if place >= SEATS and not self._inherited(waited):
            return
        said: dict[int, Parts | None] = {}
        for dealer, dealt in self._dealt.items():
            held = self._components(dealer)
            said[dealer] = None if held is None else _parts(held, root, dealt.point)
        self._say(kind, encode_answers(said))

    def _add(self, waited: float) -> None:
        """Once a round, whatever comes later: two sums of different members would show one."""
        if self._place is None or self._has_said(SUM):
            return
        late = waited > 1.5 * self._rules.windows.vote_s
        for caller, _ in self._calls(waited):
            found = self._measure(caller)
            if found.open and not late:
                continue
            counted = frozenset(found.good)
            combination = self._combination(found, counted, self._said(CALL)[caller])
            parts = [self._components(dealer) for dealer in sorted(counted)]
            held = [part for part in parts if part is not None]
            if combination is None or len(held) != len(parts):
                continue
            vectors = {
                k: added(combination.coefficients, [part[k].low for part in held]) for k in held[0]
            }
            self._say(SUM, Sums(caller, counted, vectors).encode())
            return

    def _bequeath(self, kept: str) -> None:
        heirs = self._drawn[SEATS:]
        if not heirs or not kept or self._has_said(HEIR) or self._member not in self._dealt:
            return
        boxes = [
            bequeath(bytes.fromhex(kept), place, self._members[to], self._context, self._member)
            for place, to in enumerate(heirs)
        ]
        self._say(HEIR, b"".join(boxes))

    # -- what is known ---------------------------------------------------------------------------

    def _turn(self, place: int) -> float:
        """Seconds after which a caller's turn has come, if those before it are silent."""
        return place * self._rules.windows.vote_s / SEATS

    def _calls(self, waited: float) -> Iterator[tuple[int, I64 | None]]:
        """Callers in their order, and the root each called; of another root nothing is said."""
        own = self._root()
        for caller, posted in sorted(self._said(CALL).items()):
            if waited < self._turn(caller):
                continue
            if own is None:
                yield caller, None
            elif (root := near_root(own, posted)) is not None:
                yield caller, mean(root.values, root.weight)

    def _measure(self, caller: int) -> Measured:
        said = self._heard_answers(caller)
        key = caller, frozenset(said), frozenset(self._dealt)
        if key not in self._measured:
            self._measured[key] = measured(said, sorted(self._dealt))
        return self._measured[key]

    def _heard_answers(self, caller: int) -> dict[int, Said]:
        for place, data in self._said(f"{ANSWER}.{caller}").items():
            if (caller, place) not in self._answers:
                try:
                    said = decode_answers(data, place, self._length)
                except BadInput:
                    said = {}
                self._answers[caller, place] = said
        return {place: said for (to, place), said in self._answers.items() if to == caller}

    def _combination(
        self, found: Measured, counted: frozenset[int], root: bytes
    ) -> Combination | None:
        """None unless all who are counted are proved to be within the bound."""
        numbers = sorted(counted)
        if not counted <= found.good.keys() or len(numbers) < self._rules.least:
            return None
        toward = near_root(own, root) if (own := self._root()) is not None else None
        if own is not None and toward is None:
            return None
        values = None if toward is None else mean(toward.values, toward.weight)
        return self._rule.combination(
            Measures(
                tuple(self._dealt[n].weight for n in numbers),
                tuple(found.good[n][0] for n in numbers),
                tuple(found.good[n][1] for n in numbers),
                None if values is None else norm2(values),
            )
        )

    def _sums(self) -> dict[int, Sums]:
        read = {
            place: Sums.decode(data, place, self._length) for place, data in self._said(SUM).items()
        }
        return {place: sums for place, sums in read.items() if sums is not None}

    def _components(self, dealer: int) -> dict[int, Component] | None:
        """Those this member's place holds; None where they cannot be read."""
        if dealer not in self._held and self._place is not None:
            dealt, key = self._dealt[dealer], self._exchange.key.key
            if self._place < SEATS:
                found = dealt.unseal(key, self._place)
            else:
                at = (self._place - SEATS) * _HEIR_BYTES
                heir = self._exchange.heard(self.number, HEIR).get(dealer, b"")
                found = dealt.inherit(key, seat_of(self._place), heir[at : at + _HEIR_BYTES])
            if found is not None:
                self._held[dealer] = found
        return self._held.get(dealer)

    def _inherited(self, waited: float) -> bool:
        """Whether all have sealed their components for the stand-bys, or enough and it is late."""
        heirs = self._exchange.heard(self.number, HEIR).keys() & self._dealt.keys()
        late = waited > self._rules.windows.vote_s and len(heirs) >= self._rules.least
        return late or heirs == self._dealt.keys()

    def _read(self, bodies: Mapping[int, bytes]) -> None:
        parse = partial(Dealt.parse, context=self._context, length=self._length)
        for dealer in bodies.keys() - self._dealt.keys() - self._malformed.keys():
            try:
                self._dealt[dealer] = parse(bodies[dealer], dealer=dealer)
            except BadInput as error:
                refusal = Refusal(dealer, "federation.bad-update", error.message)
                self._malformed[dealer] = refusal

    # -- posts -----------------------------------------------------------------------------------

    def _said(self, kind: str) -> dict[int, bytes]:
        """By place among the drawn."""
        heard = self._exchange.heard(self.number, kind)
        return {self._drawn.index(n): body for n, body in heard.items() if n in self._drawn}

    def _has_said(self, kind: str) -> bool:
        return self._member in self._exchange.heard(self.number, kind)

    def _say(self, kind: str, body: bytes) -> None:
        self._exchange.say(self.number, kind, self._member, body)


def _parts(held: Mapping[int, Component], root: I64 | None, at: int) -> Parts:
    return {k: answer(part.limbs, part.proof, root, at) for k, part in held.items()}
