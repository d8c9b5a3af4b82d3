"""A federation that promises privacy counts what it spends, whoever is killed, and then stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.federated_members import ROOT, Village, rules_of, some_rows
from veridict.core.errors import BadInput
from veridict.federated.learners import Scale
from veridict.federated.privacy.accounting import epsilon_of, multiplier_for
from veridict.federated.privacy.private import Private
from veridict.services.federation.member import SPENT
from veridict.services.federation.promise import PrivacyRule, PublicScale
from veridict.services.federation.seat import Phase
from veridict.services.federation.shelf import Shelf
from veridict.services.federation.spending import Spending

Make = Callable[..., Village]
ROUNDS, DELTA = 2, 1e-3
SCALE = PublicScale.of(
    Scale(
        ("f0", "f1", "f2", "f3"),
        tuple(ROOT.features.mean(axis=0).tolist()),
        tuple(ROOT.features.std(axis=0).tolist()),
        ((0.0,),) * 4,
        120,
    )
)


def promise(epsilon: float = 3.0, rounds: int = ROUNDS, **changes: Any) -> PrivacyRule:
    fields: dict[str, Any] = {
        "unit": "row",
        "noise": "local",
        "epsilon": repr(epsilon),
        "delta": repr(DELTA),
        "multiplier": repr(multiplier_for(epsilon, DELTA, rounds)),
        "rows_min": 120,
        "scale": SCALE,
    }
    return PrivacyRule(**(fields | changes))


def settings(rounds: int = ROUNDS) -> dict[str, int | str]:
    return {"rounds": rounds, "row_norm": "1.0", "rate": "2.0"}


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Make]:
    made: list[Village] = []

    def make(size: int = 4, **rules: Any) -> Village:
        made.append(Village(tmp_path / str(len(made)), rules_of(**rules), size))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize(
    ("mode", "noise", "sharers"),
    [("open", "local", 1), ("masked", "shared", 2)],
)
@pytest.mark.slow
def test_it_trains_and_everybody_sees_what_it_cost(
    village: Make, mode: str, noise: str, sharers: int
) -> None:
    privacy = promise(noise=noise, sharers=sharers)
    it = village(mode=mode, settings=settings(), privacy=privacy)
    it.until_final(ROUNDS)
    assert len(it.states()) == 1
    assert all(member.finished for member in it.members)
    spent = epsilon_of(float(privacy.multiplier), ROUNDS, DELTA)
    for member in it.members:
        assert member.spending is not None
        assert member.spending.epsilon == spent <= 3.0
        assert set(member.exchange.heard(ROUNDS, SPENT)) == {0, 1, 2, 3}


def test_no_restart_forgets_what_is_spent_and_the_budget_ends_it(village: Make) -> None:
    """The budget is for two rounds. A round that nobody can finish has cost as much as another."""
    it = village(settings=settings(), privacy=promise(), least=4)
    it.until(Phase.REVEAL)
    it.dead.add(3)  # commits and keeps silent: three revealed, and four are asked for
    for _ in range(40):
        if it.phase is Phase.FAILED:
            break
        it.walk()
    assert it.phase is Phase.FAILED
    for i in range(4):
        it.restart(i)
        spending = it.members[i].spending
        assert spending is not None
        assert 0 < spending.epsilon < 3.0
    it.dead.clear()
    for _ in range(200):
        told = it.walk()
        if all(each.did == "finished" for each in told):
            break
    else:
        raise AssertionError(told)
    for i in range(3):
        spending = it.members[i].spending
        assert spending is not None
        assert spending.over
        assert spending.epsilon <= 3.0
        assert it.shelves[i].spent() == 2


def test_what_leaves_is_not_what_was_learned(village: Make) -> None:
    it = village(settings=settings(), privacy=promise())
    member = it.members[0]
    private = member.learner
    assert isinstance(private, Private)
    assert member.spending is not None
    plain = private.update(private.start(), some_rows(0))
    noisy = [member.spending.guarded(private.start(), plain).values for _ in range(40)]
    spread = np.std(np.stack(noisy) - plain.values)
    assert 0.8 < spread / private.deviation(private.start()) < 1.2
    it.until(Phase.REVEAL)
    draft = it.shelves[0].draft(1)
    assert draft is not None
    sent = np.frombuffer(draft.body, ">i4", offset=4)
    assert not np.array_equal(sent, plain.values)
    it.restart(0)
    it.until(Phase.VOTE)
    assert it.shelves[0].draft(1) == draft  # the same noise: a second draw would cost again


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"settings": {"rounds": 2}}, "row_norm"),
        ({"mode": "open", "noise": "shared"}, "masked"),
        ({"multiplier": "0.5"}, "multiplier"),
        ({"rows_min": 121}, "smallest"),
        ({"delta": "0.5"}, "delta"),
        ({"delta": "small"}, "decimal"),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused(
    tmp_path: Path, changes: dict[str, Any], remedy: str
) -> None:
    own = {name: changes[name] for name in changes.keys() & {"settings", "mode"}}
    rest = {name: changes[name] for name in changes.keys() - own.keys()}
    with closing(Shelf(tmp_path / "shelf")) as shelf, pytest.raises(BadInput) as caught:
        _begin({"settings": settings()} | own, rest, shelf)
    assert remedy in caught.value.remedy


def _begin(rules: dict[str, Any], changes: dict[str, Any], shelf: Shelf) -> None:
    agreed = rules_of(**rules, privacy=promise(**changes))
    agreed.check()
    private = agreed.learner_()
    assert isinstance(private, Private)
    Spending(private, some_rows(0), shelf, "0x", 0, lambda record: None)


def test_rules_without_a_promise_have_the_digest_they_had() -> None:
    assert b"privacy" not in rules_of().encode()
    told = rules_of(settings=settings(), privacy=promise())
    assert type(told).decode(told.encode()) == told
