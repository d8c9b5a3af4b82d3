"""A compiled model goes on chain: its bytes in data contracts, its id and card in the registry."""

from __future__ import annotations

from hashlib import sha256

from veridict.chain.data_contract import data_contract_initcode, data_of
from veridict.chain.receipts import Tx
from veridict.core.errors import EvidenceError, NotFound, UnsupportedModel
from veridict.ledger.log import Entry, Log
from veridict.models.canonical import CanonicalModel
from veridict.models.card import ModelCard
from veridict.services.deploy import Network
from veridict.services.records import ModelRecord, encode

MAX_CHUNKS, MAX_FEATURES = 16, 256  # what Registry.vy and Judge.vy take
NO_ADDRESS = "0x" + "00" * 20


def register(
    model: CanonicalModel, card: ModelCard, log: Log, network: Network, *, clock_ms: int
) -> int:
    """Store the model's bytes on chain, register it, log it with its card; returns the gas used.

    The contract hashes the stored bytes itself, so a registered id always has
    its bytes. Registering a model that is on chain already only logs it. Raises UnsupportedModel
    for one that no judge could run: a lie about its score could never be proven.
    """
    gas = put_on_chain(model, card, network)
    record = ModelRecord.of(
        card,
        chain_id=network.addresses.chain_id,
        registry=network.addresses.registry,
        block_number=network.client.block_number(),
        time_ms=clock_ms,
    )
    log.append([Entry(encode(record), None)])
    return gas


def put_on_chain(model: CanonicalModel, card: ModelCard, network: Network) -> int:
    """Store and register it, if it is not; it is not at work by that. Returns the gas used."""
    gas = 0
    must_be_judgeable(model)
    if not is_registered(network, model.id):
        stored = network.client.send_many(
            [Tx(to=None, data=data_contract_initcode(part)) for part in model.chunks()]
        )
        done = network.registry.send(
            "register",
            model.id,
            [receipt.contract_address for receipt in stored],
            card.digest,
            model.n_features,
        )
        gas = done.gas_used + sum(receipt.gas_used for receipt in stored)
    return gas


def must_be_judgeable(model: CanonicalModel) -> None:
    """Raises UnsupportedModel where the contracts do not take `model`, telling why."""
    chunks = len(model.chunks())
    if chunks > MAX_CHUNKS or model.n_features > MAX_FEATURES:
        raise UnsupportedModel(
            f"{chunks} chunks and {model.n_features} features are more than the "
            f"{MAX_CHUNKS} chunks the registry and the {MAX_FEATURES} features the judge takes",
            remedy="train a smaller model; off chain this one can be scored as it is",
            model_id=model.id.hex(),
        )


def is_registered(network: Network, model_id: bytes) -> bool:
    return str(network.registry.call("model", model_id)[0]) != NO_ADDRESS


def model_on_chain(network: Network, model_id: bytes) -> bytes:
    """The canonical bytes as the chain stores them. Raises NotFound, EvidenceError."""
    if not is_registered(network, model_id):
        raise NotFound(
            f"model {model_id.hex()} is not in the registry {network.addresses.registry}",
            remedy="register it with `veridict model register`, or name another registry",
            model_id=model_id.hex(),
        )
    parts = [
        data_of(network.client.code(address))
        for address in network.registry.call("chunks", model_id)
    ]
    data = b"".join(parts)
    if sha256(data).digest() != model_id:
        raise EvidenceError(
            f"the bytes on chain hash to {sha256(data).hexdigest()}, not to {model_id.hex()}",
            remedy="this registry is not the veridict registry; do not trust it",
            model_id=model_id.hex(),
        )
    return data
