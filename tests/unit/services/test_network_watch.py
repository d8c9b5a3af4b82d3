"""A chain followed by its RPC: reorganisations, lies, silence; and plans that keep the deadline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.network import PAST, SmallEvm, header, mainnet, small_models, small_planner
from veridict.control.blocks import Block
from veridict.core.errors import BadInput, NotFound, RpcUnavailable
from veridict.services.anchoring.schedule import Moment, Verdict, decide
from veridict.services.network import shelf
from veridict.services.network.anchoring import ForecastRule
from veridict.services.network.desk import open_watch
from veridict.services.network.outlook import outlook
from veridict.services.network.source import RpcBlocks, TableBlocks
from veridict.services.network.views import keep, kept
from veridict.services.network.watch import NetworkWatch
from veridict.services.records import NetworkRecord

BATCH_S = 400.0  # without a record: what waits is one batch


def _blocks(start: int, stop: int, mark: str = "a") -> list[Block]:
    """Without bids, which no node tells, and with the hashes of a chain called `mark`."""
    plain = mainnet().slice(start, stop).blocks()
    return [replace(b, bid_gwei=float("nan"), hash=f"0x{mark}{b.number}") for b in plain]


class _Setting:
    """A watch of a node that knows blocks up to `head`, warmed up until PAST."""

    def __init__(self, head: int = PAST + 30) -> None:
        self.rpc = SmallEvm(_blocks(PAST - 300, head))
        self.now_ms = 1_000 * _blocks(head - 1, head)[0].time_s + 2_000
        self.told: list[NetworkRecord] = []
        self.watch = NetworkWatch(
            RpcBlocks(self.rpc), small_models(), small_planner(), lambda: self.now_ms,
            tell=self.told.append,
        )  # fmt: skip
        self.watch.begin(mainnet().slice(PAST - 2_000, PAST))

    def add(self, blocks: list[Block]) -> None:
        self.rpc.blocks |= {block.number: block for block in blocks}
        self.now_ms = 1_000 * max(block.time_s for block in blocks) + 2_000

    @property
    def events(self) -> list[str]:
        return [record.event for record in self.told if record.event != "fee.off-formula"]


def test_it_follows_a_node_block_by_block() -> None:
    setting = _Setting()
    setting.watch.catch_up()
    assert setting.watch.forecast().number == _blocks(PAST + 29, PAST + 30)[0].number
    assert setting.watch.forecast().trusted
    setting.add(_blocks(PAST + 30, PAST + 33))
    setting.watch.catch_up()
    assert setting.watch.forecast().number == _blocks(PAST + 32, PAST + 33)[0].number
    assert setting.events == []


def test_a_reorganisation_is_found_by_its_hash_and_followed() -> None:
    setting, straight = _Setting(), _Setting(PAST + 45)
    setting.watch.catch_up()
    other = [
        replace(b, gas_used=b.gas_used // 2, hash=f"0xb{b.number}")
        for b in _blocks(PAST + 20, PAST + 30)
    ]
    setting.add(other)
    setting.watch.catch_up()
    setting.add(_blocks(PAST + 20, PAST + 45))
    setting.watch.catch_up()
    straight.watch.catch_up()
    assert setting.events.count("chain.reorg") >= 1
    rows = (setting.watch.forecaster.row, straight.watch.forecaster.row)
    assert rows[0] is not None
    assert rows[1] is not None
    np.testing.assert_array_equal(rows[0], rows[1])


def test_a_lying_node_is_flagged_logged_and_not_believed() -> None:
    setting = _Setting()
    setting.watch.catch_up()
    lies = [replace(b, base_fee_wei=b.base_fee_wei // 4) for b in _blocks(PAST + 30, PAST + 33)]
    setting.add(lies)
    setting.watch.catch_up()
    assert "fee.alarm" in setting.events
    assert not setting.watch.forecast().trusted
    assert setting.watch.plan(3_600).by == "threshold"


def test_holes_zero_fees_and_missing_limits_are_flagged() -> None:
    setting = _Setting()
    setting.watch.catch_up()
    blocks = _blocks(PAST + 30, PAST + 40)
    blocks[2] = replace(blocks[2], base_fee_wei=0)
    blocks[4] = replace(blocks[4], gas_limit=0)
    setting.add(blocks[:6] + blocks[8:])
    setting.watch.catch_up()
    assert {"fee.zero", "block.no-gas-limit", "chain.gap"} <= set(setting.events)


def test_a_head_that_stands_still_and_one_from_the_future_are_flagged() -> None:
    setting = _Setting()
    setting.watch.catch_up()
    setting.now_ms += 1_000_000
    assert [f.code for f in setting.watch.catch_up()] == ["chain.stale"]
    assert not setting.watch.forecast().trusted
    setting.add(_blocks(PAST + 30, PAST + 31))
    setting.now_ms -= 400_000
    assert "clock.ahead" in {finding.code for finding in setting.watch.catch_up()}


@pytest.mark.parametrize(
    "answer", ["nonsense", 7, {"number": "0xzz"}, {"number": hex(1 << 80)}, {"number": None}]
)
def test_an_answer_that_is_no_block_is_an_error_with_a_remedy(answer: Any) -> None:
    rpc = SmallEvm(_blocks(PAST, PAST + 1))
    rpc.answers[_blocks(PAST, PAST + 1)[0].number] = answer
    number = _blocks(PAST, PAST + 1)[0].number
    with pytest.raises(RpcUnavailable):
        RpcBlocks(rpc).read(number, number)


def test_a_node_that_is_down_raises_and_the_next_look_goes_on() -> None:
    setting = _Setting()
    setting.rpc.down = True
    with pytest.raises(RpcUnavailable):
        setting.watch.catch_up()
    setting.rpc.down = False
    setting.watch.catch_up()
    assert setting.watch.forecast().trusted


def test_a_chain_without_base_fees_is_told_as_zero_fees() -> None:
    rpc = SmallEvm([])
    old = header(_blocks(PAST, PAST + 1)[0])
    del old["baseFeePerGas"]
    number = int(old["number"], 16)
    rpc.answers[number] = old
    assert RpcBlocks(rpc).read(number, number)[0].base_fee_wei == 0


@pytest.mark.parametrize("minutes", [0, 0.1, 0.4, 5, 300])
def test_a_plan_posts_at_the_deadline_at_any_price(minutes: float) -> None:
    setting = _Setting()
    setting.watch.catch_up()
    plan = setting.watch.plan(60 * minutes)
    if minutes < 0.4:
        assert plan.post
        assert plan.accepted_wei is None
    else:
        assert plan.accepted_wei is not None
        assert plan.post is (plan.fee_wei <= plan.accepted_wei)
    assert plan.why


def test_models_are_the_same_from_the_shelf(tmp_path: Path) -> None:
    shelf.save(tmp_path, small_models(), small_planner())
    models, planner = shelf.load(tmp_path)
    assert models.horizons == small_models().horizons
    for horizon, model in models.models.items():
        assert model.compiled.model.id == small_models().models[horizon].compiled.model.id
    assert planner.threshold == small_planner().threshold
    (tmp_path / "fee-5.vrdt").write_bytes((tmp_path / "fee-25.vrdt").read_bytes())
    with pytest.raises(Exception, match=r"annex|another model"):
        shelf.load(tmp_path)


def test_without_models_or_past_there_is_no_watch(tmp_path: Path) -> None:
    table = TableBlocks(mainnet())
    with pytest.raises(NotFound, match="no fee models"):
        open_watch(tmp_path, table, lambda: 0, live=False)
    shelf.save(tmp_path, small_models(), small_planner())
    with pytest.raises(BadInput):
        open_watch(tmp_path, table, lambda: 0, live=False, at=5)


def test_an_outlook_is_kept_as_it_is(tmp_path: Path) -> None:
    shelf.save(tmp_path, small_models(), small_planner())
    assert kept(tmp_path) is None
    number = int(mainnet().number[PAST + 100])
    watch = open_watch(tmp_path, TableBlocks(mainnet()), lambda: 0, live=False, at=number)
    view = outlook(watch, caps_gwei=(30.0,), deadline_s=3_600)
    assert view.block == number
    keep(tmp_path, view)
    assert kept(tmp_path) == view
    (tmp_path / "outlook.json").write_text("{")
    with pytest.raises(BadInput):
        kept(tmp_path)


@pytest.mark.parametrize("down", [False, True], ids=["followed", "down"])
def test_anchors_are_posted_by_the_planner_and_never_past_the_deadline(down: bool) -> None:
    setting = _Setting()
    setting.watch.catch_up()
    setting.rpc.down = down
    rule = ForecastRule(lambda: setting.watch)
    fees = [block.base_fee_wei for block in _blocks(PAST - 300, PAST + 30)]
    next_fee = setting.watch.forecast().next_fee_wei
    tip = 10**8
    moment = Moment(0, 3_600, next_fee + tip, tuple(fee + tip for fee in fees), BATCH_S)
    verdict = decide(moment, rule)
    assert rule.answered_by == ("threshold" if down else "forecast")
    assert verdict.accepted_wei is not None
    assert verdict.post is (moment.fee_wei <= verdict.accepted_wei)
    if not down:
        assert setting.watch.plan(3_570).accepted_wei == verdict.accepted_wei - tip
    late = Moment(3_580, 3_600, next_fee, tuple(fees))
    assert decide(late, rule) == Verdict(True, None)


def test_a_chain_without_a_past_is_posted_to_by_the_threshold(tmp_path: Path) -> None:
    rule = ForecastRule.of(tmp_path, SmallEvm(_blocks(PAST, PAST + 1)))  # no models either
    assert rule(Moment(0, 3_600, 90, (100,) * 50)) > 0
    assert rule.answered_by == "threshold"
    assert decide(Moment(0, 3_600, 1, (100,) * 50, BATCH_S), rule).post
