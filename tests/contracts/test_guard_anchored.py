"""Guard: predictions by their place in an anchored log."""

from __future__ import annotations

from typing import Any

import boa
import pytest

from tests.support import contracts as c
from tests.support.contracts import World, words
from tests.support.guards import INVALID, NOBODY, refused


def test_an_anchored_record_counts_after_the_window(world: World) -> None:
    payment = world.open()
    log = world.publish([world.record(payment)])
    boa.env.time_travel(seconds=c.WINDOW_S - 1)
    refused(
        world,
        INVALID + "challenge window is open",
        lambda: world.settle_anchored(payment, log, 0),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"operator": NOBODY},
        {"key": b"x" * 32},
        {"size": 4},
        {"root": b"x" * 32},
        {"time": 0},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_head_that_is_not_anchored_is_refused(world: World, changes: dict[str, Any]) -> None:
    payment = world.open()
    log = world.publish([world.record(payment)] * 5)
    boa.env.time_travel(seconds=c.WINDOW_S)
    refused(
        world,
        INVALID + "head is not anchored",
        lambda: world.settle_anchored(payment, log, 2, **changes),
    )


@pytest.mark.parametrize(
    "changes",
    [{"index": 3}, {"index": 5}, {"proof": []}, {"proof": [b"x" * 32] * 64}],
    ids=["index", "beyond", "no proof", "long proof"],
)
def test_a_record_that_is_not_in_the_log_is_refused(world: World, changes: dict[str, Any]) -> None:
    payment = world.open()
    log = world.publish([world.record(payment, score) for score in range(5)])
    boa.env.time_travel(seconds=c.WINDOW_S)
    not_in = INVALID + "record is not in the log"
    refused(world, not_in, lambda: world.settle_anchored(payment, log, 2, **changes))
    other = words(world.record(payment, 9, time_ms=log.records[2].time_ms))
    refused(world, not_in, lambda: world.settle_anchored(payment, log, 2, record=other))


def test_a_slashed_operators_records_no_longer_count(world: World) -> None:
    payment = world.open()
    log = world.publish([world.record(payment)])
    boa.env.time_travel(seconds=c.WINDOW_S)
    world.stakes.slash(world.operator.address, world.human, sender=world.judge)
    refused(world, INVALID + "bond is too small", lambda: world.settle_anchored(payment, log, 0))
