"""Damaged models in the contract: refused, or scored as what they are; never beyond a bound of gas.

In `make test` 2,500 models go to the scorer and 250 through a registry and its judge, in
`make test-all` 50,000 and 2,500 more. No transactions: code is put where chunks would lie,
and called.
"""

from __future__ import annotations

import random
import struct
from hashlib import sha256
from typing import Any

import boa
import pytest
from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext
from eth_abi.abi import encode
from eth_typing import Address
from eth_utils.crypto import keccak

from tests.support import contracts
from tests.support.damaged_models import mutate, sources
from tests.support.models import rows_for
from veridict.chain.artifacts import Artifact
from veridict.chain.data_contract import data_contract_code
from veridict.core.errors import BadModelBytes
from veridict.models import reference
from veridict.models.canonical import chunks, decode
from veridict.models.encode import encode as encode_model
from veridict.models.layout import (
    COUNTS,
    HEADER,
    KIND_TREES,
    LEAF,
    NODE,
    PAGE_SIZES,
    WORD,
    Layer,
    MlpModel,
    Model,
    Quantiser,
)

SCORES, REGISTRATIONS = 2_500, 250
SHARDS, SHARD_SCORES, SHARD_REGISTRATIONS = 10, 5_000, 250
CALLER = Address(b"\x11" * 20)
REGISTER = keccak(b"register(bytes32,address[],bytes32,uint256)")[:4]
SCORE_BY_ID = keccak(b"score(bytes32,bytes)")[:4]
SCORE = keccak(b"score(address[],bytes)")[:4]
REGISTRATION_GAS = 400_000  # of a model in one or two chunks
IMAGES = (0, 1, 2**63 - 1, 2**63, 2**63 + 5, 0x000F_FFFF_FFFF_FFFF, 2**64 - 1)


def most_gas(data: bytes) -> int:
    """What scoring `data` may take, whatever it says.

    Trees: a node may send the reader to the end of two megabytes of memory, once; each 14 bytes
    may be a root, and 256 steps of some 75 gas are taken from it. Linear: 256 features and
    64 outputs at most. Networks: every weight is there to be read, so their bytes bound it.
    """
    if data[5] == KIND_TREES:
        return 9_500_000 + 1_500 * len(data)
    return 2_000_000 if data[5] == 2 else 200_000 + 150 * len(data)


def is_judged(data: bytes) -> bool:
    """Whether the header tells a model that the judge runs, whatever follows."""
    if len(data) < HEADER.size:
        return False
    magic, version, kind, bits, outputs_1, features, page, *_ = HEADER.unpack_from(data)
    pages = {1: PAGE_SIZES, 2: (WORD,), 3: (WORD,)}.get(kind, ())
    known = (magic, version, bits) == (b"VRDT", 1, 32) and page in pages
    return known and outputs_1 < 64 and 1 <= features <= 256


class Machine:
    """A registry, a judge and a scorer as they ship, and calls into them without transactions."""

    def __init__(self) -> None:
        self._state: Any = boa.env.evm.vm.state
        self.scorer = bytes.fromhex(contracts.scorer()[2:])
        self.registry = shipped("Registry")
        nobody = bytes(20)
        self.judge = shipped("Judge", self.registry, nobody, nobody, self.scorer)

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

    def register(self, data: bytes, parts: list[bytes], n_features: int) -> bool:
        """Whether the registry takes it."""
        model_id = sha256(data).digest()
        types = ["bytes32", "address[]", "bytes32", "uint256"]
        asked = encode(types, [model_id, self.lay(parts), contracts.CARD, n_features])
        answer, _ = self.call(self.registry, REGISTER + asked, REGISTRATION_GAS)
        return answer is not None

    def judged(self, data: bytes, row: list[int]) -> int | None:
        asked = encode(["bytes32", "bytes"], [sha256(data).digest(), packed(row)])
        answer, _ = self.call(self.judge, SCORE_BY_ID + asked, most_gas(data) + 100_000)
        return None if answer is None else int.from_bytes(answer, "big", signed=True)


def shipped(name: str, *addresses: bytes) -> bytes:
    """The address of a contract as it ships."""
    arguments = encode(["address"] * len(addresses), addresses)
    address, _ = boa.env.deploy_code(bytecode=Artifact.load(name).bytecode + arguments)
    return bytes(address.canonical_address)


def packed(row: list[int]) -> bytes:
    return struct.pack(f">{len(row)}Q", *row)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def row_of(rng: random.Random, data: bytes) -> list[int]:
    """As many images as the header tells."""
    count = int.from_bytes(data[8:10], "big")
    return [rng.choice((*IMAGES, rng.getrandbits(64))) for _ in range(count)]


def decoded(data: bytes) -> Model | None:
    try:
        return decode(data)
    except BadModelBytes:
        return None


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


def attack_registry(machine: Machine, seed: int, count: int) -> tuple[int, int]:
    """How many of `count` damaged models were registered, and how many refused."""
    rng = random.Random(seed)
    registered = 0
    for _ in range(count):
        data = mutate(rng, rng.choice(sources())) or b"\0"
        n_features = int.from_bytes(data[8:10], "big") ^ (rng.random() < 0.1)
        parts, cut = chunks(data), rng.random() < 0.1 and rng.randrange(len(data))
        if cut:
            parts = [data[:cut], data[cut:]]
        told = n_features == int.from_bytes(data[8:10], "big")
        with boa.env.anchor():
            taken = machine.register(data, parts, n_features)
            assert taken == (is_judged(data) and told and not cut), data.hex()
            if not taken:
                continue
            registered += 1
            model = decoded(data)
            row = rows_for(model, seed, 1)[0] if model else row_of(rng, data)
            answer = machine.judged(data, row)
            assert model is None or answer == reference.score(model, row), data.hex()
    return registered, count - registered


def test_damaged_models_in_the_scorer(machine: Machine) -> None:
    right, nonsense, reverted = attack_scorer(machine, 21, SCORES)
    assert min(right, nonsense) > SCORES / 10
    assert reverted > SCORES / 50


def test_damaged_models_in_the_registry(machine: Machine) -> None:
    registered, refused = attack_registry(machine, 22, REGISTRATIONS)
    assert min(registered, refused) > REGISTRATIONS / 5


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_many_damaged_models(machine: Machine, shard: int) -> None:
    right, nonsense, reverted = attack_scorer(machine, 3000 + shard, SHARD_SCORES)
    assert min(right, nonsense, reverted) > SHARD_SCORES / 50
    registered, refused = attack_registry(machine, 4000 + shard, SHARD_REGISTRATIONS)
    assert min(registered, refused) > SHARD_REGISTRATIONS / 5


@pytest.mark.parametrize("neurons", [2, 9, 100, 4096, 4097, 2**31, 2**63, 2**64 - 1])
def test_weights_that_are_not_there_are_not_worked_through(machine: Machine, neurons: int) -> None:
    """Sixteen bytes could else announce two million words of weights, layer after layer."""
    layer = Layer((1,) * 8, ((1,) * 8,) * 8, 0, 2**20)
    first, last = Layer((5,) * 8, ((1,) * 8,), 0, 2**20), Layer((1,), ((1,),) * 8, 0, 0)
    model = MlpModel((Quantiser(0, 0, 9, 3),), (0,), (first, *[layer] * 3, last))
    data = bytearray(encode_model(model))
    assert machine.score(bytes(data), [0]) == reference.score(model, [0])
    at = 2 * WORD + 3 * WORD  # the second layer
    assert struct.unpack_from(">Q", data, at) == (8,)
    struct.pack_into(">Q", data, at, neurons)
    machine.score(bytes(data), [0])  # a number or a refusal, within its gas
    struct.pack_into(">Q", data, len(data) - 10 * WORD, neurons)
    answer = machine.score(bytes(data), [0])
    assert neurons < 8 or answer is None


def test_trees_that_take_long_end_within_the_bound(machine: Machine) -> None:
    """A page of roots that share one long path; the last asks for the furthest slot."""
    path, roots = 254, (8188 - 32 - 6 - 24 - 8) // 14 - 254
    first, leaf = 38 + 14 * roots, 38 + 14 * (roots + path)
    at = [*[first] * roots, *range(first + 14, leaf + 1, 14)]
    nodes = b"".join(NODE.pack(0, 1, child, child) for child in at)
    nodes = nodes[: 14 * (roots - 1)] + NODE.pack(0xFFFF, 1, first, first) + nodes[14 * roots :]
    head = HEADER.pack(b"VRDT", 1, 1, 32, 0, 1, 8188, 1, 0, roots, 0)
    data = head + COUNTS.pack(roots, roots + path, 1) + nodes + LEAF.pack(2**63 + 3)
    assert machine.score(data.ljust(8188, b"\0"), [0]) == 3 * roots


@pytest.mark.parametrize("kind", [2, 3])
def test_features_that_are_not_there_end_within_the_bound(machine: Machine, kind: int) -> None:
    """A header that announces the most of everything, and nothing behind it."""
    data = HEADER.pack(b"VRDT", 1, kind, 32, 63, 256, 32, 1, 0, 16, 0)
    machine.score(data, [2**64 - 1] * 256)  # a number or a refusal, within its gas
