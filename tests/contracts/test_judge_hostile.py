"""Damaged models in the contract: refused, or scored as what they are; never beyond a bound of gas.

Those made to take long, in anvil, where `test_judge_fuzz` sends many more; and 300 in the engine
that is embedded. No transactions: code is put where chunks would lie, and called.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from typing import Any

import boa
import pytest
from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext
from eth_abi.abi import encode
from eth_typing import Address

from tests.support import contracts
from tests.support.anvil import running_anvil
from tests.support.damaged_models import (
    decoded,
    is_judged,
    most_gas,
    mutate,
    packed,
    row_of,
    sources,
)
from tests.support.models import rows_for
from tests.support.swift_judge import SCORE, SwiftJudge
from veridict.chain.data_contract import data_contract_code
from veridict.models import reference
from veridict.models.canonical import chunks
from veridict.models.encode import encode as encode_model
from veridict.models.layout import (
    COUNTS,
    HEADER,
    LEAF,
    NODE,
    WORD,
    Layer,
    MlpModel,
    Quantiser,
)

SCORES = 300
CALLER = Address(b"\x11" * 20)


class Machine:
    """A scorer as it ships, and calls into it without transactions."""

    def __init__(self) -> None:
        self._state: Any = boa.env.evm.vm.state
        self.scorer = bytes.fromhex(contracts.scorer()[2:])

    def call(self, to: bytes, data: bytes, gas: int) -> tuple[bytes | None, int]:
        """(the answer, or None of what was reverted; gas taken)"""
        code = self._state.get_code(to)
        message = Message(gas=gas, to=Address(to), sender=CALLER, value=0, data=data, code=code)
        context = BaseTransactionContext(gas_price=0, origin=CALLER)
        run = self._state.computation_class.apply_message(self._state, message, context)
        used = gas - int(run.get_gas_remaining())
        assert used < gas, f"{run.error!r}: ran out of {gas} gas"
        return None if run.is_error else bytes(run.output), used

    def lay(self, parts: list[bytes]) -> list[bytes]:
        """Addresses of these chunks."""
        addresses = [b"\x22" * 19 + bytes([number]) for number in range(len(parts))]
        for address, part in zip(addresses, parts, strict=True):
            self._state.set_code(address, data_contract_code(part))
        return addresses

    def score(self, data: bytes, row: list[int]) -> int | None:
        """As the judge asks the scorer."""
        asked = encode(["address[]", "bytes"], [self.lay(chunks(data)), packed(row)])
        answer, _ = self.call(self.scorer, SCORE + asked, most_gas(data))
        return None if answer is None else int.from_bytes(answer, "big", signed=True)


@pytest.fixture(scope="module")
def judge() -> Iterator[SwiftJudge]:
    with running_anvil(mining=False) as url:
        asked = SwiftJudge(url)
        yield asked
        asked.close()


@pytest.fixture
def machine() -> Machine:
    return Machine()


def attack_scorer(machine: Machine, seed: int, count: int) -> tuple[int, int, int]:
    """How many of `count` damaged models were models all the same, gave a number, reverted."""
    rng = random.Random(seed)
    right = nonsense = reverted = 0
    while right + nonsense + reverted < count:
        data = mutate(rng, rng.choice(sources()))
        if not is_judged(data):
            continue  # the registry refuses those: below
        model = decoded(data)
        row = rows_for(model, seed, 1)[0] if model else row_of(rng, data)
        answer = machine.score(data, row)
        if model:
            assert answer == reference.score(model, row), data.hex()
        right += model is not None
        nonsense += model is None and answer is not None
        reverted += answer is None
    return right, nonsense, reverted


def test_damaged_models_in_the_scorer(machine: Machine) -> None:
    right, nonsense, reverted = attack_scorer(machine, 21, SCORES)
    assert min(right, nonsense) > SCORES / 10
    assert reverted > SCORES / 50


def score(judge: SwiftJudge, data: bytes, row: list[int]) -> int | None:
    ((answer,),) = judge.ask([judge.scoring(data, packed(row), most_gas(data))])
    return None if answer is None else int.from_bytes(answer, "big", signed=True)


@pytest.mark.parametrize("neurons", [2, 9, 100, 4096, 4097, 2**31, 2**63, 2**64 - 1])
def test_weights_that_are_not_there_are_not_worked_through(judge: SwiftJudge, neurons: int) -> None:
    """Sixteen bytes could else announce two million words of weights, layer after layer."""
    layer = Layer((1,) * 8, ((1,) * 8,) * 8, 0, 2**20)
    first, last = Layer((5,) * 8, ((1,) * 8,), 0, 2**20), Layer((1,), ((1,),) * 8, 0, 0)
    model = MlpModel((Quantiser(0, 0, 9, 3),), (0,), (first, *[layer] * 3, last))
    data = bytearray(encode_model(model))
    assert score(judge, bytes(data), [0]) == reference.score(model, [0])
    at = 2 * WORD + 3 * WORD  # the second layer
    assert struct.unpack_from(">Q", data, at) == (8,)
    struct.pack_into(">Q", data, at, neurons)
    score(judge, bytes(data), [0])  # a number or a refusal, within its gas
    struct.pack_into(">Q", data, len(data) - 10 * WORD, neurons)
    answer = score(judge, bytes(data), [0])
    assert neurons < 8 or answer is None


def test_trees_that_take_long_end_within_the_bound(judge: SwiftJudge) -> None:
    """A page of roots that share one long path; the last asks for the furthest slot."""
    path, roots = 254, (8188 - 32 - 6 - 24 - 8) // 14 - 254
    first, leaf = 38 + 14 * roots, 38 + 14 * (roots + path)
    at = [*[first] * roots, *range(first + 14, leaf + 1, 14)]
    nodes = b"".join(NODE.pack(0, 1, child, child) for child in at)
    nodes = nodes[: 14 * (roots - 1)] + NODE.pack(0xFFFF, 1, first, first) + nodes[14 * roots :]
    head = HEADER.pack(b"VRDT", 1, 1, 32, 0, 1, 8188, 1, 0, roots, 0)
    data = head + COUNTS.pack(roots, roots + path, 1) + nodes + LEAF.pack(2**63 + 3)
    assert score(judge, data.ljust(8188, b"\0"), [0]) == 3 * roots


@pytest.mark.parametrize("kind", [2, 3])
def test_features_that_are_not_there_end_within_the_bound(judge: SwiftJudge, kind: int) -> None:
    """A header that announces the most of everything, and nothing behind it."""
    data = HEADER.pack(b"VRDT", 1, kind, 32, 63, 256, 32, 1, 0, 16, 0)
    score(judge, data, [2**64 - 1] * 256)  # a number or a refusal, within its gas
