"""The law of the log's times: a little behind stands still, far behind is an error."""

from __future__ import annotations

import pytest

from veridict.core.clock import TOLERATED_MS, SteadyClock, wall_clock_ms
from veridict.core.errors import ClockBehind


def told(*times: int) -> SteadyClock:
    left = iter(times)
    return SteadyClock(lambda: next(left))


def test_a_clock_set_back_a_little_stands_still_until_it_has_caught_up() -> None:
    clock = told(100_000, 99_000, 100_000 - TOLERATED_MS, 99_999, 100_001)
    assert [clock() for _ in range(5)] == [100_000, 100_000, 100_000, 100_000, 100_001]


def test_a_clock_far_behind_is_an_error_and_goes_on_when_mended() -> None:
    clock = told(500_000, 500_000 - TOLERATED_MS - 1, 1, 500_001)
    clock()
    for _ in range(2):
        with pytest.raises(ClockBehind, match="s behind the log") as caught:
            clock()
        assert "set the clock" in caught.value.remedy
    assert clock() == 500_001


def test_what_the_log_holds_counts_as_told() -> None:
    clock = told(100_000, 100_000, 300_000)
    clock.after(120_000)
    clock.after(110_000)  # an earlier one takes nothing back
    assert clock() == 120_000
    clock.after(200_000)
    with pytest.raises(ClockBehind):
        clock()
    assert clock() == 300_000


def test_by_default_it_is_the_wall_clock() -> None:
    before = wall_clock_ms()
    assert before <= SteadyClock()() <= wall_clock_ms()
