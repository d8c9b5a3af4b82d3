"""Registry: an id stands for bytes that are there, and stay there."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import boa
import pytest
from boa.util.abi import Address
from eth_utils.crypto import keccak

from tests.support.contracts import CARD, MODEL, MODEL_ID, data_contract, deploy, model_bytes
from tools.compile_contracts import SOURCES
from veridict.chain.artifacts import Artifact
from veridict.chain.data_contract import READER
from veridict.models.layout import CHUNK_BYTES, WORD_CHUNK_BYTES
from veridict.models.layout import chunks as parts_of

NOBODY = "0x" + "00" * 20
PROOF_SYSTEM = keccak(text="reexecution-veridict-v1")[:4]


@pytest.fixture
def registry() -> Any:
    return deploy("Registry")


@pytest.fixture
def registered(registry: Any) -> Any:
    registry.register(MODEL_ID, [data_contract(MODEL)], CARD, 3)
    return registry


def test_a_registered_model_is_active(registry: Any) -> None:
    chunk = data_contract(MODEL)
    registry.register(MODEL_ID, [chunk], CARD, 3)
    (event,) = registry.get_logs()
    assert (event.modelId, event.owner, event.card, event.features) == (
        MODEL_ID,
        boa.env.eoa,
        CARD,
        3,
    )
    assert tuple(registry.model(MODEL_ID)) == (
        boa.env.eoa,
        CARD,
        3,
        boa.env.evm.patch.block_number,
        0,
    )
    assert registry.is_active(MODEL_ID)
    assert registry.chunks(MODEL_ID) == [chunk]


def test_chunks_are_joined_in_order(registry: Any) -> None:
    parts = [b"first" * 7, b"", b"third" * 100][::2]
    chunks = [data_contract(part) for part in parts]
    assert registry.digest(chunks) == sha256(b"".join(parts)).digest()
    with boa.reverts("Registry: bytes do not hash to the model id"):
        registry.register(sha256(b"".join(parts)).digest(), chunks[::-1], CARD, 3)


@pytest.mark.parametrize("count", [9, 16])
def test_large_models_fit(registry: Any, count: int) -> None:
    """Nine full chunks are 221 kB; sixteen, 393 kB, are the most."""
    data = model_bytes(b"", 3).ljust(count * WORD_CHUNK_BYTES, b"m")
    model_id = sha256(data).digest()
    chunks = [data_contract(part) for part in parts_of(data)]
    registry.register(model_id, chunks, CARD, 3)
    assert registry.chunks(model_id) == chunks


def test_bytes_that_hash_otherwise_are_refused(registry: Any) -> None:
    with boa.reverts("Registry: bytes do not hash to the model id"):
        registry.register(MODEL_ID, [data_contract(MODEL + b"\0")], CARD, 3)


def test_no_chunks_no_features_no_model(registry: Any) -> None:
    with boa.reverts("Registry: a model has chunks"):
        registry.register(sha256(b"").digest(), [], CARD, 3)
    for count in (0, 2, 256):
        with boa.reverts("Registry: the model has another number of features"):
            registry.register(MODEL_ID, [data_contract(MODEL)], CARD, count)


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, 0), (4, 2), (5, 0), (5, 4), (5, 1), (6, 20), (7, 64), (8, 1), (9, 0), (11, 33)],
)
def test_what_the_judge_cannot_run_is_refused(registry: Any, at: int, value: int) -> None:
    """Another format, no features, more than 256 (768 + 3): a lie could never be proven."""
    data = bytearray(MODEL)
    data[at] = value if at != 8 else 3
    with boa.reverts("Registry: not a model that the judge can run"):
        registry.register(sha256(data).digest(), [data_contract(bytes(data))], CARD, 3)


def test_most_features(registry: Any) -> None:
    most, more = (model_bytes(b"", count) for count in (256, 257))
    registry.register(sha256(most).digest(), [data_contract(most)], CARD, 256)
    with boa.reverts("Registry: not a model that the judge can run"):
        registry.register(sha256(more).digest(), [data_contract(more)], CARD, 257)


def test_chunks_are_cut_as_the_judge_reads_them(registry: Any) -> None:
    """The same bytes cut elsewhere have the same id, and would have another score."""
    for kind, size in ((1, CHUNK_BYTES), (2, WORD_CHUNK_BYTES)):
        data = bytearray(model_bytes(b"", 3).ljust(size + 99, b"m"))
        data[5], data[10:12] = kind, (8188 if kind == 1 else 32).to_bytes(2, "big")
        model_id = sha256(data).digest()
        for cut in (size - 1, size - 90, size + 1):
            parts = [data_contract(bytes(part)) for part in (data[:cut], data[cut:])]
            with boa.reverts("Registry: chunks are cut otherwise than the judge reads"):
                registry.register(model_id, parts, CARD, 3)
        parts = [data_contract(part) for part in parts_of(bytes(data))]
        registry.register(model_id, parts, CARD, 3)


@pytest.mark.parametrize(
    "code",
    [b"", b"\0" + MODEL, READER, READER[:-1] + b"\xfd" + MODEL, b"\xef\x01\x00" + b"\1" * 20],
    ids=["no code", "bare data", "reader alone", "another program", "delegated account"],
)
def test_what_is_no_data_contract_is_refused(registry: Any, code: bytes) -> None:
    address = boa.env.generate_address()
    boa.env.set_code(address, code)
    with boa.reverts("Registry: a chunk is not a data contract"):
        registry.register(MODEL_ID, [address], CARD, 3)


def test_an_id_is_registered_once(registered: Any) -> None:
    with boa.reverts("Registry: model is registered already"):
        registered.register(MODEL_ID, [data_contract(MODEL)], CARD, 3)


def test_deprecation_is_the_owners_and_final(registered: Any) -> None:
    with boa.reverts("Registry: caller is not the owner"):
        registered.deprecate(MODEL_ID, sender=boa.env.generate_address())
    registered.deprecate(MODEL_ID)
    (event,) = registered.get_logs()
    assert event.modelId == MODEL_ID
    assert not registered.is_active(MODEL_ID)
    assert registered.model(MODEL_ID).deprecated_at_block == boa.env.evm.patch.block_number
    assert registered.chunks(MODEL_ID)  # disputes stay possible
    with boa.reverts("Registry: model is deprecated already"):
        registered.deprecate(MODEL_ID)


def test_transfer_moves_the_rights(registered: Any) -> None:
    heir = boa.env.generate_address()
    with boa.reverts("Registry: caller is not the owner"):
        registered.transfer(MODEL_ID, heir, sender=heir)
    with boa.reverts("Registry: new owner is nobody"):
        registered.transfer(MODEL_ID, NOBODY)
    registered.transfer(MODEL_ID, heir)
    (event,) = registered.get_logs()
    assert (event.modelId, event.previousOwner, event.newOwner) == (MODEL_ID, boa.env.eoa, heir)
    with boa.reverts("Registry: caller is not the owner"):
        registered.deprecate(MODEL_ID)
    registered.deprecate(MODEL_ID, sender=heir)


def test_an_unknown_model_has_nothing(registry: Any) -> None:
    assert not registry.is_active(MODEL_ID)
    assert tuple(registry.model(MODEL_ID)) == (NOBODY, b"\0" * 32, 0, 0, 0)
    for name, *args in (
        ("chunks",),
        ("deprecate",),
        ("transfer", boa.env.eoa),
        ("restore", []),
    ):
        with boa.reverts("Registry: unknown model"):
            getattr(registry, name)(MODEL_ID, *args)


@pytest.mark.parametrize("code", [b"", READER + b"other bytes"], ids=["destroyed", "replaced"])
def test_a_chunk_that_changed_is_noticed_and_anyone_restores_it(registry: Any, code: bytes) -> None:
    chunk = data_contract(MODEL)
    registry.register(MODEL_ID, [chunk], CARD, 3)
    boa.env.set_code(Address(chunk), code)
    with boa.reverts("Registry: a chunk has changed"):
        registry.chunks(MODEL_ID)

    stranger, spare = boa.env.generate_address(), data_contract(MODEL)
    with boa.reverts("Registry: bytes do not hash to the model id"):
        registry.restore(MODEL_ID, [data_contract(b"other bytes")], sender=stranger)
    registry.restore(MODEL_ID, [spare], sender=stranger)
    (event,) = registry.get_logs()
    assert event.modelId == MODEL_ID
    assert registry.chunks(MODEL_ID) == [spare]
    assert registry.model(MODEL_ID).owner == boa.env.eoa


def test_intact_chunks_are_not_replaced(registered: Any) -> None:
    with boa.reverts("Registry: chunks are intact"):
        registered.restore(MODEL_ID, [data_contract(MODEL)])


def test_the_hasher_is_the_one_of_its_source(registry: Any) -> None:
    """Its bytes stand in the registry's source, where no compiler compares them."""
    hasher = Artifact.load("Hasher")
    assert boa.env.get_code(registry.hasher()) == hasher.runtime
    assert f'x"{hasher.bytecode.hex()}"' in (SOURCES / "Registry.vy").read_text()


def test_a_model_as_erc7992_tells_it(registered: Any) -> None:
    number = int.from_bytes(MODEL_ID)
    commitment, deprecated, owner = registered.getModel(number)
    assert tuple(commitment) == (MODEL_ID, bytes(32), bytes(32), PROOF_SYSTEM, "")
    assert (deprecated, owner) == (False, boa.env.eoa)
    registered.deprecate(MODEL_ID)
    assert registered.getModel(number)[1]
    with pytest.raises(boa.BoaError):
        registered.getModel(number + 1)
    told = keccak(text="ModelNotFound(uint256)")[:4] + (number + 1).to_bytes(32)
    assert bytes(registered._computation.output) == told


def test_interfaces(registry: Any) -> None:
    for asked in ("supportsInterface(bytes4)", "getModel(uint256)"):
        assert registry.supportsInterface(keccak(text=asked)[:4])
    assert not registry.supportsInterface(b"\xff" * 4)
    assert not registry.supportsInterface(keccak(text="updateModel(uint256)")[:4])
