"""What a source can get wrong, each by its finding, and what is done about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.network import mainnet
from veridict.control.blocks import Block
from veridict.control.files import clean
from veridict.control.intake import RECOVERY_BLOCKS, Intake

START, GOOD = 5_000, 60


def _good(count: int = GOOD) -> list[Block]:
    """Blocks that follow the formula to the wei."""
    first = next(iter(mainnet().slice(START, START + 1).blocks()))
    blocks = [first]
    for block in mainnet().slice(START + 1, START + count).blocks():
        last, rule = blocks[-1], Intake().rule
        fee = rule.next(last.base_fee_wei, last.gas_used, last.gas_limit)
        blocks.append(replace(block, base_fee_wei=fee))
    return blocks


def _codes(intake: Intake, block: Block, now_s: int | None = None) -> list[str]:
    return [finding.code for finding in intake.accept(block, now_s=now_s)[1]]


def test_blocks_in_order_are_taken_as_they_are() -> None:
    intake = Intake()
    for block in _good():
        assert intake.accept(block) == (block, [])
    assert intake.trusted


@pytest.mark.parametrize(
    ("change", "code", "trusted"),
    [
        ({"gas_limit": 0}, "block.no-gas-limit", True),
        ({"base_fee_wei": 0}, "fee.zero", False),
        ({"base_fee_wei": 40_000_000_001}, "fee.off-formula", True),
        ({"base_fee_wei": 99_000_000_000_000}, "fee.alarm", False),
        ({"number": 1}, "chain.reorg", False),
        ({"time_s": 5}, "clock.backwards", True),
    ],
)
def test_each_defect_has_its_finding(change: dict[str, int], code: str, trusted: bool) -> None:
    intake, blocks = Intake(), _good()
    for block in blocks[:-1]:
        intake.accept(block)
    last = blocks[-1]
    if code == "fee.off-formula":
        change = {"base_fee_wei": last.base_fee_wei + 7}
    assert code in _codes(intake, replace(last, **change))  # type: ignore[arg-type]
    assert intake.trusted is trusted


def test_what_is_missing_is_stood_in_for() -> None:
    intake, blocks = Intake(), _good(4)
    for block in blocks[:2]:
        intake.accept(block)
    no_limit, _ = intake.accept(replace(blocks[2], gas_limit=0))
    assert no_limit is not None
    assert no_limit.gas_limit == blocks[1].gas_limit
    no_fee, _ = intake.accept(replace(blocks[3], base_fee_wei=0, time_s=0))
    assert no_fee is not None
    assert no_fee.base_fee_wei == blocks[3].base_fee_wei or no_fee.base_fee_wei > 0
    assert no_fee.time_s == blocks[2].time_s + 12


def test_a_first_block_without_limit_or_fee_is_no_block() -> None:
    first = _good(1)[0]
    assert Intake().accept(replace(first, gas_limit=0))[0] is None
    assert Intake().accept(replace(first, base_fee_wei=0))[0] is None


def test_a_gap_is_doubted_until_blocks_have_come_in_order() -> None:
    intake, blocks = Intake(), _good()
    intake.accept(blocks[0])
    assert _codes(intake, blocks[5]) == ["chain.gap"]
    for block in blocks[6 : 5 + RECOVERY_BLOCKS]:
        intake.accept(block)
        assert not intake.trusted
    intake.accept(blocks[5 + RECOVERY_BLOCKS])
    assert intake.trusted


def test_small_slips_are_findings_and_many_of_them_an_alarm() -> None:
    intake, found = Intake(), []
    for block in _good(20):
        found += _codes(intake, replace(block, base_fee_wei=block.base_fee_wei + block.number % 7))
    assert "fee.off-formula" in found
    assert "fee.alarm" in found
    assert not intake.trusted


def test_a_block_from_the_future_is_told_by_the_clock_alone() -> None:
    blocks = _good(2)
    assert _codes(Intake(), blocks[0], now_s=blocks[0].time_s - 61) == ["clock.ahead"]
    assert _codes(Intake(), blocks[0], now_s=blocks[0].time_s - 59) == []
    assert _codes(Intake(), blocks[0]) == []


def test_the_same_block_again_is_nothing() -> None:
    intake, (block,) = Intake(), _good(1)
    intake.accept(block)
    assert intake.accept(block) == (None, [])


def test_a_table_is_cut_at_its_last_gap() -> None:
    blocks = _good()
    table, found = clean([*blocks[:10], *blocks[20:]], Intake())
    assert table.number.tolist() == [block.number for block in blocks[20:]]
    assert found["chain.gap"] == 1
