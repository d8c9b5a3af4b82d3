"""checkpoint → chain, and back when the chain reorganises.

`anchor` stores the log's signed head in the Anchor contract, which refuses a
head that does not extend the last. `reconcile` reads the chain's own events
and makes the log's list of anchors say what the chain says.
"""

from __future__ import annotations

from hashlib import sha256

from veridict.chain.abi import encode_arguments
from veridict.chain.addresses import keccak256
from veridict.chain.contract import Event
from veridict.core.errors import EvidenceError
from veridict.core.nouns import Anchor
from veridict.ledger.log import Entry, Log
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import EMPTY_ROOT
from veridict.services.deploy import Network
from veridict.services.records import AnchorRecord, encode


def log_key(verifier_key: str) -> bytes:
    """SHA-256 of the log's verifier key text: how the chain names the key that signs the log."""
    return sha256(verifier_key.encode()).digest()


def log_id(operator: str, key: bytes) -> bytes:
    """keccak256(abi.encode(operator, key)): one log of one operator, as the contract has it."""
    return keccak256(encode_arguments("log id", ["address", "bytes32"], [operator, key]))


def anchor(
    log: Log, network: Network, *, clock_ms: int, head: SignedCheckpoint | None = None
) -> tuple[Anchor, int] | None:
    """Anchor the log's current head; returns it with its gas, None if nothing new is to anchor.

    `head` is a checkpoint of this log to anchor instead: the one that witnesses cosigned.
    The anchor is logged as a record of its own, which the next anchor covers.
    """
    operator = network.client.address
    key = log_key(log.verifier.vkey)
    identity = log_id(operator, key)
    reconcile(log, network, clock_ms=clock_ms)
    old_size, _, _ = network.anchor.call("head", identity)
    if old_size > log.size:
        raise EvidenceError(
            f"the chain holds an anchor of {old_size} records, this log has only {log.size}",
            remedy="put back a complete backup; anchor nothing until the audit is clean",
            finding="log.truncated",
            size=log.size,
            anchored_size=old_size,
        )
    checkpoint = head if head is not None and head.size > old_size else log.checkpoint()
    if checkpoint.size == old_size:
        return None
    proof = log.consistency_proof(old_size, checkpoint.size) if old_size else []
    receipt = network.anchor.send(
        "anchor",
        key,
        old_size,
        log.root(old_size) if old_size else EMPTY_ROOT,
        checkpoint.size,
        checkpoint.root,
        proof,
    )
    (stored,) = network.anchor.decode_logs("Anchored", receipt.logs)
    noted = _noun(network, identity, stored)
    log.put_anchor(noted)
    log.append([Entry(encode(_record(noted, clock_ms)), None)])
    return noted, receipt.gas_used


def anchored_events(network: Network, identity: bytes, from_block: int = 0) -> list[Event]:
    """What the chain itself says was anchored for one log, oldest first."""
    return network.anchor.events("Anchored", from_block=from_block, logId=identity)


def reconcile(log: Log, network: Network, *, clock_ms: int) -> list[Anchor]:
    """Make the log's notes of anchors say what the chain says; returns those dropped.

    An anchor is dropped that the chain took back, and noted where this process, or one
    before it, died between the transaction and its note.
    """
    identity = log_id(network.client.address, log_key(log.verifier.vkey))
    ours = [a for a in log.anchors() if a.chain_id == network.addresses.chain_id]
    last = (ours[-1].size, ours[-1].time_s) if ours else (0, 0)
    if tuple(network.anchor.call("head", identity)[:2]) == last:
        return []
    on_chain = chain_anchors(network, identity)
    held = {_identity(anchor) for anchor in on_chain}
    lost = [noted for noted in ours if _identity(noted) not in held]
    for noted in lost:
        log.drop_anchor(noted)
    known = {_identity(noted) for noted in ours}
    for anchor in on_chain:
        if _identity(anchor) not in known and anchor.size <= log.size:
            log.put_anchor(anchor)
            log.append([Entry(encode(_record(anchor, clock_ms)), None)])
    return lost


def _identity(anchor: Anchor) -> tuple[int, bytes, int]:
    return anchor.size, anchor.root, anchor.time_s


def chain_anchors(network: Network, identity: bytes) -> list[Anchor]:
    """The chain's own list of anchors of one log, oldest first."""
    return [_noun(network, identity, event) for event in anchored_events(network, identity)]


def _noun(network: Network, identity: bytes, event: Event) -> Anchor:
    return Anchor(
        chain_id=network.addresses.chain_id,
        contract=network.addresses.anchor,
        log_id=identity,
        size=event.args["size"],
        root=event.args["root"],
        time_s=event.args["time"],
        tx_hash=event.tx_hash,
        block_number=event.block_number,
        block_hash=event.block_hash,
    )


def _record(noted: Anchor, clock_ms: int) -> AnchorRecord:
    return AnchorRecord(
        size=noted.size,
        root=noted.root.hex(),
        chain_id=noted.chain_id,
        contract=noted.contract,
        tx_hash=noted.tx_hash,
        block_number=noted.block_number,
        time_ms=clock_ms,
    )
