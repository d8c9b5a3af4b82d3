"""The schedule on a real node's fees: patient while they are high, never past the deadline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.anchored import Kept
from tests.support.anvil import running_anvil
from tests.support.liar import Liar
from veridict.chain.fees import FeeHistory
from veridict.chain.http import HttpRpc
from veridict.core.errors import Refused
from veridict.core.ports import Rpc
from veridict.services.anchoring.poster import Standing

GWEI = 10**9


@pytest.fixture(scope="module")
def node() -> Iterator[Rpc]:
    with running_anvil(mining=False) as url, HttpRpc(url) as rpc:
        yield rpc


@pytest.fixture
def kept(node: Rpc, tmp_path: Path) -> Iterator[Kept]:
    node.call("anvil_setAutomine", [True])  # for the deployment alone
    kept = Kept(tmp_path / "log", Liar(node), fees=lambda client: FeeHistory(client, blocks=16))
    node.call("anvil_setAutomine", [False])
    charge(kept, 100 * GWEI, blocks=17)
    yield kept
    kept.close()


def charge(kept: Kept, base_fee: int, blocks: int = 1) -> None:
    """Blocks with this base fee; the next one's is it too, or an eighth less."""
    for _ in range(blocks):
        kept.rpc.call("anvil_setNextBlockBaseFeePerGas", [hex(base_fee)])
        kept.mine()


def test_it_waits_for_a_fee_worth_the_wait(kept: Kept) -> None:
    """The plan's deadline is 60 s, of which 15 are left for being mined."""
    kept.act()
    assert kept.poster.step().standing is Standing.PATIENT
    kept.watch.wait(15)
    kept.act()  # records keep coming
    assert kept.poster.step().standing is Standing.PATIENT
    verdict, fee = kept.poster.verdict, kept.poster.fee
    assert verdict is not None
    assert fee is not None
    accepted = verdict.accepted_wei
    assert accepted is not None
    assert accepted // GWEI in range(10, 14)  # a third, squared, of the usual 100 gwei and tip
    assert fee.next_wei > accepted
    charge(kept, 8 * GWEI)
    assert kept.poster.step().standing is Standing.SENT
    kept.mine()
    assert kept.poster.step().standing is Standing.ANCHORED
    books = kept.poster.books
    assert books.posted == 1
    assert int(books.spent) == int(books.scheduled) > 0
    share = books.saved_wei / int(books.at_once)
    assert 0.85 < share < 0.95  # 8 instead of 100 gwei


def test_a_batch_is_posted_at_the_first_fee_below_the_usual(kept: Kept) -> None:
    kept.act()
    kept.watch.wait(6)
    assert kept.poster.step().standing is Standing.PATIENT
    charge(kept, 70 * GWEI)
    assert kept.poster.step().standing is Standing.SENT


def test_the_deadline_holds_at_any_fee(kept: Kept) -> None:
    kept.act()
    for waited in (0, 44):
        kept.watch.wait(waited)
        charge(kept, 900 * GWEI)
        assert kept.poster.step().standing is Standing.PATIENT
    kept.watch.wait(1)
    assert kept.poster.step().standing is Standing.SENT
    assert kept.poster.verdict is not None
    assert kept.poster.verdict.accepted_wei is None
    charge(kept, 900 * GWEI)
    assert kept.poster.step().standing is Standing.ANCHORED
    assert kept.poster.books.saved_wei < 0  # told as it is


def test_the_books_are_kept_over_a_restart(kept: Kept) -> None:
    kept.act()
    kept.poster.step()
    kept.watch.wait(60)
    kept.poster.step()
    charge(kept, 100 * GWEI)
    kept.poster.step()
    books = kept.poster.books
    kept.reopen()
    assert kept.poster.books == books
    assert books.gas > 50_000


def test_a_wait_goes_on_over_a_restart(kept: Kept) -> None:
    kept.act()
    kept.poster.step()
    kept.watch.wait(50)
    kept.reopen()
    assert kept.poster.step().standing is Standing.SENT


def test_a_chain_that_tells_no_fees_waits_for_the_deadline(kept: Kept) -> None:
    def refuse() -> None:
        raise Refused("no such method", remedy="none", reason="no such method")

    assert isinstance(kept.rpc, Liar)
    kept.rpc.first = {"eth_feeHistory": refuse}
    kept.act()
    assert kept.poster.step().standing is Standing.PATIENT
    kept.watch.wait(45)
    assert kept.poster.step().standing is Standing.SENT
