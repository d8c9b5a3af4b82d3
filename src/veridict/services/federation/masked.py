"""The masked mode's part of a round: a group's secure sum, over posts.

Who advertised keys and who dealt shares must be the same for all of a group. A member of the
committee lists both, as the group's caller; when it is silent, the next one calls a new attempt.
Who is alive needs no caller: it is whose masked vector is revealed on the chain. So nobody can
show two members different lists of the living.

    advertise.A.G │ list-a.A.G │ share.A.G │ list-s.A.G │ (the update) │ confirm.A.G │ unmask.A.G

with A the attempt and G the group. Once an attempt has both lists it is the one, however late a
member learns of them.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import numpy as np

from veridict.core.errors import BadInput, EvidenceError
from veridict.federated.fixed import Update
from veridict.federated.masking.combiner import Combiner
from veridict.federated.masking.groups import draw_groups
from veridict.federated.masking.party import Party
from veridict.federated.masking.session import Kind, Session
from veridict.federated.round import GroupSum
from veridict.services.federation.exchange import Exchange
from veridict.services.federation.outcome import Refusal
from veridict.services.federation.rules import FederationRules

_BODY = struct.Struct(">HH")  # attempt and group, before a masked vector
ATTEMPTS = 3


class MaskedRound:
    """One member's view of one round. Steps are taken as far as posts allow, each once.

    `members`: number → Ed25519 key, of all that are of the round; this one is among them.
    """

    def __init__(
        self,
        *,
        rules: FederationRules,
        exchange: Exchange,
        number: int,
        member: int,
        members: Mapping[int, bytes],
        beacon: bytes,
        drawn: Sequence[int],
        about: bytes,
        length: int,
        clock: Callable[[], float],
    ) -> None:
        self.number, self.note = number, ""
        self._exchange, self._member, self._drawn, self._clock = exchange, member, drawn, clock
        self._about, self._length = about, length
        self._patience = rules.windows.commit_s / (ATTEMPTS + 1)
        self._began = clock()
        numbers, self._keys = sorted(members), members
        keys = [members[number] for number in numbers]
        self._groups = [
            [numbers[i] for i in group]
            for group in draw_groups(beacon, keys, min(rules.group, len(numbers)))
        ]
        self._group = next((g for g, ms in enumerate(self._groups) if member in ms), 0)
        self._me = self._groups[self._group].index(member)
        self._parties: dict[int, Party] = {}
        self._masked: bytes | None = None

    @property
    def surely(self) -> int:
        """The least members of whose vectors this member's group opens a sum."""
        return 2 * len(self._groups[self._group]) // 3 + 1

    # -- while others may commit ----------------------------------------------------------------

    def masked(self, update: Update) -> bytes | None:
        """The masked vector to commit to; None while posts of others are missing."""
        if self._masked is not None:
            return self._masked
        attempt = min(int((self._clock() - self._began) / self._patience), ATTEMPTS - 1)
        try:
            for each in range(attempt + 1):
                shares = self._listed(each, "share", "list-s")
                if each in self._parties and shares is not None and self._me in shares:
                    return self._mask(each, shares, update)
            self._prepare(attempt)
        except EvidenceError as error:
            # Somebody sent this member what honest ones do not send: another attempt, or none.
            self._exchange.findings.append(error)
        return None

    def _prepare(self, attempt: int) -> None:
        """Advertise, and deal shares to those who are listed."""
        self._call(attempt)
        if attempt not in self._parties:
            if self._said(attempt, "advertise"):
                return  # by this member before it was started again: its secrets are gone
            self._parties[attempt] = Party(
                self._session(attempt, self._group), self._me, self._exchange.key.key
            )
            self._say(attempt, "advertise", self._parties[attempt].advertise())
            self._call(attempt)
        ads = self._listed(attempt, "advertise", "list-a")
        if ads is not None and self._me in ads and not self._said(attempt, "share"):
            self._say(attempt, "share", self._parties[attempt].share(ads))
            self._call(attempt)

    def _mask(self, attempt: int, shares: Mapping[int, bytes], update: Update) -> bytes:
        vector = np.append(update.values, update.weight)
        message = self._parties[attempt].mask(shares, vector)
        self._masked = _BODY.pack(attempt, self._group) + message
        self.note = f"attempt {attempt}, group {self._group}"
        return self._masked

    def _call(self, attempt: int) -> None:
        """As the caller of this attempt: list who has spoken, once enough have."""
        if not self._drawn or self._drawn[attempt % len(self._drawn)] != self._member:
            return
        for group, members in enumerate(self._groups):
            for kind, listing in (("advertise", "list-a"), ("share", "list-s")):
                name = f"{listing}.{attempt}.{group}"
                heard = self._heard(kind, attempt, group)
                waited = self._clock() - self._began - attempt * self._patience
                everybody = len(heard) == len(members)
                if kind == "share":
                    listed = self._exchange.heard(self.number, f"list-a.{attempt}.{group}")
                    mine = listed.get(self._member)
                    everybody = mine is not None and len(heard) == mine.count(b"\1")
                if everybody or waited > self._patience / 2:
                    flags = bytes(number in heard for number in members)
                    if sum(flags) >= 2 * len(members) // 3 + 1:
                        self._exchange.say(self.number, name, self._member, flags)

    # -- after all have revealed ----------------------------------------------------------------

    def opened(self, bodies: Mapping[int, bytes]) -> tuple[list[GroupSum] | None, list[Refusal]]:
        """Every group's sum from the revealed vectors; None while shares are missing.

        A group that cannot be opened any more is left out, and who is guilty is named.
        """
        sums: list[GroupSum] = []
        refusals: list[Refusal] = []
        for group in range(len(self._groups)):
            found, refused = self._open_group(group, bodies)
            refusals += refused
            if found is None and not refused:
                return None, refusals
            if found is not None:
                sums.append(found)
        return sums, refusals

    def _open_group(
        self, group: int, bodies: Mapping[int, bytes]
    ) -> tuple[GroupSum | None, list[Refusal]]:
        members = self._groups[group]
        here = {n: bodies[n] for n in members if n in bodies and len(bodies[n]) > _BODY.size}
        attempts = Counter(_BODY.unpack_from(body) for body in here.values())
        if not attempts:
            return None, [_left_out(n, "sent no masked vector") for n in members]
        (attempt, _), _ = attempts.most_common(1)[0]
        strays = [n for n, body in here.items() if _BODY.unpack_from(body) != (attempt, group)]
        refused = [_left_out(n, "masked in another attempt than its group") for n in strays]
        here = {n: body for n, body in here.items() if n not in strays}
        combiner = Combiner(self._session(attempt, group))
        try:
            for kind, listing in ((Kind.ADVERTISE, "list-a"), (Kind.SHARE, "list-s")):
                listed = self._listed(attempt, kind.word, listing, group)
                if listed is None:
                    return None, refused
                self._take(combiner, listed, refused, members)
                combiner.advance()
            masks = {members.index(n): body[_BODY.size :] for n, body in here.items()}
            self._take(combiner, masks, refused, members)
            combiner.advance()
            if self._member in members:
                self._help(attempt, combiner)
            for kind in (Kind.CONFIRM, Kind.UNMASK):
                heard = self._by_place(kind.word, attempt, group)
                heard = {at: m for at, m in heard.items() if at in combiner.expected}
                if len(heard) < combiner.session.threshold:
                    return None, refused
                self._take(combiner, heard, refused, members)
                if kind is Kind.CONFIRM:
                    combiner.advance()
            opened = combiner.open()
        except EvidenceError as error:
            guilty = error.facts.get("member")
            named = [guilty] if isinstance(guilty, int) else combiner.alive
            texts = [_refusal(members[at], error) for at in named]
            return None, [*refused, *texts]
        living = [members[at] for at in opened.members]
        return GroupSum.opened(living, opened.values), refused

    def _help(self, attempt: int, combiner: Combiner) -> None:
        """Confirm who is alive, and open for them once enough have confirmed the same."""
        party = self._parties.get(attempt)
        if party is None or self._me not in combiner.alive:
            return
        if not self._said(attempt, "confirm"):
            self._say(attempt, "confirm", party.confirm(combiner.alive))
        confirmed = self._by_place("confirm", attempt, self._group)
        alive = {at: message for at, message in confirmed.items() if at in combiner.alive}
        if len(alive) >= party.session.threshold and not self._said(attempt, "unmask"):
            self._say(attempt, "unmask", party.unmask(alive))

    # -- small parts ------------------------------------------------------------------------------

    def _take(
        self,
        combiner: Combiner,
        messages: Mapping[int, bytes],
        refused: list[Refusal],
        members: Sequence[int],
    ) -> None:
        for at, message in messages.items():
            try:
                combiner.take(at, message)
            except EvidenceError as error:
                refused.append(_refusal(members[at], error))

    def _session(self, attempt: int, group: int) -> Session:
        words = self.number.to_bytes(8, "big") + attempt.to_bytes(2, "big")
        about = sha256(self._exchange.venue.domain + words + self._about).digest()
        roster = tuple(self._keys[n] for n in self._groups[group])
        return Session(about, roster, self._length)

    def _say(self, attempt: int, kind: str, message: bytes) -> None:
        name = f"{kind}.{attempt}.{self._group}"
        self._exchange.say(self.number, name, self._member, message)

    def _said(self, attempt: int, kind: str) -> bool:
        return self._member in self._heard(kind, attempt, self._group)

    def _heard(self, kind: str, attempt: int, group: int) -> dict[int, bytes]:
        """Member number → message, of a group's members."""
        heard = self._exchange.heard(self.number, f"{kind}.{attempt}.{group}")
        return {n: body for n, body in heard.items() if n in self._groups[group]}

    def _by_place(self, kind: str, attempt: int, group: int) -> dict[int, bytes]:
        members = self._groups[group]
        return {members.index(n): b for n, b in self._heard(kind, attempt, group).items()}

    def _listed(
        self, attempt: int, kind: str, listing: str, group: int | None = None
    ) -> dict[int, bytes] | None:
        """The messages that the caller listed, by place; None while one or the list is missing."""
        group = self._group if group is None else group
        caller = self._drawn[attempt % len(self._drawn)]
        flags = self._exchange.heard(self.number, f"{listing}.{attempt}.{group}").get(caller)
        if flags is None or len(flags) != len(self._groups[group]):
            return None
        heard = self._by_place(kind, attempt, group)
        wanted = [at for at, flag in enumerate(flags) if flag]
        if not set(wanted) <= set(heard):
            return None
        return {at: heard[at] for at in wanted}


def _refusal(member: int, error: EvidenceError | BadInput) -> Refusal:
    return Refusal(member, str(error.facts.get("finding", "masking")), error.message)


def _left_out(member: int, why: str) -> Refusal:
    return Refusal(member, "masking.left-out", why)
