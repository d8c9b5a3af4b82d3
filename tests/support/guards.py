"""What tests ask of a guard: its events, a payment's state, and that a refusal moves no token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boa

from tests.support.contracts import World

NOBODY = "0x" + "00" * 20
INVALID = "Guard: no valid prediction, "


def logged(world: World) -> list[Any]:
    """The guard's own events of the last call."""
    return [e for e in world.guard.get_logs() if e.address == world.guard.address]


def state(world: World, payment_id: int) -> int:
    return int(world.guard.payment(payment_id).state)


def refused(world: World, reason: str, act: Callable[[], object]) -> None:
    before = _tokens(world)
    with boa.reverts(reason):
        act()
    assert before == _tokens(world)


def _tokens(world: World) -> list[int]:
    return [world.token.balanceOf(a) for a in (world.guard, world.payer, world.payee)]
