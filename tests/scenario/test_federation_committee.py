"""A committee that reads nothing: a seat dies, lies, deals badly or decides without a sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.federated_members import Village, rules_of, some_rows
from veridict.federated.committee import proof
from veridict.federated.committee.dealing import deal
from veridict.federated.committee.proof import Answer
from veridict.federated.fixed import ONE, Update
from veridict.federated.learners.learner import digest_of
from veridict.services.federation import committee
from veridict.services.federation.seat import Decision, Phase

Make = Callable[..., Village]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Make]:
    made: list[Village] = []

    def make(size: int = 5, **rules: Any) -> Village:
        rules = {"mode": "committee", "settings": {"rounds": 2}} | rules
        made.append(Village(tmp_path / str(len(made)), rules_of(**rules), size))
        return made[-1]

    yield make
    for each in made:
        each.close()


def named(told: list[Any], number: int) -> set[tuple[int, str]]:
    return {(r.member, r.finding) for t in told if t.round == number for r in t.refusals}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_seat_that_dies_is_replaced_by_stand_bys(village: Make, place: int) -> None:
    it = village()
    it.until_final(1)
    it.until(Phase.VOTE)
    number, victim = it.members[0].seat.round, it.members[0].seat.drawn()[place]
    it.dead.add(victim)
    it.until_final(number)
    assert it.members[0].seat.last_final == number  # it, not a later one run in its place
    assert len(it.states()) == 1
    it.dead.clear()
    it.restart(victim)
    it.until_final(number + 1)
    assert len(it.states()) == 1


def test_two_dead_seats_make_a_round_run_again(village: Make) -> None:
    it = village(size=6)
    it.until_final(1)
    it.until(Phase.VOTE)
    number = it.members[0].seat.round
    it.dead |= set(it.members[0].seat.drawn()[:2])
    it.until_final(number, most=800)
    it.dead.clear()
    it.until_final(number + 2, most=800)
    assert len(it.states()) == 1


def test_a_seat_that_lies_is_outvoted_and_named(
    village: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = village()
    it.until_final(2)
    it.until(Phase.VOTE)
    number, liar = it.members[0].seat.round, it.members[0].seat.drawn()[1]
    session = it.members[liar].counting
    honest = proof.answer

    def lying(*arguments: Any) -> Answer:
        made = honest(*arguments)
        return replace(made, norm2=made.norm2 + 1)

    told = []
    while it.members[0].seat.last_final < number:
        for i in range(len(it.members)):
            with monkeypatch.context() as patch:
                if i == liar:
                    patch.setattr(committee, "answer", lying)
                told.append(it.members[i].step())
        it.now_ms += 2000
    assert session.number == liar
    assert (liar, "committee.lied") in named(told, number)
    assert len(it.states()) == 1


def test_a_member_above_the_norm_bound_is_left_out_by_name(village: Make) -> None:
    it = village()
    it.until_final(2)
    hostile = it.members[1]

    def too_long(now: Any, state: bytes, update: Update) -> Any:
        sitting = hostile.counting._sitting(now, state)
        seats = [sitting._members[n] for n in sitting._drawn[:3]]
        values = np.full(len(update.values), ONE, np.int64)
        body, kept = deal(values, 1000, seats, sitting._context, 1)
        draft = honest(now, state, update)
        assert draft is not None
        return replace(draft, body=body, note=kept.hex())

    honest = hostile.counting.draft
    hostile.counting.draft = too_long  # type: ignore[method-assign]
    number = it.members[0].seat.round + 1
    told = it.until_final(number)
    assert named(told, number) == {(1, "committee.update")}


def test_a_backwards_update_gets_no_part_and_is_named(village: Make) -> None:
    """What the masked mode cannot say: which of a group it was."""
    it = village()
    it.until_final(2)
    hostile = it.members[1]
    rows = some_rows(1)
    hostile._rows = replace(rows, labels=(1 - rows.labels).astype(np.int8))
    number = it.members[0].seat.round + 1
    told = it.until_final(number)
    assert named(told, number) == {(1, "federation.no-say")}


def test_two_seats_that_decide_without_a_sum_are_overturned(village: Make) -> None:
    it = village(size=7)
    it.until_final(2)
    it.until(Phase.VOTE)
    drawn, number = it.members[0].seat.drawn(), it.members[0].seat.round
    before = it.members[0].seat.final(2).state
    lie = Decision(digest_of(b"a lie"), b"l" * 32)
    for liar in drawn[:2]:
        it.members[liar].seat.vote(lie)
        it.dead.add(liar)
    it.until_final(number, most=800)
    assert it.members[0].seat.final(number).state != lie.state
    assert it.members[0].seat.final(number).state == before  # no sum, no step
    stakes = [info.stake for info in it.members[0].seat.members()]
    assert [stakes[i] for i in drawn[:2]] == [0, 0]
    it.until_final(number + 1, most=800)
