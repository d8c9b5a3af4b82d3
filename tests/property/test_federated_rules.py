"""The integer rules: against slow definitions in Python's own integers, and their promises."""

from __future__ import annotations

from itertools import combinations
from math import isqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veridict.core.errors import BadInput, Refused
from veridict.federated import fixed
from veridict.federated.fixed import I64, ONE, WEIGHT_ONE, Clip, encode
from veridict.federated.rules import RULES, rule_named
from veridict.federated.state import Parameters

finite = st.floats(-1e12, 1e12, allow_nan=False)
vectors = st.integers(1, 6).flatmap(
    lambda d: st.lists(st.lists(finite, min_size=d, max_size=d), min_size=1, max_size=9)
)


def encoded(rows: list[list[float]], clip: Clip) -> I64:
    return np.stack([encode(np.array(row), clip).values for row in rows])


@given(vectors, st.floats(1e-4, 255.0), st.integers(1, WEIGHT_ONE))
@settings(deadline=None)
def test_an_encoded_update_keeps_the_bound_and_the_direction(
    rows: list[list[float]], norm: float, weight: int
) -> None:
    clip = Clip.of(norm)
    for row in rows:
        update = encode(np.array(row), clip, weight)
        exact = sum(int(v) ** 2 for v in update.values)
        assert exact == fixed.norm2(update.values) <= (weight << 11) ** 2
        length = float(np.linalg.norm(row))
        scale = ONE / max(length, clip.norm) * weight / WEIGHT_ONE
        assert np.abs(update.values - np.array(row) * scale).max() <= 2 + 1e-6 * ONE
        assert fixed.norm2(fixed.mean(update.values, weight)) <= ONE * ONE


@pytest.mark.parametrize("bad", [[np.nan], [np.inf, 0.0], [], [[1.0]]])
def test_what_is_no_update_is_refused(bad: list[float]) -> None:
    with pytest.raises(BadInput):
        encode(np.array(bad), Clip.of(1.0))


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=600))
def test_the_squared_norm_of_hostile_integers_is_exact_or_out_of_bounds(values: list[int]) -> None:
    exact = sum(v * v for v in values)
    told = fixed.norm2(np.array(values, np.int64))
    assert told == exact if all(abs(v) <= ONE for v in values) else told > ONE * ONE


@given(vectors, st.randoms())
@settings(deadline=None)
def test_a_sum_is_the_same_in_every_order(rows: list[list[float]], random: object) -> None:
    clip = Clip.of(3.0)
    updates = encoded(rows, clip)
    order = np.array(sorted(range(len(rows)), key=lambda i: (hash((i, str(random))), i)))
    weights = np.full(len(rows), WEIGHT_ONE, np.int64)
    mean = rule_named("mean", 0)
    assert (
        mean.aggregate(updates, weights).step == mean.aggregate(updates[order], weights).step
    ).all()
    start = Parameters.of(np.zeros(updates.shape[1]))
    one_way = start
    for update in updates:
        one_way = one_way.moved(update, clip)
    other = start
    for update in updates[order]:
        other = other.moved(update, clip)
    assert one_way.digest == other.digest


def truncated(a: int, b: int) -> int:
    return abs(a) // b * (1 if a >= 0 else -1)


def slow_bulyan(rows: list[list[int]], faulty: int) -> list[int]:
    left = list(range(len(rows)))
    chosen: list[int] = []
    while len(chosen) < len(rows) - 2 * faulty:
        nearest = max(1, len(left) - faulty - 2)

        def score(i: int, near: int = nearest) -> tuple[int, int]:
            gaps = sorted(
                sum((a - b) ** 2 for a, b in zip(rows[i], rows[j], strict=True))
                for j in left
                if j != i
            )
            return sum(gaps[:near]), i

        best = min(left, key=score)
        chosen.append(best)
        left.remove(best)
    kept = len(chosen) - 2 * faulty
    step = []
    for column in zip(*(rows[i] for i in chosen), strict=True):
        ordered = sorted(column)
        median = ordered[(len(ordered) - 1) // 2]
        best_gap = min(
            max(abs(v - median) for v in window)
            for window in combinations(ordered, kept)
            if median in window or kept < len(ordered)
        )
        for start in range(len(ordered) - kept + 1):
            window = ordered[start : start + kept]
            if max(abs(v - median) for v in window) == best_gap:
                step.append(truncated(sum(window), kept))
                break
    return step


@st.composite
def cases(draw: st.DrawFn) -> tuple[I64, int]:
    faulty = draw(st.integers(0, 2))
    n = draw(st.integers(4 * faulty + 3, 4 * faulty + 6))
    d = draw(st.integers(1, 4))
    cell = st.integers(-ONE // 4, ONE // 4)
    rows = draw(st.lists(st.lists(cell, min_size=d, max_size=d), min_size=n, max_size=n))
    return np.array(rows, np.int64), faulty


@given(cases())
@settings(deadline=None, max_examples=60)
def test_rules_are_their_definitions(case: tuple[I64, int]) -> None:
    updates, faulty = case
    n, rows = len(updates), updates.tolist()
    weights = np.full(n, 7, np.int64)
    columns = [sorted(column) for column in zip(*rows, strict=True)]

    median = rule_named("median", faulty).aggregate(updates, weights).step.tolist()
    assert median == [
        truncated(c[(n - 1) // 2] + c[n // 2], 2) if n % 2 == 0 else c[n // 2] for c in columns
    ]
    trimmed = rule_named("trimmed-mean", faulty).aggregate(updates, weights).step.tolist()
    assert trimmed == [truncated(sum(c[faulty : n - faulty]), n - 2 * faulty) for c in columns]
    gaps = [
        sorted(
            sum((a - b) ** 2 for a, b in zip(x, y, strict=True))
            for j, y in enumerate(rows)
            if j != i
        )
        for i, x in enumerate(rows)
    ]
    scores = [sum(g[: max(1, n - faulty - 2)]) for g in gaps]
    chosen = sorted(range(n), key=lambda i: (scores[i], i))[: n - faulty]
    krum = rule_named("multikrum", faulty).aggregate(updates, weights)
    assert krum.step.tolist() == [
        truncated(sum(rows[i][k] for i in chosen), len(chosen)) for k in range(len(columns))
    ]
    assert {i for i, share in enumerate(krum.shares) if share} == set(chosen)
    assert rule_named("bulyan", faulty).aggregate(updates, weights).step.tolist() == slow_bulyan(
        rows, faulty
    )


@given(cases(), st.lists(st.integers(-ONE // 4, ONE // 4), min_size=4, max_size=4))
@settings(deadline=None, max_examples=60)
def test_trust_is_its_definition(case: tuple[I64, int], toward: list[int]) -> None:
    updates, _ = case
    root = toward[: updates.shape[1]]
    weights = list(range(1, len(updates) + 1))
    found = rule_named("trust", 0).aggregate(
        updates, np.array(weights, np.int64), np.array(root, np.int64)
    )
    r2 = sum(v * v for v in root)
    dots = [sum(a * b for a, b in zip(row, root, strict=True)) for row in updates.tolist()]
    squares = [sum(v * v for v in row) for row in updates.tolist()]
    cosines = [
        (dot << 16) // max(1, isqrt(u2 * r2)) if u2 and r2 else 0
        for dot, u2 in zip(dots, squares, strict=True)
    ]
    usual = max(0, sorted(cosines)[(len(cosines) - 1) // 2])
    shares, coefficients = [], []
    for u2, cosine, weight in zip(squares, cosines, weights, strict=True):
        trust = min(1 << 16, max(0, 3 * (1 << 15) + 2 * (cosine - usual)))
        shares.append(trust * weight >> 16)
        fine = shares[-1] << 12
        coefficients.append(fine * isqrt(r2) // isqrt(u2) if u2 > r2 else fine)
    ahead = sum(c * dot for c, dot in zip(coefficients, dots, strict=True) if dot > 0)
    back = -sum(c * dot for c, dot in zip(coefficients, dots, strict=True) if dot < 0)
    if back > ahead:  # what goes against the root, no more than what goes its way
        coefficients = [
            c * ahead // back if dot < 0 else c for c, dot in zip(coefficients, dots, strict=True)
        ]
    if not r2:
        shares = []
    total = sum(shares) << 12
    expected = [
        truncated(
            sum(c * row[k] for c, row in zip(coefficients, updates.tolist(), strict=True)), total
        )
        if total
        else 0
        for k in range(updates.shape[1])
    ]
    assert found.step.tolist() == expected


@given(st.integers(2, 40), st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_against_the_root_nobody_turns_the_step(d: int, seed: int) -> None:
    """However many are hostile, under `trust` the step never points away from the root."""
    rng = np.random.default_rng(seed)
    clip = Clip.of(1.0)
    root = encode(rng.normal(size=d), clip).values
    hostile = np.stack([encode(rng.normal(size=d) * 10, clip).values for _ in range(9)])
    hostile[:5] = -root
    step = rule_named("trust", 0).aggregate(hostile, np.ones(9, np.int64) * WEIGHT_ONE, root).step
    # Truncation moves every element by less than one unit.
    assert fixed.inner(step, root) >= -int(np.abs(root).sum())


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_step_keeps_the_bound(name: str) -> None:
    rng = np.random.default_rng(1)
    updates = np.stack([encode(rng.normal(size=500), Clip.of(1.0)).values for _ in range(11)])
    updates[:, :3] = 0
    updates[0, :] = 0
    updates[0, 1] = ONE
    step = rule_named(name, 2).aggregate(updates, np.ones(11, np.int64), updates[3]).step
    assert 0 < fixed.norm2(step) <= ONE * ONE


@pytest.mark.parametrize(
    ("name", "least"), [("multikrum", 7), ("trimmed-mean", 5), ("median", 5), ("bulyan", 11)]
)
def test_too_few_updates_are_refused(name: str, least: int) -> None:
    ones = np.ones((least - 1, 2), np.int64)
    with pytest.raises(Refused):
        rule_named(name, 2).aggregate(ones, np.ones(least - 1, np.int64))


def test_a_rule_refuses_what_is_above_the_bound() -> None:
    updates = np.full((3, 2), ONE, np.int64)
    with pytest.raises(BadInput):
        rule_named("mean", 0).aggregate(updates, np.ones(3, np.int64))
