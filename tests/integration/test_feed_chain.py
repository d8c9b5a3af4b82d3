"""A chain by its JSON-RPC: coins, tokens, what waits, what is taken back, what is too much."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from vyper import compile_code

from tests.support.anvil import running_anvil
from tests.support.box import FUNDS, OTHER, RICH
from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.deployment import deploy
from veridict.chain.embedded import EmbeddedChain
from veridict.chain.http import HttpRpc
from veridict.chain.receipts import Tx
from veridict.core.errors import Refused
from veridict.core.ports import Rpc
from veridict.watch.feeds.assets import read_assets
from veridict.watch.feeds.base import Arrived, Dropped, Item, Passed, Retracted
from veridict.watch.feeds.evm import ChainFeed
from veridict.watch.feeds.evm_blocks import MOST_OF_ONE

ME, YOU = RICH.address.lower(), OTHER.address.lower()
LOUD = """
event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

@external
@payable
def shout(times: uint256):
    for i: uint256 in range(times, bound=2000):
        log Transfer(sender=msg.sender, receiver=self, amount=i)

@external
@payable
def refuse():
    raise "no"
"""


@cache
def loud() -> Artifact:
    made = compile_code(LOUD, output_formats=["abi", "bytecode"])
    return Artifact("Loud", tuple(made["abi"]), bytes.fromhex(made["bytecode"][2:]))


@pytest.fixture(scope="module")
def anvil() -> Iterator[Rpc]:
    with running_anvil(mining=False) as url, HttpRpc(url) as rpc:
        rpc.call("anvil_setAutomine", [True])
        yield rpc


@pytest.fixture(params=["embedded", "anvil"])
def chain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rpc]:
    if request.param == "anvil":
        yield request.getfixturevalue("anvil")
        return
    with EmbeddedChain.open(
        tmp_path / "chain", chain_id=31_337, genesis_accounts=FUNDS
    ) as embedded:
        yield embedded


def pulled(feed: ChainFeed, most: int = 10_000) -> list[Item | Passed]:
    return list(feed.pull(most, 0.0))


def drained(feed: ChainFeed) -> list[Item]:
    """All there is now, without what says that there is nothing."""
    found: list[Item] = []
    while items := pulled(feed):
        found += [item for item in items if not isinstance(item, Passed)]
    return found


def followed(rpc: Rpc, **how: object) -> ChainFeed:
    feed = ChainFeed(rpc, **how)  # type: ignore[arg-type]
    feed.start("")
    drained(feed)  # behind the head
    return feed


def paid(items: list[Item]) -> list[tuple[str, str, str, str]]:
    events = [item.event for item in items if isinstance(item, Arrived)]
    told = [event.transfer for event in events]
    return [(t.payer, t.payee, t.amount, t.asset.partition("/")[2]) for t in told]


def coins(client: Client, amount: int) -> None:
    client.send(Tx(to=OTHER.address, data=b"", value=amount))


def test_coins_and_tokens_of_any_chain(chain: Rpc) -> None:
    me = Client(chain, RICH)
    feed = followed(chain, assets=read_assets(["eip155:31337/native=18:3000"]))
    token = deploy(me, Artifact.load("PaymentToken"))
    noisy = Contract(me, loud(), deploy(me, loud()).address)
    token.send("mint", RICH.address, 5_000_000)
    token.send("transfer", OTHER.address, 1_250_000)
    coins(me, 10**17)
    with pytest.raises(Refused):  # coins that come back with the refusal
        me.send(noisy.tx("refuse", value=10**17, gas=100_000), check=True)
    noisy.send("shout", 2)

    items = drained(feed)
    address = token.address.lower()
    zero = "0x" + "00" * 20
    assert paid(items) == [
        (zero, ME, "5000000", f"erc20:{address}"),
        (ME, YOU, "1250000", f"erc20:{address}"),
        (ME, YOU, str(10**17), "native"),
        (ME, noisy.address.lower(), "0", f"erc20:{noisy.address.lower()}"),
        (ME, noisy.address.lower(), "1", f"erc20:{noisy.address.lower()}"),
    ]
    worth = [item.event.transfer.amount_minor for item in items if isinstance(item, Arrived)]
    assert worth == [0, 0, 30_000, 0, 0]
    ids = [item.event.id for item in items if isinstance(item, Arrived)]
    assert len(set(ids)) == len(ids)
    assert all(id.startswith("eip155:31337/0x") for id in ids)


def test_a_cut_leaves_no_gap_and_gives_nothing_twice(chain: Rpc) -> None:
    me = Client(chain, RICH)
    noisy = Contract(me, loud(), deploy(me, loud()).address)
    feed = followed(chain)
    noisy.send("shout", 5)
    coins(me, 7)
    first = pulled(feed, 2)
    cursor = first[-1].cursor
    coins(me, 8)  # while nobody looks
    later = ChainFeed(chain)
    later.start(cursor)
    rest = drained(later)
    amounts = [amount for _, _, amount, _ in paid([*first, *rest])]  # type: ignore[list-item]
    assert amounts == ["0", "1", "2", "3", "4", "7", "8"]


def test_only_the_tokens_that_are_named(anvil: Rpc) -> None:
    me = Client(anvil, RICH)
    token, other = (deploy(me, Artifact.load("PaymentToken")) for _ in range(2))
    feed = followed(anvil, tokens=[token.address])
    token.send("mint", RICH.address, 1)
    other.send("mint", RICH.address, 2)
    assert [amount for _, _, amount, _ in paid(drained(feed))] == ["1"]


def test_a_flood_in_one_transaction_is_cut_and_told(anvil: Rpc) -> None:
    me = Client(anvil, RICH)
    noisy = Contract(me, loud(), deploy(me, loud()).address)
    feed = followed(anvil)
    noisy.send("shout", MOST_OF_ONE + 300)
    items = drained(feed)
    dropped = [item for item in items if isinstance(item, Dropped)]
    assert len(paid(items)) == MOST_OF_ONE
    assert [(drop.code, drop.count) for drop in dropped] == [("flood", 300)]


def test_a_reorganisation_is_taken_back_newest_first_and_followed(anvil: Rpc) -> None:
    me = Client(anvil, RICH)
    feed = followed(anvil)
    for amount in (1, 2, 3):
        coins(me, amount)
    before = [item.event.id for item in drained(feed) if isinstance(item, Arrived)]
    # the last two blocks are replaced; one of them holds a payment of another amount
    anvil.call("anvil_reorg", [2, [[{"from": ME, "to": YOU, "value": "0x63"}, 0]]])
    items = drained(feed)
    back = [item.id for item in items if isinstance(item, Retracted)]
    assert back == [before[2], before[1]]
    assert [amount for _, _, amount, _ in paid(items)] == ["99"]
    coins(me, 4)
    assert [amount for _, _, amount, _ in paid(drained(feed))] == ["4"]


def test_a_reorganisation_while_nobody_looked_is_seen(anvil: Rpc) -> None:
    me = Client(anvil, RICH)
    feed = followed(anvil)
    coins(me, 1)
    cursor = pulled(feed)[-1].cursor
    anvil.call("anvil_reorg", [1, [[{"from": ME, "to": YOU, "value": "0x63"}, 0]]])
    later = ChainFeed(anvil)
    later.start(cursor)
    items = drained(later)
    assert [type(item).__name__ for item in items] == ["Retracted", "Arrived"]
    assert [amount for _, _, amount, _ in paid(items)] == ["99"]


def test_confirmations_wait_instead_of_taking_back(anvil: Rpc) -> None:
    me = Client(anvil, RICH)
    feed = followed(anvil, confirmations=2)
    anvil.call("anvil_mine", ["0x2"])
    drained(feed)
    coins(me, 5)
    assert drained(feed) == []
    anvil.call("anvil_reorg", [1, []])
    anvil.call("anvil_mine", ["0x3"])
    assert drained(feed) == []  # it never was, for us
    coins(me, 6)
    anvil.call("anvil_mine", ["0x2"])
    assert [amount for _, _, amount, _ in paid(drained(feed))] == ["6"]


def test_what_waits_is_told_and_is_the_same_payment_when_it_is_mined(anvil: Rpc) -> None:
    me = Client(anvil, RICH)
    token = deploy(me, Artifact.load("PaymentToken"))
    token.send("mint", RICH.address, 10)
    feed = followed(anvil, pending=True)
    anvil.call("anvil_setAutomine", [False])
    try:
        calls = [{"to": YOU, "value": "0x5"}]
        call = token.tx("transfer", OTHER.address, 3)
        calls.append({"to": token.address, "data": "0x" + call.data.hex()})
        for tx in calls:
            anvil.call("eth_sendTransaction", [{"from": ME, "gas": hex(200_000), **tx}])
        waiting = drained(feed)
        anvil.call("evm_mine", [])
        mined = drained(feed)
    finally:
        anvil.call("anvil_setAutomine", [True])
    assert sorted(paid(waiting)) == sorted(paid(mined))
    assert len(paid(mined)) == 2
    ids = [{one.event.id for one in some if isinstance(one, Arrived)} for some in (waiting, mined)]
    assert ids[0] == ids[1]
    channels = {one.event.transfer.channel for one in waiting if isinstance(one, Arrived)}
    assert channels == {"pending"}


def test_a_chain_without_a_pool_says_so(tmp_path: Path) -> None:
    with EmbeddedChain.open(tmp_path, chain_id=31_337, genesis_accounts=FUNDS) as embedded:
        feed = ChainFeed(embedded, pending=True)
        with pytest.raises(Refused, match="does not tell what waits"):
            feed.start("")
