"""The formula: EIP-1559's own numbers, and one form against the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.network import mainnet
from veridict.control.base_fee import MAINNET, FeeRule
from veridict.core.errors import BadInput

BLOCK = st.tuples(
    st.integers(1, 10**13), st.integers(0, 60_000_000), st.integers(2, 60_000_000)
).map(lambda b: (b[0], min(b[1], b[2]), b[2]))


@pytest.mark.parametrize(
    ("used", "expected"),
    [(15_000_000, 10**9), (30_000_000, 1_125_000_000), (0, 875_000_000), (15_000_001, 10**9 + 8)],
)
def test_a_gwei_moves_as_the_standard_says(used: int, expected: int) -> None:
    assert MAINNET.next(10**9, used, 30_000_000) == expected


def test_a_tiny_fee_rises_by_at_least_one_wei_and_never_below_the_floor() -> None:
    assert MAINNET.next(1, 16_000_000, 30_000_000) == 2
    assert FeeRule(6, 250, floor_wei=1_000).next(1_000, 0, 30_000_000) == 1_000


@given(st.lists(BLOCK, min_size=1, max_size=20))
def test_many_blocks_at_once_are_each_block_alone(blocks: list[tuple[int, int, int]]) -> None:
    columns = (np.array(column, dtype=np.int64) for column in zip(*blocks, strict=True))
    assert MAINNET.next_many(*columns).tolist() == [MAINNET.next(*block) for block in blocks]


def test_mainnet_follows_it() -> None:
    table = mainnet()
    said = MAINNET.next_many(table.base_fee_wei, table.gas_used, table.gas_limit)[:-1]
    assert (said == table.base_fee_wei[1:]).mean() > 0.997


@pytest.mark.parametrize("rule", [(0, 8, 0), (2, 0, 0), (2, 8, -1)])
def test_nonsense_is_no_rule(rule: tuple[int, int, int]) -> None:
    with pytest.raises(BadInput):
        FeeRule(*rule)


def test_without_a_gas_limit_there_is_no_next_fee() -> None:
    with pytest.raises(BadInput):
        MAINNET.next(10**9, 1, 0)
    with pytest.raises(BadInput):
        MAINNET.next_many(*(np.array([n], dtype=np.int64) for n in (10**9, 1, 0)))
