"""Anchors on a real node that reorganises: records fall back, and are anchored again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.anchored import Kept
from tests.support.anvil import running_anvil
from tests.support.box import RICH
from veridict.chain.addresses import to_hex
from veridict.chain.http import HttpRpc
from veridict.chain.receipts import Tx
from veridict.core.nouns import RecordState
from veridict.core.ports import Rpc
from veridict.services.anchoring.poster import Standing
from veridict.services.records import AnchorRecord, LostAnchorRecord


@pytest.fixture(scope="module")
def node() -> Iterator[Rpc]:
    with running_anvil(mining=False) as url, HttpRpc(url) as rpc:
        yield rpc


@pytest.fixture
def kept(node: Rpc, tmp_path: Path) -> Iterator[Kept]:
    node.call("anvil_setAutomine", [True])  # for the deployment alone
    kept = Kept(tmp_path / "log", node)
    node.call("anvil_setAutomine", [False])
    yield kept
    kept.close()


def successful(kept: Kept) -> list[int]:
    return [anchor.size for anchor in kept.poster.place.anchors()]


def spent_nonces(kept: Kept) -> int:
    return kept.poster.place.client.nonce(RICH.address)


@pytest.mark.parametrize("depth", [1, 7, 64])
def test_a_record_falls_back_and_rises_again(kept: Kept, depth: int) -> None:
    index = kept.act()
    kept.mine(70)  # so that the contract stands in a block that is older than the fork
    first = kept.anchored()
    kept.mine(depth - 1)
    kept.poster.step()
    assert kept.state(index) is RecordState.ANCHORED

    kept.reorganise(depth)
    assert kept.rpc.call("eth_getTransactionByHash", [first.tx_hash]) is None  # not in the pool
    assert kept.poster.look() == [first]
    assert kept.state(index) is RecordState.CHECKPOINTED
    assert kept.log.anchors() == []

    later = kept.act()
    again = kept.anchored()
    assert again.block_hash != first.block_hash
    assert kept.state(index) is kept.state(later) is RecordState.ANCHORED
    assert successful(kept) == [again.size]
    kept.mine(64)
    assert kept.poster.step().standing is Standing.IDLE
    assert kept.state(index) is RecordState.FINAL
    kinds = [type(record) for record in kept.told()]
    assert kinds == [AnchorRecord, LostAnchorRecord, AnchorRecord]


def test_several_anchors_lost_twice_in_a_row(kept: Kept) -> None:
    kept.mine(70)
    indices = []
    for _ in range(3):
        indices.append(kept.act())
        kept.anchored()
    kept.reorganise(5)
    assert len(kept.poster.look()) == 3
    kept.anchored()
    kept.reorganise(3)
    kept.settled()
    assert {kept.state(index) for index in indices} == {RecordState.ANCHORED}
    assert successful(kept) == [anchor.size for anchor in kept.log.anchors()]


def test_what_was_called_final_may_be_taken_back_too(kept: Kept) -> None:
    kept.mine(30)
    index = kept.act()
    kept.anchored()
    kept.act()
    kept.mine(5)
    kept.anchored()
    kept.mine(63)
    kept.poster.step()
    assert kept.state(index) is RecordState.FINAL
    kept.reorganise(80)
    assert len(kept.poster.look()) == 2
    assert kept.state(index) is RecordState.CHECKPOINTED
    kept.settled()
    assert kept.state(index) is RecordState.ANCHORED


def test_the_same_transaction_in_another_block_is_noted_there(kept: Kept) -> None:
    kept.mine(70)
    kept.act()
    raw = sent_by(kept)
    kept.mine()
    first = kept.poster.step(force=True).anchor
    kept.rpc.call("anvil_reorg", [5, [[raw, 3]]])
    kept.settled()
    (moved,) = kept.log.anchors()
    assert first is not None
    assert (moved.tx_hash, moved.size) == (first.tx_hash, first.size)
    assert moved.block_hash != first.block_hash
    assert kept.poster.place.is_canonical(moved)
    assert successful(kept) == [first.size]


def test_what_a_node_puts_back_in_its_pool_is_waited_for(kept: Kept) -> None:
    """Some clients do, as here a neighbour who broadcasts it again."""
    kept.mine(70)
    kept.act()
    raw = sent_by(kept)
    kept.mine()
    first = kept.poster.step(force=True).anchor
    nonces = spent_nonces(kept)
    kept.reorganise(4)
    kept.rpc.call("eth_sendRawTransaction", [raw])
    for _ in range(3):
        assert kept.poster.step(force=True).standing is Standing.SENT
    kept.mine()
    kept.settled()
    (back,) = kept.log.anchors()
    assert first is not None
    assert back.tx_hash == first.tx_hash
    assert spent_nonces(kept) == nonces


def test_nonces_that_went_with_the_anchor_leave_no_gap(kept: Kept) -> None:
    """Another transaction of the account stood before the anchor; both are gone."""
    client = kept.poster.place.client
    kept.mine(70)
    kept.act()
    kept.rpc.call("anvil_setAutomine", [True])
    client.send(Tx(to=RICH.address, value=1))
    kept.rpc.call("anvil_setAutomine", [False])
    assert kept.poster.step(force=True).standing is Standing.SENT
    sent = kept.poster.sent
    assert sent is not None
    kept.rpc.call("anvil_dropTransaction", [sent.hash])
    kept.reorganise(3)
    assert client.nonce(RICH.address) == sent.nonce - 1
    anchor = kept.anchored()
    assert client.nonce(RICH.address) == sent.nonce
    assert successful(kept) == [anchor.size]


def sent_by(kept: Kept) -> str:
    """Sends what waits; the raw transaction."""
    assert kept.poster.step(force=True).standing is Standing.SENT
    assert kept.poster.sent is not None
    return to_hex(kept.poster.sent.raw)
