"""Chains for integration tests: in the process, the same over HTTP, and anvil."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.anvil import CHAIN_ID, running_anvil
from tests.support.box import FUNDS
from veridict.chain.embedded import EmbeddedChain
from veridict.chain.http import HttpRpc
from veridict.core.ports import Rpc


@pytest.fixture(scope="session")
def anvil_url() -> Iterator[str]:
    """One anvil for all tests that need no state of their own; a block every 0.1 s."""
    with running_anvil() as url:
        yield url


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedChain]:
    with EmbeddedChain.open(tmp_path / "chain", chain_id=CHAIN_ID, genesis_accounts=FUNDS) as chain:
        yield chain


@pytest.fixture(params=["embedded", "embedded over HTTP", "anvil"])
def any_chain(request: pytest.FixtureRequest) -> Iterator[Rpc]:
    """The client must not know which."""
    if request.param == "anvil":
        with HttpRpc(request.getfixturevalue("anvil_url")) as rpc:
            yield rpc
        return
    chain: EmbeddedChain = request.getfixturevalue("embedded")
    if request.param == "embedded":
        yield chain
        return
    with HttpRpc(chain.serve()) as rpc:
        yield rpc
