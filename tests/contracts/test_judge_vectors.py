"""The judge knows the answers of the committed vectors; broken ones it ends, and cheaply."""

from __future__ import annotations

import contextlib
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import boa
import pytest

from tests.support import contracts
from tests.vectors.test_models import BROKEN, GOOD
from veridict.models.layout import chunks

NOBODY = "0x" + "00" * 20
ROWS = 6  # of each vector
GAS = 5_000_000  # the call itself has far more


@pytest.fixture(scope="module")
def court(_local_evm: None) -> tuple[Any, Any]:
    """(registry, judge)"""
    registry = boa.loads(contracts.SHELF)
    return registry, contracts.deploy("Judge", registry.address, NOBODY, NOBODY, contracts.scorer())


def _register(registry: Any, data: bytes) -> bytes:
    model_id = sha256(data).digest()
    addresses = [contracts.data_contract(chunk) for chunk in chunks(data)]
    registry.register(model_id, addresses, contracts.CARD, 1)
    return model_id


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_answers_are_known(court: tuple[Any, Any], path: Path) -> None:
    registry, judge = court
    told = json.loads(path.with_suffix(".json").read_text())
    with boa.env.anchor():
        model_id = _register(registry, path.read_bytes())
        for row, recorded in list(zip(told["rows"], told["recorded"], strict=True))[:ROWS]:
            assert judge.score(model_id, bytes.fromhex(row)) == int(recorded)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_broken_models_end(court: tuple[Any, Any], path: Path) -> None:
    registry, judge = court
    data = path.read_bytes()
    with boa.env.anchor():
        model_id = _register(registry, data)
        inputs = bytes(8 * int.from_bytes(data[8:10], "big"))[:2048]
        with contextlib.suppress(boa.BoaError):  # a number or a refusal
            judge.score(model_id, inputs)
        assert 0 < judge._computation.net_gas_used < GAS
