"""Contracts as Python objects: titanoboa over py-evm. Every test starts from the same chain."""

from __future__ import annotations

from collections.abc import Iterator

import boa
import pytest

from tests.support import contracts
from tests.support.court import Court, open_court

START_S = 1_700_000_000


@pytest.fixture(scope="session", autouse=True)
def _local_evm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An EVM of our own, and no compiler cache that outlives the session."""
    with boa.swap_env(boa.Env()):
        boa.interpret.set_cache_dir(str(tmp_path_factory.mktemp("titanoboa")))
        boa.env.timestamp = START_S
        yield


@pytest.fixture(autouse=True)
def _rolled_back(_local_evm: None) -> Iterator[None]:
    boa.env.sha3_trace.clear()  # boa keeps them across a rollback, and then reads the storage
    boa.env.sstore_trace.clear()  # of one contract as that of another at the same address
    with boa.env.anchor():
        yield


@pytest.fixture
def world() -> contracts.World:
    return contracts.deploy_world()


@pytest.fixture
def court() -> Court:
    return open_court()
