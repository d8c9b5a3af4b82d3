"""Guard: what is no valid prediction, whatever the evidence for it."""

from __future__ import annotations

from typing import Any

import boa
import pytest

from tests.support import contracts as c
from tests.support.contracts import World, deploy_world, words
from tests.support.guards import INVALID, NOBODY, refused, state
from veridict.core.codec import TAG_REQUEST, commit


def test_a_payment_settles_once(world: World) -> None:
    for score in (0, c.REVIEW_AT, c.HOLD_AT):
        payment = world.open()
        record = world.record(payment, score)
        world.settle_signed(payment, record)
        for again in (record, world.record(payment)):
            refused(
                world,
                "Guard: payment is settled already",
                lambda p=payment, r=again: world.settle_signed(p, r),  # type: ignore[misc]
            )


def test_an_unknown_payment_is_refused(world: World) -> None:
    record = world.record(world.open())
    for payment in (0, 2, 2**256 - 1):
        refused(
            world,
            "Guard: unknown payment",
            lambda p=payment: world.settle_signed(p, record),  # type: ignore[misc]
        )


def test_a_prediction_about_another_payment_is_refused(world: World) -> None:
    world.open(500)
    others = [world.open(500), world.open(501), world.open(500, payee=world.human)]
    record = world.record(1)
    for payment in others:
        refused(
            world,
            INVALID + "about another request",
            lambda p=payment: world.settle_signed(p, record),  # type: ignore[misc]
        )


@pytest.mark.parametrize("where", [{"guard": NOBODY}, {"chain_id": 5}], ids=["guard", "chain"])
def test_a_prediction_for_elsewhere_is_refused(world: World, where: dict[str, Any]) -> None:
    payment = world.open()
    request = commit(TAG_REQUEST, c.SALT, world.content(payment, **where))
    record = world.record(payment, request=request)
    refused(world, INVALID + "about another request", lambda: world.settle_signed(payment, record))


def test_a_salt_that_does_not_open_the_request_is_refused(world: World) -> None:
    payment = world.open()
    record = world.record(payment)
    refused(
        world,
        INVALID + "about another request",
        lambda: world.settle_signed(payment, record, salt=b"x" * 32),
    )


def test_another_model_is_refused(world: World) -> None:
    payment = world.open()
    record = world.record(payment, model_id=b"x" * 32)
    refused(world, INVALID + "another model", lambda: world.settle_signed(payment, record))


def test_a_deprecated_model_is_refused(world: World) -> None:
    payment = world.open()
    world.registry.deprecate(c.MODEL_ID)
    record = world.record(payment)
    refused(world, INVALID + "model is not active", lambda: world.settle_signed(payment, record))


def test_without_a_registry_nobody_is_asked() -> None:
    world = deploy_world(registry=NOBODY)
    world.registry.deprecate(c.MODEL_ID)
    payment = world.open()
    world.settle_signed(payment, world.record(payment))
    assert state(world, payment) == c.PAID


@pytest.mark.parametrize("kind", [0x00, 0x02, ord("{")])
def test_another_kind_of_record_is_refused(world: World, kind: int) -> None:
    payment = world.open()
    first, *rest = words(world.record(payment))
    refused(
        world,
        INVALID + "not a prediction record",
        lambda: world.guard.settle_signed(
            payment, [bytes([kind]) + first[1:], *rest], c.SALT, 2**40, b"\0" * 65
        ),
    )


def test_a_prediction_has_its_time(world: World) -> None:
    now = boa.env.timestamp
    for offset_s, reason in (
        (-c.MAX_AGE_S - 1, "too old"),
        (61, "from the future"),
        (-c.MAX_AGE_S, None),
        (60, None),
    ):
        payment = world.open()
        record = world.record(payment, time_ms=(now + offset_s) * 1000)
        if reason:
            refused(
                world,
                INVALID + reason,
                lambda p=payment, r=record: world.settle_signed(p, r),  # type: ignore[misc]
            )
        else:
            world.settle_signed(payment, record)
            assert state(world, payment) == c.PAID
