"""The same bits for training and serving, and nothing that comes later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.network import mainnet
from veridict.control.base_fee import FeeRule
from veridict.control.blocks import BlockTable
from veridict.control.features import NAMES, FeeFeatures

N = 1_200


def test_one_by_one_is_all_at_once() -> None:
    table = mainnet().slice(0, N)
    whole, alone = FeeFeatures().batch(table), FeeFeatures()
    parts = [alone.batch(table.slice(0, N - 50))]
    parts += [alone.batch(table.slice(at, at + 1)) for at in range(N - 50, N)]
    np.testing.assert_array_equal(np.vstack(parts), whole)
    assert whole.shape == (N, len(NAMES))


def test_what_comes_later_changes_nothing() -> None:
    blocks = list(mainnet().slice(0, N).blocks())
    other = [replace(block, base_fee_wei=10**12, gas_used=1, n_tx=9) for block in blocks[N // 2 :]]
    true = FeeFeatures().batch(BlockTable.of(blocks))
    false = FeeFeatures().batch(BlockTable.of([*blocks[: N // 2], *other]))
    np.testing.assert_array_equal(true[: N // 2], false[: N // 2])
    assert not np.array_equal(true[N // 2 :], false[N // 2 :])


def test_a_copy_goes_its_own_way() -> None:
    table, state = mainnet(), FeeFeatures()
    state.batch(table.slice(0, 500))
    kept = state.copy()
    after = state.batch(table.slice(500, 600))
    np.testing.assert_array_equal(kept.batch(table.slice(500, 600)), after)


@pytest.mark.parametrize("scale", [10, 1_000])
def test_they_are_blind_to_the_level_of_fees(scale: int) -> None:
    """A month with ten times the fees is no other month: but for rounding to wei."""
    table = mainnet().slice(0, 600)
    dear = replace(table, base_fee_wei=table.base_fee_wei * scale)
    np.testing.assert_allclose(
        FeeFeatures().batch(dear), FeeFeatures().batch(table), rtol=1e-4, atol=1e-6
    )


def test_a_day_of_a_faster_chain_has_more_blocks() -> None:
    fast = FeeFeatures(FeeRule(6, 250), block_time_s=2)
    assert fast.day_blocks == 43_200
    assert np.isfinite(fast.batch(mainnet().slice(0, 400))[-1, :10]).all()


def test_every_feature_moves() -> None:
    columns = FeeFeatures().batch(mainnet()).T
    known = {name: column[~np.isnan(column)] for name, column in zip(NAMES, columns, strict=True)}
    assert [name for name, values in known.items() if len(set(values.tolist())) < 2] == [
        "log fee above a week ago"  # two days of blocks have no week
    ]
