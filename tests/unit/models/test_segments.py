"""Thresholds by segment: one row and many find the same ones, and cards keep them exactly."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.test_card import CARD
from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput
from veridict.core.nouns import Decision, Policy
from veridict.models.card import ModelCard
from veridict.models.image import image, pack
from veridict.models.segments import (
    Cut,
    Segmented,
    decisions,
    row_policy,
    segment_numbers,
)
from veridict.models.thresholds import Axis, Band, Choice, names

CUTS = (Cut.at(0, ("-1.5", "0", "100")), Cut.at(2, ("0.5",)))
POLICIES = tuple(Policy(10 * n - 30, 20 * n) for n in range(8))
POLICY = Segmented(0, 5, CUTS, POLICIES)

values = (
    st.sampled_from([math.nan, -math.inf, -2.0, -1.5, -0.0, 0.0, 0.5, 99.99, 100.0, math.inf])
    | st.floats()
)


def slow_segment(row: list[float]) -> int:
    """As the docstring says it, with floats; a missing value stands in the lowest band."""

    def band(value: float, edges: list[float]) -> int:
        return 0 if math.isnan(value) else sum(value >= edge for edge in edges)

    return 2 * band(row[0], [-1.5, 0.0, 100.0]) + band(row[2], [0.5])


@given(st.lists(st.tuples(st.lists(values, min_size=3, max_size=3), st.integers(-90, 200))))
def test_one_row_many_rows_and_the_slow_reading_agree(
    rows: list[tuple[list[float], int]],
) -> None:
    images = image(np.array([row for row, _ in rows], dtype=np.float64).reshape(-1, 3))
    scores = [score for _, score in rows]
    due = [slow_segment(row) for row, _ in rows]
    assert segment_numbers(CUTS, images).tolist() == due
    singly = [POLICY.at(pack(images[n : n + 1])) for n in range(len(rows))]
    assert singly == [POLICIES[number] for number in due]
    decided = [policy.decide(score) for policy, score in zip(singly, scores, strict=True)]
    assert decisions(POLICY, images, scores) == decided
    limits = POLICY.rows(images)
    assert limits.review_at.tolist() == [policy.review_at for policy in singly]
    assert limits.hold_at.tolist() == [policy.hold_at for policy in singly]
    for one, score in zip(decided, scores, strict=True):
        assert one in POLICY.possible(score)
        assert one <= POLICY.strictest().decide(score)


def test_a_plain_policy_is_the_same_for_all() -> None:
    plain = Policy(0, 5)
    images = image(np.zeros((3, 3)))
    assert decisions(plain, images, [-1, 0, 5]) == list(Decision)
    assert row_policy(plain, images) is plain is plain.at(b"") is plain.strictest()
    assert plain.possible(5) == {Decision.HOLD}


def test_inputs_of_another_shape_meet_the_pooled_thresholds() -> None:
    assert POLICY.at(b"") is POLICY
    assert POLICY.at(bytes(23)).decide(4) is Decision.REVIEW


@pytest.mark.parametrize("edges", [(), ("1", "1"), ("2", "1"), ("x",), ("nan",), ("1", "")])
def test_edges_must_rise(edges: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        Cut.at(0, edges)


def test_a_pair_for_each_segment_and_no_more() -> None:
    with pytest.raises(BadInput, match="7 pairs of thresholds for 8 segments"):
        Segmented(0, 5, CUTS, POLICIES[1:])
    with pytest.raises(BadInput):
        Segmented(0, 5, (), ())
    with pytest.raises(BadInput, match="1000 segments"):
        Segmented(0, 5, tuple(Cut.at(0, tuple(map(str, range(9)))) for _ in range(3)), ())


def test_segments_are_named_in_their_order() -> None:
    axes = (Axis("amount", ("1", "5")), Axis("new", ("0.5",)))
    assert names(axes) == [
        "amount < 1, new < 0.5", "amount < 1, new ≥ 0.5",
        "1 ≤ amount < 5, new < 0.5", "1 ≤ amount < 5, new ≥ 0.5",
        "amount ≥ 5, new < 0.5", "amount ≥ 5, new ≥ 0.5",
    ]  # fmt: skip


def told() -> ModelCard:
    band = Band("x", "-5", "7", 300, 20, True, 1, 2)
    axes = (Axis(CARD.features[0], ("0.5",)),)
    return replace(
        CARD, chosen=Choice(None, 5, 25, axes=axes, bands=(band, replace(band, own=False)))
    )


def test_a_card_keeps_them_and_decides_by_them() -> None:
    card = told()
    assert ModelCard.decode(card.encode()) == card
    assert isinstance(card.policy, Segmented)
    assert card.policy.policies == (Policy(-5, 7),) * 2
    assert "chosen" not in CARD.encode().decode()
    assert type(CARD.policy) is Policy


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("missed",), "8"), (("review",), -1), (("held",), True), (("axes",), []),
        (("axes", 0, "edges"), ["2", "1"]), (("axes", 0, "edges"), [7]),
        (("axes", 0, "feature"), "nothing"), (("bands", 0, "review_at"), 5),
        (("bands", 0, "review_at"), "9"), (("bands", 0, "hold_at"), "9" * 5000),
        (("bands", 0, "rows"), "3"), (("bands", 0, "own"), 1), (("bands",), [{}]),
        (("more",), 1), (("axes", 0, "edges"), ["1" * 99]),
    ],
)  # fmt: skip
def test_what_is_no_choice_is_refused(place: tuple[Any, ...], value: object) -> None:
    document = json.loads(told().encode())
    at = document["chosen"]
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    with pytest.raises(BadInput):
        ModelCard.decode(canonical_json(document))
