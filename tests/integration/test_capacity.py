"""A real engine's gas limit follows a forecast through a contract; the simulator is the engine."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.support.anvil import running_anvil
from tests.support.small_pack import card_of
from tests.support.told import opened, told_copy
from veridict.chain.http import HttpRpc
from veridict.control.blockspace import Engine, run
from veridict.control.capacity import UNIT, learn
from veridict.control.parameter import Limits
from veridict.core.errors import BadInput, Refused
from veridict.core.ports import Rpc
from veridict.services import steering
from veridict.services.network.capacity import Steersman
from veridict.services.network.knobs import EngineKnob
from veridict.services.network.source import RpcBlocks
from veridict.services.node import Node

RICH = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"  # anvil's first account, unlocked there
LIMITS = Limits(
    low=1_000_000, high=30_000_000, safe=10_000_000, max_step=4_000_000, cool_down_s=1,
    expiry_s=10_000, veto_s=1_000, base=1_000_000, slope=3 * UNIT,
)  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Iterator[Rpc]:
    with running_anvil(mining=False) as url, HttpRpc(url) as rpc:
        yield rpc


def send(rpc: Rpc, count: int) -> None:
    transfer = {"from": RICH, "to": RICH, "value": "0x1", "gas": hex(21_000)}
    transfer |= {"maxFeePerGas": hex(10**15), "maxPriorityFeePerGas": "0x1"}
    rpc.batch([("eth_sendTransaction", [transfer])] * count)


def test_the_simulated_fee_path_is_the_engines_own(engine: Rpc) -> None:
    """The same blocks under the same, moving, gas limits: every base fee to the wei."""
    chance, source = Random(5), RpcBlocks(engine)
    knob = EngineKnob(engine, "anvil")
    arrivals = [chance.randrange(0, 30) for _ in range(40)]
    limits = [21_000 * chance.randrange(4, 40) for _ in range(41)]
    knob.turn(limits[0])
    engine.call("evm_mine", [])
    first = source.read(source.head(), source.head())[0]
    for count, limit in zip(arrivals, limits[1:], strict=True):
        send(engine, count)
        engine.call("evm_mine", [])
        knob.turn(limit)
    real = source.read(first.number + 1, source.head())

    rich = Engine(
        slot_s=1, first_limit=limits[0], first_fee_wei=real[0].base_fee_wei, patience_s=10_000,
        bid=1e6, spread=0.0,
    )  # fmt: skip
    served = run(arrivals, rich, lambda block: limits[block.number + 1])
    assert len(served.blocks) == len(real) == len(arrivals)
    for mine, theirs in zip(served.blocks, real, strict=True):
        assert (mine.base_fee_wei, mine.gas_used, mine.gas_limit) == (
            theirs.base_fee_wei,
            theirs.gas_used,
            theirs.gas_limit,
        )


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with opened(told_copy(tmp_path_factory.mktemp("capacity") / "home")) as node:
        yield node


def test_an_engine_is_steered_by_forecasts_within_limits(engine: Rpc, node: Node) -> None:
    calm = run([3] * 400, Engine(), lambda _: 10_000_000).blocks
    busy = run([40] * 400, Engine(), lambda _: 10_000_000).blocks
    compiled = learn([calm, busy], 21_000)
    model_id = compiled.model.id
    node.register(compiled.working, card_of(compiled.model, compiled.annex))
    parameter = steering.deploy_parameter(node.network, model_id, LIMITS, node.operator)
    steersman = Steersman(
        node, model_id, parameter, node.parts.keyring.account("operator"), engine,
        EngineKnob(engine, "anvil"),
    )  # fmt: skip
    turned = []
    for count in (1, 60, 60, 60):
        send(engine, count)
        engine.call("evm_mine", [])
        turned.append(steersman.step())
    assert turned[0] is not None
    assert turned[0].move is not None
    for step in turned:
        assert step is not None
        assert LIMITS.low <= step.gas_limit <= LIMITS.high
    engine.call("evm_mine", [])
    last = RpcBlocks(engine).read(RpcBlocks(engine).head(), RpcBlocks(engine).head())[0]
    assert turned[-1] is not None
    assert last.gas_limit == turned[-1].gas_limit == parameter.call("value")
    assert steersman.step() is not None
    assert steersman.step() is None  # no new block


def test_an_engine_without_a_knob_is_refused(engine: Rpc) -> None:
    with pytest.raises(BadInput, match="no knob"):
        EngineKnob(engine, "abacus")
    with pytest.raises(Refused):
        EngineKnob(engine, "geth").turn(30_000_000)  # anvil has no such method


def test_too_few_blocks_teach_nothing() -> None:
    with pytest.raises(BadInput, match="too few"):
        learn([run([1] * 20, Engine(), lambda _: 10**7).blocks], 21_000)
