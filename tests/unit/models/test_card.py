"""A card has one spelling, and is read back strictly."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from veridict.core.errors import BadInput
from veridict.models.card import Metric, ModelCard

CARD = ModelCard(
    model_id="0a" * 32,
    annex="0b" * 32,
    title="Payment fraud",
    data="0c" * 32,
    data_title="AMLSim slice (synthetic)",
    trained_from_s=0,
    trained_to_s=86_400,
    features=("amount", "count_1d"),
    metrics=(Metric("recall", "0.81", rows=9), Metric("recall", "0.5", group="new", rows=2)),
    limits=("synthetic payments only",),
    review_at="-4294967296",
    hold_at="9223372036854775807",
)


def test_a_card_comes_back() -> None:
    data = CARD.encode()
    assert ModelCard.decode(data) == CARD
    assert len(CARD.digest) == 32
    assert CARD.policy.hold_at == 2**63 - 1


@pytest.mark.parametrize(
    "change",
    [
        {"model_id": "0A" * 32},
        {"data": "00"},
        {"features": ()},
        {"features": ("a", "a")},
        {"trained_to_s": -1},
        {"review_at": "1.5"},
        {"review_at": "9223372036854775808"},
        {"limits": "none"},
        {"title": 3},
    ],
)
def test_cards_that_exist_are_valid(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        replace(CARD, **change)


@pytest.mark.parametrize("value", ["", "1e3", "01", ".5", "nan", "1.", 0.5])
def test_measures_are_decimal_strings(value: Any) -> None:
    with pytest.raises(BadInput, match="decimal"):
        Metric("recall", value)


def altered(**change: Any) -> bytes:
    return json.dumps({**json.loads(CARD.encode()), **change}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        CARD.encode() + b"\n",
        json.dumps(json.loads(CARD.encode())).encode(),
        altered(schema="other"),
        altered(extra=1),
        altered(metrics=[{"name": "x"}]),
        altered(metrics={}),
        altered(features="ab"),
        altered(trained_from_s=True),
        altered(trained_from_s="0"),
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="not a model card"):
        ModelCard.decode(data)
