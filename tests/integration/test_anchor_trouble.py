"""What can go wrong between signing an anchor and noting it, on a real node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.anchored import Kept
from tests.support.anvil import running_anvil
from tests.support.box import RICH
from tests.support.ledger import make_signer
from tests.support.liar import Liar
from tests.support.proxy import Proxy, proxied
from veridict.chain.client import Client
from veridict.chain.http import HttpRpc
from veridict.chain.receipts import Tx
from veridict.core.errors import EvidenceError, NoFunds, Refused, RpcUnavailable, WrongChain
from veridict.core.nouns import RecordState
from veridict.ledger.log import Entry, Log
from veridict.proofs.merkle import EMPTY_ROOT
from veridict.services.anchoring.fleet import Berth
from veridict.services.anchoring.poster import Standing
from veridict.services.records import ActRecord, AnchorRecord, encode


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_anvil(mining=False) as url:
        yield url


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with proxied(url) as proxy:
        yield proxy


@pytest.fixture
def liar(proxy: Proxy) -> Iterator[Liar]:
    with HttpRpc(proxy.url, retries=0) as rpc:
        yield Liar(rpc)


@pytest.fixture
def kept(liar: Liar, tmp_path: Path) -> Iterator[Kept]:
    liar.call("anvil_setAutomine", [True])  # for the deployment alone
    kept = Kept(tmp_path / "log", liar)
    liar.call("anvil_setAutomine", [False])
    liar.call("anvil_mine", ["0x1"])
    yield kept
    kept.close()


class Killed(BaseException):
    """kill -9, at one place."""


def events(kept: Kept) -> list[tuple[int, str]]:
    return [(anchor.size, anchor.tx_hash) for anchor in kept.poster.place.anchors()]


def client(kept: Kept) -> Client:
    return kept.poster.place.client


def die(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize("where", ["before sending", "after sending"])
@pytest.mark.parametrize("mined", [True, False])
def test_killed_between_signing_and_noting(kept: Kept, liar: Liar, where: str, mined: bool) -> None:
    index = kept.act()
    nonce = client(kept).nonce(RICH.address)
    if where == "before sending":
        liar.first = {"eth_sendRawTransaction": die}
    else:
        liar.lies = {"eth_sendRawTransaction": die}
    with pytest.raises(Killed):
        kept.poster.step(force=True)
    liar.first, liar.lies = {}, {}
    if mined:
        kept.mine()
    kept.reopen()
    sent = kept.poster.sent
    assert sent is not None
    kept.act()  # a later head must not become another anchor beside the first
    anchor = kept.anchored()
    assert anchor.tx_hash == sent.hash
    assert events(kept) == [(index + 1, sent.hash)]
    assert client(kept).nonce(RICH.address) == nonce + 1


def test_killed_between_the_record_and_the_note(kept: Kept) -> None:
    kept.act()
    kept.poster.step(force=True)
    kept.mine()
    (anchor,) = kept.poster.place.anchors()
    record = AnchorRecord(
        anchor.size, anchor.root.hex(), anchor.chain_id, anchor.contract, anchor.tx_hash,
        anchor.block_number, kept.watch(),
    )  # fmt: skip
    kept.log.append([Entry(encode(record), None)])  # and here it died
    kept.reopen()
    kept.settled()
    assert kept.log.anchors() == [anchor]
    assert kept.told() == [record] * 2  # told twice, and true both times


def test_killed_between_the_note_and_the_outbox(kept: Kept) -> None:
    kept.act()
    kept.poster.step(force=True)
    kept.mine()
    (anchor,) = kept.poster.place.anchors()
    kept.log.put_anchor(anchor)  # and here it died
    kept.reopen()
    kept.settled()
    assert kept.poster.sent is None
    assert kept.log.anchors() == [anchor]


def test_the_pool_forgets_it(kept: Kept) -> None:
    kept.act()
    kept.poster.step(force=True)
    sent = kept.poster.sent
    assert sent is not None
    kept.rpc.call("anvil_dropTransaction", [sent.hash])
    assert kept.anchored().tx_hash == sent.hash


def test_stuck_it_is_outbid_under_its_own_nonce(kept: Kept) -> None:
    kept.act()
    kept.poster.step(force=True)
    first = kept.poster.sent
    assert first is not None
    kept.watch.wait(179)
    assert kept.poster.step(force=True).standing is Standing.SENT
    assert kept.poster.sent == first
    kept.watch.wait(2)
    kept.poster.step(force=True)
    second = kept.poster.sent
    assert second is not None
    assert (second.nonce, second.hash == first.hash) == (first.nonce, False)
    assert second.max_fee > first.max_fee
    assert second.tip > first.tip
    assert kept.anchored().tx_hash == second.hash
    assert client(kept).nonce(RICH.address) == second.nonce + 1


def test_fees_that_rose_beyond_what_it_offers(kept: Kept) -> None:
    """The pool lets go of it and will not have it back: it is signed anew, under its nonce."""
    kept.act()
    kept.poster.step(force=True)
    first = kept.poster.sent
    assert first is not None
    kept.rpc.call("anvil_setNextBlockBaseFeePerGas", [hex(50 * first.max_fee)])
    kept.mine()
    anchor = kept.anchored()
    assert anchor.tx_hash != first.hash
    assert client(kept).nonce(RICH.address) == first.nonce + 1
    kept.rpc.call("anvil_setNextBlockBaseFeePerGas", ["0x1"])
    kept.mine()


def test_another_process_uses_its_nonce(kept: Kept) -> None:
    kept.act()
    kept.poster.step(force=True)
    sent = kept.poster.sent
    assert sent is not None
    kept.rpc.call("anvil_dropTransaction", [sent.hash])
    kept.rpc.call("anvil_setAutomine", [True])
    client(kept).send(Tx(to=RICH.address, value=1))
    kept.rpc.call("anvil_setAutomine", [False])
    anchor = kept.anchored()
    assert anchor.tx_hash != sent.hash
    assert len(events(kept)) == 1


@pytest.mark.slow
def test_the_connection_breaks_at_any_call(kept: Kept, liar: Liar, proxy: Proxy) -> None:
    """Cut after so many calls, healed, gone on: one anchor, whenever it was."""
    for calls in (1, 3, 6, 9, 12):
        kept.act()
        left = calls

        def counted(result: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                proxy.cut()
            return result

        liar.lies = dict.fromkeys(
            [
                "eth_chainId", "eth_getBlockByNumber", "eth_call", "eth_estimateGas",
                "eth_getTransactionCount", "eth_sendRawTransaction", "eth_getTransactionReceipt",
                "eth_getTransactionByHash", "eth_getLogs", "eth_maxPriorityFeePerGas",
            ],
            counted,
        )  # fmt: skip
        with suppress(RpcUnavailable):
            for _ in range(3):
                kept.poster.step(force=True)
        liar.lies = {}
        proxy.heal()
        kept.mine()
        kept.settled()
    receipts = [client(kept).receipt(tx_hash) for _, tx_hash in events(kept)]
    assert len(receipts) == 5
    assert all(receipt is not None and receipt.status == 1 for receipt in receipts)


def test_another_chain_behind_the_same_url(kept: Kept, liar: Liar) -> None:
    kept.act()
    liar.lies = {"eth_chainId": lambda _: "0x1"}
    with pytest.raises(WrongChain) as caught:
        kept.poster.step(force=True)
    assert (caught.value.facts["found"], caught.value.code) == (1, "chain.wrong")
    assert kept.poster.sent is None
    liar.lies = {}
    kept.anchored()


def test_another_chain_of_the_same_id(kept: Kept) -> None:
    kept.act()
    with running_anvil() as other, HttpRpc(other) as rpc:
        assert isinstance(kept.rpc, Liar)
        before, kept.rpc.honest = kept.rpc.honest, rpc
        with pytest.raises(WrongChain):
            kept.poster.step(force=True)
        kept.rpc.honest = before
    kept.anchored()


def test_a_node_that_invents_a_mined_receipt(kept: Kept, liar: Liar) -> None:
    index = kept.act()
    kept.poster.step(force=True)
    sent = kept.poster.sent
    assert sent is not None
    false: dict[str, object] = {
        "transactionHash": sent.hash, "blockNumber": "0x5", "blockHash": "0x" + "ab" * 32,
        "gasUsed": "0x5208", "status": "0x1", "contractAddress": None, "logs": [],
    }  # fmt: skip
    liar.lies = {"eth_getTransactionReceipt": lambda _: false}
    assert kept.poster.step(force=True).standing is Standing.SENT
    assert kept.state(index) is RecordState.CHECKPOINTED
    assert kept.told() == []


def test_a_node_whose_events_and_state_disagree(kept: Kept, liar: Liar) -> None:
    kept.act()
    kept.poster.step(force=True)
    kept.mine()
    liar.lies = {"eth_getLogs": lambda logs: []}
    with pytest.raises(RpcUnavailable, match="contradicts itself"):
        kept.poster.step(force=True)
    assert kept.told() == []
    liar.lies = {}
    kept.settled()


def test_a_node_that_answers_with_nonsense_is_told_and_left_alone(kept: Kept, liar: Liar) -> None:
    berth = Berth("anvil", lambda _: kept.poster, kept.poster)
    kept.act()
    answers: list[object] = [None, [], {}, 7, "zero", {"number": None}]
    for nonsense in answers:
        liar.lies = {"eth_getBlockByNumber": lambda _, said=nonsense: said}  # type: ignore[misc]
        berth.tend()
        assert berth.problem is not None
    liar.lies = {}
    berth.tend()
    assert berth.problem is None


def test_no_funds(kept: Kept) -> None:
    kept.act()
    balance = kept.rpc.call("eth_getBalance", [RICH.address, "latest"])
    kept.rpc.call("anvil_setBalance", [RICH.address, "0x1"])
    with pytest.raises(NoFunds):
        kept.poster.step(force=True)
    kept.rpc.call("anvil_setBalance", [RICH.address, balance])
    kept.anchored()


# -- a keeper who goes back ------------------------------------------------------------------


def test_a_rolled_back_log_is_refused_here_and_there(kept: Kept, tmp_path: Path) -> None:
    """An old backup goes on as if nothing had been anchored; then it is forced on the chain."""
    for _ in range(3):
        kept.act()
    kept.anchored()
    size, root = kept.log.anchors()[0].size, kept.log.anchors()[0].root
    place = kept.poster.place
    with pytest.raises(Refused, match="Anchor: size does not grow"):
        place.contract.send("anchor", place.key, size, root, size - 1, kept.log.root(size - 1), [])
    with pytest.raises(Refused, match="Anchor: old head differs"):  # a gap: it skips what stands
        place.contract.send("anchor", place.key, 0, EMPTY_ROOT, size + 1, kept.log.root(), [])
    other = bytes(32)
    with pytest.raises(Refused, match="Anchor: not an extension"):
        place.contract.send("anchor", place.key, size, root, size + 1, other, [other])

    meta = kept.log.meta_get("places")
    assert meta is not None
    with Log.open(tmp_path / "old", signer=make_signer()) as old:
        old.meta_put("places", meta)
        record = ActRecord("confirm", 0, "00" * 32, None, None, 1)
        old.append([Entry(encode(record), None)])
    backup = Kept(tmp_path / "old", kept.rpc, kept.watch)
    with pytest.raises(EvidenceError) as caught:
        backup.poster.step(force=True)
    assert caught.value.facts["finding"] == "log.truncated"
    for _ in range(3):
        backup.act()
    with pytest.raises(EvidenceError) as caught:
        backup.poster.step(force=True)
    assert caught.value.facts["finding"] == "log.forked"
    assert backup.told() == []
    backup.close()
