"""Members of a federation on a real chain: they train, whoever dies, lies or is cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.support.federated_members import ROOT, Village, rules_of, some_rows
from veridict.federated.learners import Rows
from veridict.federated.learners.learner import digest_of
from veridict.federated.wire import encode_update
from veridict.services.federation.seat import Decision, Glance, Phase
from veridict.services.federation.shelf import Draft

Make = Callable[..., Village]
TEST = some_rows(2000, 2000)


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Make]:
    made: list[Village] = []

    def make(size: int = 4, **rules: Any) -> Village:
        made.append(Village(tmp_path / str(len(made)), rules_of(**rules), size))
        return made[-1]

    yield make
    for each in made:
        each.close()


def auc(it: Village) -> float:
    (state,) = it.states()
    assert state is not None
    scores = it.members[0].learner.scores(state, TEST.features)
    return float(roc_auc_score(TEST.labels, scores))


@pytest.mark.parametrize("mode", [pytest.param("open", marks=pytest.mark.slow), "masked"])
def test_a_federation_trains_to_its_end(village: Make, mode: str) -> None:
    it = village(mode=mode)
    told = it.until_final(4)  # two rounds for the scale, two of training
    assert all(member.finished for member in it.members)
    assert auc(it) > 0.8
    (state,) = it.states()
    assert state is not None
    compiled = it.members[0].learner.compiled(state)
    assert compiled.feature_names == ("f0", "f1", "f2", "f3")
    assert not [t for t in told if t.refusals]


@pytest.mark.slow
def test_masked_and_open_end_in_the_same_state(village: Make) -> None:
    """One group: the rule sees one sum, and the mean of all is the mean of all."""
    states = []
    for mode in ("open", "masked"):
        it = village(mode=mode, rule="mean", settings={"rounds": 1})
        it.until_final(3)
        states.append(it.states())
    assert states[0] == states[1]
    assert len(states[0]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["open", "masked"])
@pytest.mark.parametrize("phase", [Phase.COMMIT, Phase.REVEAL, Phase.VOTE])
def test_a_member_that_dies_in_any_phase_stops_nobody(
    village: Make, mode: str, phase: Phase
) -> None:
    it = village(mode=mode)
    it.until_final(1)
    it.until(phase)
    victim = it.members[0].seat.drawn()[0]
    it.dead.add(victim)
    it.until_final(3, most=600)
    assert len(it.states()) == 1
    it.dead.clear()
    it.restart(victim)
    it.until_final(4, most=600)
    assert len(it.states()) == 1
    assert it.members[victim].state() is not None


@pytest.mark.slow
def test_a_member_killed_after_its_draft_reveals_what_it_committed(village: Make) -> None:
    it = village()
    it.until_final(2)
    it.until(Phase.REVEAL)
    for i in range(4):
        it.restart(i)
    number = it.members[0].seat.round
    it.until_final(number)
    revealed = it.members[0].seat.contract.events("Revealed", round=number)
    assert {event.args["member"] for event in revealed} == {0, 1, 2, 3}


@pytest.mark.slow
def test_one_cut_off_and_healed_catches_up(village: Make) -> None:
    it = village()
    it.until_final(1)
    for (a, b), wire in it.wires.items():
        wire.cut = 3 in (a, b)
    it.until_final(3, most=600)
    for wire in it.wires.values():
        wire.cut = False
    it.until_final(4, most=600)
    assert len(it.states()) == 1


@pytest.mark.slow
def test_a_lying_committee_member_is_outvoted(village: Make) -> None:
    it = village(size=5)
    it.until_final(2)
    it.until(Phase.VOTE)
    liar = it.members[0].seat.drawn()[0]
    it.members[liar].seat.vote(Decision(b"l" * 32, b"l" * 32))
    number = it.members[0].seat.round
    it.until_final(number)
    assert it.members[0].seat.final(number).state != b"l" * 32
    assert len(it.states()) == 1


@pytest.mark.slow
def test_a_lying_majority_of_the_committee_is_overturned_by_the_members(village: Make) -> None:
    it = village(size=7)
    it.until_final(2)
    it.until(Phase.VOTE)
    drawn, number = it.members[0].seat.drawn(), it.members[0].seat.round
    lie = Decision(digest_of(b"a lie"), b"l" * 32)
    for liar in drawn[:2]:
        it.members[liar].seat.vote(lie)
        it.dead.add(liar)
    it.until_final(number)
    final = it.members[0].seat.final(number)
    assert final.state != lie.state
    stakes = [info.stake for info in it.members[0].seat.members()]
    assert [stakes[i] for i in drawn[:2]] == [0, 0]


def test_a_hostile_update_gets_no_part_and_is_named(village: Make) -> None:
    it = village()
    it.until_final(2)
    hostile = it.members[1]
    honest = hostile._draft

    def backwards(now: Glance) -> Draft | None:
        draft = honest(now)
        if draft is None:
            return None
        state = hostile.state()
        assert state is not None
        update = hostile.learner.update(state, some_rows(1), seed=now.round)
        flipped = type(update)(-update.values, update.weight)
        return Draft(encode_update(flipped), draft.salt)

    hostile._draft = backwards  # type: ignore[method-assign]
    number = it.members[0].seat.round + 1
    told = it.until_final(number)
    named = {(r.member, r.finding) for t in told for r in t.refusals}
    assert named == {(1, "federation.no-say")}


@pytest.mark.slow
def test_a_poisoned_root_batch_of_one_is_not_used(village: Make) -> None:
    """The first drawn votes by a root of its own making; all others count by theirs."""
    it = village(size=5)
    it.until_final(2)
    it.until(Phase.VOTE)
    poisoner = it.members[it.members[0].seat.drawn()[0]]
    poisoner.counting.root = Rows(ROOT.features, (1 - ROOT.labels).astype(np.int8))
    number = it.members[0].seat.round
    poisoner.step()
    it.until_final(number)
    final = it.members[0].seat.final(number)
    assert poisoner.counting.outcomes[number].decision != final
    honest = [m for m in it.members if m is not poisoner and number in m.counting.outcomes]
    assert len(honest) >= 2
    assert {member.counting.outcomes[number].decision for member in honest} == {final}


@pytest.mark.slow
def test_what_is_kept_back_is_not_waited_for(village: Make) -> None:
    """A member reveals its digest on the chain, and shows nobody the update."""
    it = village(size=5)
    it.until_final(2)
    for (a, b), wire in it.wires.items():
        wire.cut = 4 in (a, b)
    number = it.members[0].seat.round + 1
    told = it.until_final(number)
    named = {(r.member, r.finding) for t in told for r in t.refusals}
    assert named == {(4, "federation.not-counted")}


@pytest.mark.slow
def test_rewards_are_paid_for_the_parts_that_were_taken(village: Make) -> None:
    it = village(reward=10**15)
    it.members[0].seat.contract.send("fund", value=10**16)
    it.until_final(3)
    it.walk()
    events = it.members[0].seat.contract.events("Rewarded")
    assert events
    assert sum(e.args["amount"] for e in events) <= 3 * 10**15


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["mean", "trust"])
def test_committee_and_open_end_in_the_same_state(village: Make, rule: str) -> None:
    states = []
    for mode in ("open", "committee"):
        it = village(mode=mode, rule=rule, settings={"rounds": 1})
        told = it.until_final(3)
        assert not [t for t in told if t.refusals]
        states.append(it.states())
    assert states[0] == states[1]
    assert len(states[0]) == 1
