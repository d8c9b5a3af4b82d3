"""Learners: silos learn what the pool would, states are bytes that survive anything."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.masked import masked_sum
from veridict.core.errors import BadInput
from veridict.federated.fixed import F64, I64, ONE, WEIGHT_ONE, mean
from veridict.federated.learners import Learner, Rows, Scale, learner_of
from veridict.federated.learners.learner import digest_of
from veridict.federated.rules import rule_named
from veridict.federated.statistics import Feature, Question, read, refined, scale_of
from veridict.models.image import image

FEATURES = (Feature("amount", 0.0, 1000.0), Feature("age", 0.0, 110.0), Feature("flag", 0.0, 1.0))
SMALL: dict[str, dict[str, int | float]] = {
    "logistic": {"rounds": 4},
    "network": {"rounds": 20, "hidden": 4},
    "trees": {"trees": 3, "depth": 3},
}


def some_rows(n: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    amount, age = rng.gamma(1.0, 120.0, n), rng.normal(50, 15, n)
    flag = (rng.random(n) < 0.3).astype(float)
    label = rng.random(n) < 1 / (1 + np.exp(3 - amount / 100 - flag - (age > 60)))
    features = np.stack([amount, age, flag], axis=1)
    features[rng.random(features.shape) < 0.05] = np.nan
    return Rows(features, label.astype(np.int8))


def joint_scale(silos: list[Rows]) -> Scale:
    question = Question.first(FEATURES, max(map(len, silos)))
    total = sum((question.answer(silo.features) for silo in silos), np.zeros(question.length, int))
    question = refined(question, read(question, total))
    total = sum((question.answer(silo.features) for silo in silos), np.zeros(question.length, int))
    return scale_of(read(question, total), question.rows_max, bins=8)


def trained(learner: Learner, silos: list[Rows], rule: str = "mean") -> bytes:
    state = learner.start()
    while not learner.finished(state):
        learner.check(state)
        updates = [learner.update(state, silo) for silo in silos]
        values = np.stack([mean(update.values, update.weight) for update in updates])
        weights = np.array([update.weight for update in updates])
        state = learner.moved(state, rule_named(rule, 0).aggregate(values, weights).step)
    return state


@pytest.fixture(scope="module")
def silos() -> list[Rows]:
    return [some_rows(n, seed) for seed, n in enumerate((120, 200, 80, 200))]


@pytest.fixture(scope="module")
def scale(silos: list[Rows]) -> Scale:
    return joint_scale(silos)


def pooled(silos: list[Rows]) -> Rows:
    return Rows(
        np.concatenate([silo.features for silo in silos]),
        np.concatenate([silo.labels for silo in silos]),
    )


def test_the_joint_scale_is_the_pool_s(silos: list[Rows], scale: Scale) -> None:
    features = np.clip(pooled(silos).features, [0, 0, 0], [1000, 110, 1])
    assert np.allclose(scale.means, np.nanmean(features, axis=0), rtol=1e-5)
    assert np.allclose(scale.deviations, np.nanstd(features, axis=0), rtol=1e-4)
    amount = features[~np.isnan(features[:, 0]), 0]
    shares = [np.mean(amount <= edge) for edge in scale.edges[0]]
    assert np.allclose(shares, np.arange(1, 8) / 8, atol=0.02)


@pytest.mark.parametrize("name", sorted(SMALL))
def test_silos_learn_what_the_pool_learns(name: str, silos: list[Rows], scale: Scale) -> None:
    learner = learner_of(name, SMALL[name], scale)
    together, whole = pooled(silos), learner_of(name, SMALL[name], joint_scale([pooled(silos)]))
    apart = learner.scores(trained(learner, silos), together.features)
    joined = whole.scores(trained(whole, [together]), together.features)
    constant = np.full_like(joined, np.log(together.labels.mean() / (1 - together.labels.mean())))
    assert loss(apart, together) < loss(joined, together) + (0.04 if name == "network" else 0.01)
    assert loss(joined, together) < loss(constant, together) - 0.02


def loss(log_odds: F64, rows: Rows) -> float:
    return float(np.mean(np.logaddexp(0, np.where(rows.labels == 1, -log_odds, log_odds))))


@pytest.mark.parametrize("name", sorted(SMALL))
def test_the_canonical_model_says_what_the_learner_says(
    name: str, silos: list[Rows], scale: Scale
) -> None:
    learner = learner_of(name, SMALL[name], scale)
    state = trained(learner, silos)
    compiled = learner.compiled(state)
    features = silos[0].features
    canonical = compiled.model.score(image(features)) / 2**32
    slack = compiled.error_bound / 2**32 + 1e-6
    assert np.abs(canonical - learner.scores(state, features)).max() <= slack
    if name == "trees":
        assert np.abs(canonical - learner.scores(state, features)).max() == 0.0


@pytest.mark.parametrize("name", sorted(SMALL))
def test_a_masked_round_is_the_open_round_bit_for_bit(
    name: str, silos: list[Rows], scale: Scale
) -> None:
    learner = learner_of(name, SMALL[name], scale)
    keys = [Ed25519PrivateKey.generate() for _ in silos]
    hidden = shown = learner.start()
    for number in range(2):
        updates = [learner.update(shown, silo) for silo in silos]
        plain = sum((update.values for update in updates), np.zeros(len(updates[0].values), int))
        weight = sum(update.weight for update in updates)
        shown = learner.moved(shown, mean(plain, weight))
        vectors = [np.append(update.values, update.weight) for update in updates]
        total = masked_sum(keys, vectors, bytes([number]) * 32)
        hidden = learner.moved(hidden, mean(total[:-1], int(total[-1])))
        assert digest_of(hidden) == digest_of(shown)


@pytest.mark.parametrize("name", sorted(SMALL))
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_step_leaves_a_state_that_can_go_on(
    name: str, data: st.DataObject, scale: Scale
) -> None:
    learner = learner_of(name, SMALL[name], scale)
    state = learner.start()
    for _ in range(data.draw(st.integers(1, 8))):
        if learner.finished(state):
            break
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
        step: I64 = rng.integers(-ONE // 64, ONE // 64, learner.length(state))
        state = learner.moved(state, step)
        learner.check(state)


@pytest.mark.parametrize("name", sorted(SMALL))
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_state_is_refused_or_harmless(
    name: str, data: st.DataObject, silos: list[Rows], scale: Scale
) -> None:
    learner = learner_of(name, SMALL[name], scale)
    state = bytearray(learner.start())
    for _ in range(data.draw(st.integers(1, 4))):
        state[data.draw(st.integers(0, len(state) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(state[: data.draw(st.integers(0, len(state)))]) or b"\0"
    try:
        learner.check(damaged)
    except BadInput:
        return
    assert learner.update(damaged, silos[2]).weight == 80 * WEIGHT_ONE // 200


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        ([[np.inf, 1.0]], [1]),
        ([[1.0, 2.0]], [2]),
        ([[1.0, 2.0]], [0, 1]),
        (np.zeros((0, 2)), []),
    ],
)
def test_rows_that_nobody_can_learn_from_are_refused(features: object, labels: object) -> None:
    with pytest.raises(BadInput):
        Rows(np.array(features, float), np.array(labels, np.int8))


def test_rows_of_another_schema_are_refused_by_name(scale: Scale) -> None:
    with pytest.raises(BadInput) as caught:
        learner_of("logistic", {}, scale).scores(b"", np.zeros((1, 2)))
    assert "amount, age, flag" in caught.value.remedy


def test_more_rows_than_were_declared_are_refused() -> None:
    with pytest.raises(BadInput):
        Question.first(FEATURES, 10).answer(np.zeros((11, 3)))
