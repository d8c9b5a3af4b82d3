"""Many members in one process: open and in masked groups, with attackers and dropouts."""

from __future__ import annotations

import numpy as np
import pytest

from veridict.apps.federating.simulating import run_simulation
from veridict.core.errors import BadInput
from veridict.services.federation.simulation import Plan, Simulated, auc


def rounds_of(plan: Plan, rounds: int = 3) -> list[Simulated]:
    return list(run_simulation(plan, None, None, "logistic", rounds))


@pytest.mark.parametrize("group", [0, 5])
def test_forty_members_train_through_attackers_and_dropouts(group: int) -> None:
    plan = Plan(members=40, group=group, seed=1)
    clean = rounds_of(plan)[-1].auc
    hostile = Plan(members=40, group=group, seed=1, attackers=0.05, dropouts=0.1)
    told = rounds_of(hostile)
    assert clean > 0.85
    assert told[-1].auc > clean - 0.02
    assert sum(each.dropped for each in told) > 5
    if group == 0:
        assert all(each.unheard == (2, 0) for each in told[2:3])
        assert [each.groups + each.dropped for each in told] == [40] * len(told)


def test_a_group_that_too_few_can_open_is_lost_and_the_round_goes_on() -> None:
    told = rounds_of(Plan(members=40, group=4, dropouts=0.3, seed=2), rounds=1)
    assert sum(each.lost for each in told) > 0
    assert all(each.groups > 0 for each in told)


def test_the_same_plan_gives_the_same_rounds() -> None:
    one, other = (rounds_of(Plan(members=30, dropouts=0.1), 1) for _ in range(2))
    assert [(r.auc, r.dropped, r.groups) for r in one] == [
        (r.auc, r.dropped, r.groups) for r in other
    ]


def test_the_area_under_the_curve_is_the_share_of_pairs() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 5, 40).astype(float), rng.integers(0, 2, 40)
    pairs = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a in scores[labels == 1]
        for b in scores[labels == 0]
    ]
    assert auc(scores, labels) == pytest.approx(np.mean(pairs))
    with pytest.raises(BadInput):
        auc(scores, np.zeros(40))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "plan",
    [
        Plan(members=1000, attackers=0.3, dropouts=0.1),
        Plan(members=1000, attackers=0.02, dropouts=0.05, group=12),
    ],
)
def test_a_thousand_members_fit_one_machine(plan: Plan) -> None:
    told = rounds_of(plan)
    assert told[-1].auc > 0.88
    assert told[-1].peak_mb < 600  # with pytest and all that other tests loaded
