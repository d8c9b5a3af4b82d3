"""Hostile parties in a federation: the model stays near the clean one, the guilty earn nothing."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.support.hostile import ATTACKS, hostile_update
from veridict.federated.contribution import draw_rows, leave_one_out, rewards
from veridict.federated.fixed import Update
from veridict.federated.learners import Learner, Rows, learner_of
from veridict.federated.round import GroupSum, Turned, turn
from veridict.federated.rules import rule_named
from veridict.federated.statistics import Feature, Question, read, scale_of

PARTIES, ROWS = 10, 150
FEATURES = tuple(Feature(f"f{i}", -6.0, 6.0) for i in range(8))
WEIGHTS = np.array([1.5, -1.0, 0.8, 0.0, 0.6, -0.4, 0.3, 0.0])


def rows_of(seed: int, n: int = ROWS) -> Rows:
    """Parties differ: each sees its own corner of the world."""
    rng = np.random.default_rng(seed)
    features = rng.normal(rng.normal(0, 0.5, 8), 1.0, (n, 8))
    chance = 1 / (1 + np.exp(0.5 - features @ WEIGHTS))
    return Rows(features, (rng.random(n) < chance).astype(np.int8))


PARTY_ROWS = [rows_of(seed) for seed in range(PARTIES)]
ROOT, HELD, TEST = rows_of(100, 100), rows_of(101, 600), rows_of(102, 3000)


@cache
def learner() -> Learner:
    question = Question.first(FEATURES, ROWS)
    total = np.sum([question.answer(rows.features) for rows in PARTY_ROWS], axis=0)
    scale = scale_of(read(question, total), ROWS)
    return learner_of("logistic", {"rounds": 15}, scale)


def one_round(
    state: bytes, attack: str | None, hostile: int, rule: str
) -> tuple[Turned, list[GroupSum], Update]:
    it = learner()
    honest = [it.vector(state, rows, 0) for rows in PARTY_ROWS[hostile:]]
    updates = [it.update(state, rows) for rows in PARTY_ROWS]
    for party in range(hostile):
        assert attack is not None
        rows = PARTY_ROWS[party]
        updates[party] = hostile_update(attack, it, state, rows, honest, it.clip(state))
    sums = [GroupSum.of([party], [update]) for party, update in enumerate(updates)]
    root = it.update(state, ROOT)
    return turn(it, state, sums, rule_named(rule, hostile), root), sums, root


@cache
def auc(attack: str | None, hostile: int, rule: str = "trust") -> float:
    it = learner()
    state = it.start()
    while not it.finished(state):
        state = one_round(state, attack, hostile, rule)[0].state
    return float(roc_auc_score(TEST.labels, it.scores(state, TEST.features)))


@pytest.mark.parametrize("hostile", [2, 3, 4])
@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_the_default_rule_keeps_the_model(attack: str, hostile: int) -> None:
    assert auc(None, 0) > 0.8
    assert auc(attack, hostile) > auc(None, 0) - 0.02


def test_without_a_robust_rule_the_same_attack_ruins_the_model() -> None:
    """Otherwise the tests above would show nothing."""
    assert auc("sign-flip", 4, "mean") < auc(None, 0) - 0.1


@pytest.mark.parametrize("rule", ["multikrum", "trimmed-mean", "median"])
@pytest.mark.parametrize("attack", ["sign-flip", "label-flip", "inner-product"])
def test_other_rules_withstand_two_of_ten(attack: str, rule: str) -> None:
    assert auc(attack, 2, rule) > auc(None, 0) - 0.02


def test_bulyan_withstands_one_of_ten() -> None:
    assert auc("sign-flip", 1, "bulyan") > auc(None, 0) - 0.02


@pytest.mark.parametrize("attack", ["sign-flip", "label-flip", "inner-product"])
def test_the_guilty_are_named_and_earn_nothing(attack: str) -> None:
    it = learner()
    state = it.start()
    named: set[int] = set()
    for _ in range(3):
        before = state
        turned, sums, root = one_round(state, attack, 3, "trust")
        named |= set(turned.without_say)
        state = turned.state
    assert named == {0, 1, 2}
    worth = leave_one_out(
        it, before, sums, rule_named("trust", 3), root, draw_rows(b"after the commits", HELD, 400)
    )
    paid = rewards(worth, dict.fromkeys(range(PARTIES), 10**18), 10**18)
    assert {party for party, amount in paid.items() if amount == 0} >= {0, 1, 2}
    assert 0 < sum(paid.values()) <= 10**18


def test_who_brings_no_data_earns_less_than_anyone_who_does() -> None:
    it = learner()
    state = it.start()
    _, sums, root = one_round(state, "free-rider", 2, "trust")
    worth = leave_one_out(it, state, sums, rule_named("mean", 0), root, HELD)
    ranked = sorted(worth, key=lambda party: worth[party])
    assert set(ranked[:2]) == {0, 1}


def test_splitting_one_party_into_many_earns_no_more() -> None:
    """Rewards are capped by stake: ten names with one stake are paid one stake's worth."""
    stakes = {0: 1000, 1: 1000}
    alone = rewards({0: 500, 1: 500}, stakes, 10_000)
    split = rewards(
        {0: 500, **{10 + i: 50 for i in range(10)}},
        {0: 1000, **{10 + i: 100 for i in range(10)}},
        10_000,
    )
    assert sum(split[10 + i] for i in range(10)) <= alone[1] == 1000
