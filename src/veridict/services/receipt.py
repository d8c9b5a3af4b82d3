"""A receipt: one prediction with everything a stranger needs to check it, but the chain.

`issue` writes one; `verify` is its mirror and trusts neither the node nor the
log's keeper. It argues in six numbered steps:

    1  the record's commitments open to the request and the inputs shown
    2  the record is the leaf `index` of the log's tree of `size` leaves
    3  the log's key signed a checkpoint with that root
    4  the Anchor contract holds that root for that operator's log
    5  the registry has the model, and its bytes on chain hash to its id
    6  the model, run again on the inputs, gives the recorded score

The caller's duty: know that `addresses.registry` and `addresses.anchor` are the
contracts, and `operator` the operator, whom they mean to hold to account. Where
the anchor is found (`anchor_tx`, `anchor_block`, `anchor_block_hash`) and whom to
ask in a dispute (`stakes`, `judge`) are pointers, not claims: nothing rests on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import msgspec

from veridict.chain.addresses import address_bytes, checksum
from veridict.chain.client import Client
from veridict.chain.http import HttpRpc
from veridict.core.errors import BadInput, EvidenceError, Refused, VeridictError
from veridict.core.nouns import (
    Anchor,
    Check,
    Finding,
    Payload,
    PredictionRecord,
    Request,
)
from veridict.core.ports import Rpc
from veridict.ledger.log import Log
from veridict.models.canonical import CanonicalModel
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import leaf_hash, verify_inclusion
from veridict.proofs.note import Verifier
from veridict.services.anchoring import log_id, log_key
from veridict.services.deploy import Addresses, Network
from veridict.services.registering import model_on_chain

FORMAT = "veridict-receipt/1"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The receipt as JSON; bytes are lower-case hex."""

    format: str
    record: str
    request_content: str
    request_salt: str
    inputs: str
    inputs_salt: str
    index: int
    proof: list[str]
    checkpoint: str
    verifier_key: str
    operator: str
    anchor_size: int
    anchor_root: str
    anchor_time_s: int
    anchor_tx: str
    anchor_block: int
    anchor_block_hash: str
    addresses: Addresses


@dataclass(frozen=True, slots=True)
class Receipt:
    """See the module. `proof` is the RFC 6962 inclusion path under `anchor.size` leaves."""

    record: PredictionRecord
    payload: Payload
    index: int
    proof: tuple[bytes, ...]
    checkpoint: str
    verifier_key: str
    operator: str
    anchor: Anchor
    addresses: Addresses

    def to_json(self) -> bytes:
        anchor = self.anchor
        return msgspec.json.format(
            msgspec.json.encode(
                _File(
                    format=FORMAT,
                    record=self.record.encode().hex(),
                    request_content=self.payload.request.content.hex(),
                    request_salt=self.payload.request_salt.hex(),
                    inputs=self.payload.inputs.hex(),
                    inputs_salt=self.payload.inputs_salt.hex(),
                    index=self.index,
                    proof=[node.hex() for node in self.proof],
                    checkpoint=self.checkpoint,
                    verifier_key=self.verifier_key,
                    operator=self.operator,
                    anchor_size=anchor.size,
                    anchor_root=anchor.root.hex(),
                    anchor_time_s=anchor.time_s,
                    anchor_tx=anchor.tx_hash,
                    anchor_block=anchor.block_number,
                    anchor_block_hash=anchor.block_hash,
                    addresses=self.addresses,
                )
            ),
            indent=2,
        )

    @classmethod
    def from_json(cls, text: bytes) -> Receipt:
        """Raises BadInput unless `text` is a well-formed receipt of this format."""
        try:
            file = msgspec.json.decode(text, type=_File)
            if file.format != FORMAT:
                raise ValueError(f"format is {file.format!r}, not {FORMAT!r}")
            operator, anchor_root = _address(file.operator), _hex(file.anchor_root, 32)
            key = log_key(file.verifier_key)
            places = file.addresses
            for place in (places.registry, places.stakes, places.judge):
                _address(place)
            return cls(
                record=PredictionRecord.decode(_hex(file.record)),
                payload=Payload(
                    proven_request(_hex(file.request_content)),
                    _hex(file.request_salt),
                    _hex(file.inputs),
                    _hex(file.inputs_salt),
                ),
                index=file.index,
                proof=tuple(_hex(node, 32) for node in file.proof),
                checkpoint=file.checkpoint,
                verifier_key=file.verifier_key,
                operator=operator,
                anchor=Anchor(
                    chain_id=file.addresses.chain_id,
                    contract=_address(file.addresses.anchor),
                    log_id=log_id(operator, key),
                    size=file.anchor_size,
                    root=anchor_root,
                    time_s=file.anchor_time_s,
                    tx_hash=file.anchor_tx,
                    block_number=file.anchor_block,
                    block_hash=file.anchor_block_hash,
                ),
                addresses=file.addresses,
            )
        except (msgspec.DecodeError, ValueError, RecursionError) as problem:
            raise BadInput(
                f"not a receipt: {problem}",
                remedy="pass the file that the issuer handed out, unchanged",
            ) from problem

    def verify(self, rpc: Rpc | str) -> list[Check]:
        """`verify(self, rpc)`; `rpc` may be the chain's URL."""
        if isinstance(rpc, str):
            with HttpRpc(rpc) as chain:
                return verify(self, chain)
        return verify(self, rpc)


def proven_request(content: bytes) -> Request:
    """The request with what its committed content says, and nothing that only its asker said."""
    try:
        told = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = _settlement(content)
    name, time_s = told.get("id"), told.get("time_s")
    return Request(
        name if isinstance(name, str) else f"request {sha256(content).hexdigest()[:16]}",
        "",
        time_s if isinstance(time_s, int) else 0,
        content,
    )


def _settlement(content: bytes) -> dict[str, Any]:
    """A guard's payment, in ABI words: chain, guard, payment, payer, payee, amount."""
    if len(content) != 6 * 32 or any(content[32:44]):
        return {}
    guard, number = checksum(content[44:64]), int.from_bytes(content[64:96], "big")
    return {"id": f"{guard}/{number}"}


def issue(log: Log, network: Network, operator: str, index: int) -> Receipt:
    """The receipt of the prediction at `index`, under the home chain's first anchor over it.

    Raises NotFound, BadInput if the record there is no prediction, EvidenceError
    if its payload was erased, Refused while no anchor covers it.
    """
    record = PredictionRecord.decode(log.body(index))
    payload = log.payload(index)
    if payload is None:
        raise EvidenceError(
            f"the payload of record {index} was erased",
            remedy="a receipt handed out earlier still verifies; a new one cannot be made",
            index=index,
        )
    home = (network.addresses.chain_id, network.addresses.anchor)
    anchors = (noted for noted in log.anchors() if (noted.chain_id, noted.contract) == home)
    covering = [noted for noted in anchors if noted.size > index]
    if not covering:
        raise Refused(
            f"record {index} is not anchored yet",
            remedy="wait for the next anchor, or run `veridict chain anchor`",
            reason="not anchored",
            index=index,
        )
    anchor = min(covering, key=lambda noted: noted.size)
    payload = replace(payload, request=proven_request(payload.request.content))
    return Receipt(
        record=record,
        payload=payload,
        index=index,
        proof=tuple(log.inclusion_proof(index, anchor.size)),
        checkpoint=_checkpoint(log, anchor.size),
        verifier_key=log.verifier.vkey,
        operator=operator,
        anchor=anchor,
        addresses=network.addresses,
    )


def verify(receipt: Receipt, rpc: Rpc) -> list[Check]:
    """The six steps above, each with its findings. Raises only if the chain cannot be asked."""
    network = Network.at(Client(rpc), receipt.addresses)
    steps = [
        ("commitments open to the request and the inputs", _opens(receipt)),
        ("the record is in the log's tree", _included(receipt)),
        ("the log's key signed that tree", _signed(receipt)),
        ("the chain holds that tree's root", _anchored(receipt, network)),
        *_model_steps(receipt, network),
    ]
    return [
        Check(number, title, 1, tuple(findings))
        for number, (title, findings) in enumerate(steps, 1)
    ]


def _opens(receipt: Receipt) -> Iterator[Finding]:
    if not receipt.payload.opens_request(receipt.record):
        yield Finding("receipt.request", "request", "the committed request", "another request")
    if not receipt.payload.opens_inputs(receipt.record):
        yield Finding("receipt.inputs", "inputs", "the committed inputs", "other inputs")


def _included(receipt: Receipt) -> Iterator[Finding]:
    try:
        verify_inclusion(
            receipt.index,
            receipt.anchor.size,
            leaf_hash(receipt.record.encode()),
            receipt.proof,
            receipt.anchor.root,
        )
    except EvidenceError as problem:
        yield Finding("receipt.inclusion", f"leaf {receipt.index}", "a proof", problem.message)


def _signed(receipt: Receipt) -> Iterator[Finding]:
    try:
        verifier = Verifier.from_vkey(receipt.verifier_key)
        checkpoint = SignedCheckpoint(receipt.checkpoint).verify(verifier, verifier.name)
    except VeridictError as problem:
        yield Finding("receipt.checkpoint", "checkpoint", "a valid signature", problem.message)
        return
    if (checkpoint.size, checkpoint.root) != (receipt.anchor.size, receipt.anchor.root):
        yield Finding(
            "receipt.checkpoint",
            "checkpoint",
            f"size {receipt.anchor.size}, root {receipt.anchor.root.hex()}",
            f"size {checkpoint.size}, root {checkpoint.root.hex()}",
        )


def _anchored(receipt: Receipt, network: Network) -> Iterator[Finding]:
    anchor = receipt.anchor
    held = network.anchor.call("check", anchor.log_id, anchor.size, anchor.root, anchor.time_s)
    if not held:
        yield Finding(
            "receipt.anchor",
            f"contract {anchor.contract} on chain {anchor.chain_id}",
            f"root {anchor.root.hex()} at size {anchor.size}",
            "no such anchor of this operator's log",
        )


def _model_steps(receipt: Receipt, network: Network) -> list[tuple[str, list[Finding]]]:
    registered = "the registry's bytes are this model"
    rerun = "the model gives this score again"
    try:
        model = CanonicalModel(model_on_chain(network, receipt.record.model_id))
    except VeridictError as problem:
        missing = Finding(
            "receipt.model", receipt.record.model_id.hex(), "its bytes on chain", problem.message
        )
        return [(registered, [missing]), (rerun, [missing])]
    return [(registered, []), (rerun, list(_same_score(receipt, model)))]


def _same_score(receipt: Receipt, model: CanonicalModel) -> Iterator[Finding]:
    try:
        score = model.score_one(receipt.payload.inputs)
    except BadInput as problem:
        yield Finding("receipt.score", "inputs", "inputs of this model", problem.message)
        return
    if score != receipt.record.score:
        yield Finding("receipt.score", "score", str(score), str(receipt.record.score))


def _hex(text: str, size: int | None = None) -> bytes:
    data = bytes.fromhex(text)
    if size is not None and len(data) != size:
        raise ValueError(f"{len(data)} bytes of hex where {size} belong")
    return data


def _address(text: str) -> str:
    return checksum(address_bytes(text))


def _checkpoint(log: Log, size: int) -> str:
    return next(point.text for point in log.checkpoints() if point.size == size)
