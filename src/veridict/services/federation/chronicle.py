"""What a member saw of its federation, round by round, kept for the dashboard.

who took part, what part the rule gave each, who was refused and why, what each was paid,
how good the state was on the public root batch, what each has spent of its privacy
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from veridict.core.errors import StorageFailed
from veridict.core.files import replace_file
from veridict.federated.contribution import log_loss
from veridict.federated.learners.learner import Rows
from veridict.services.federation.member import SPENT, Member, Told
from veridict.services.federation.outcome import Outcome
from veridict.services.federation.records import PrivacyRecord
from veridict.services.federation.seat import Phase
from veridict.services.federation.views import (
    FILE,
    FederationView,
    MemberView,
    PartView,
    RefusalView,
    RoundView,
    kept_at,
)

_KEPT = 200  # rounds
_SHARE_ONE, _SCORE_ONE = 1 << 16, 1 << 32


class Chronicle:
    """`note` after every step; what was kept before a restart stays. `root`: see `loss`."""

    def __init__(self, member: Member, root: Rows | None, folder: Path) -> None:
        self._member, self._root, self._path = member, root, folder / FILE
        before = kept_at(self._path)
        self._rounds = {each.number: each for each in before.rounds} if before else {}
        self._members: list[MemberView] = before.members if before else []
        self._seen: tuple[object, ...] = ()

    def note(self, told: Told) -> None:
        """Writes when something changed. Raises StorageFailed."""
        seen = (told.round, told.phase, told.did)
        if seen == self._seen:
            return
        self._seen = seen
        if told.round:
            self._note_round(told)
        for number, each in self._rounds.items():
            if number < told.round and each.outcome == "under way":
                self._rounds[number] = self._ended(each)
        self._note_members(told)
        rules, seat = self._member.rules, self._member.seat
        view = FederationView(
            rules.name,
            seat.contract.address,
            rules.learner,
            rules.mode,
            rules.rule,
            self._member.number,
            told.did == "finished",
            None if rules.privacy is None else str(rules.privacy.epsilon),
            self._members,
            sorted(self._rounds.values(), key=lambda each: -each.number)[:_KEPT],
        )
        try:
            replace_file(self._path, msgspec.json.encode(view))
        except OSError as error:
            raise StorageFailed(
                f"{self._path.name} cannot be written: {error.strerror}", remedy="free the disk"
            ) from error

    def _note_round(self, told: Told) -> None:
        now = self._member.seat.glance()
        if now.round != told.round:
            return
        found = self._member.counting.outcomes.get(told.round)
        phases = {Phase.IDLE: "final", Phase.FAILED: "failed"}
        self._rounds[told.round] = RoundView(
            told.round,
            phases.get(now.phase, "under way"),
            now.phase.word,
            sorted(now.committed),
            sorted(now.revealed),
            _parts(found),
            [RefusalView(r.member, r.finding, r.text) for r in found.refusals] if found else [],
            self._loss(found),
        )

    def _ended(self, each: RoundView) -> RoundView:
        """A round that this member saw no end of."""
        finals = self._member.seat.contract.events("Finalised", round=each.number)
        outcome = "final" if finals else "failed"
        return replace(each, outcome=outcome, phase=outcome)

    def _note_members(self, told: Told) -> None:
        seat, exchange = self._member.seat, self._member.exchange
        spent = {each.number: each.epsilon for each in self._members}
        for number, body in exchange.heard(told.round, SPENT).items():
            spent[number] = _epsilon(body) or spent.get(number)
        punished: dict[int, list[str]] = {}
        for event in seat.contract.events("Punished"):
            why = f"round {event.args['round']}: {event.args['reason']}"
            punished.setdefault(event.args["member"], []).append(why)
        self._members = [
            MemberView(
                each.number,
                each.owner,
                str(each.stake),
                each.stands,
                punished.get(each.number, []),
                spent.get(each.number),
            )
            for each in seat.members()
        ]

    def _loss(self, found: Outcome | None) -> float | None:
        if found is None or self._root is None:
            return None
        scores = self._member.learner.scores(found.turned.state, self._root.features)
        return log_loss(scores, self._root) / _SCORE_ONE if scores.any() else None


def _parts(found: Outcome | None) -> list[PartView]:
    if found is None:
        return []
    return [
        PartView(member, share / _SHARE_ONE, str(found.amounts[member]))
        for member, share in sorted(found.turned.shares.items())
    ]


def _epsilon(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=PrivacyRecord).epsilon
    except msgspec.MsgspecError:
        return None
