"""A prediction as contracts want it shown: see `contracts/lib/evidence.vy`, and the guard."""

from __future__ import annotations

from typing import Any

from eth_account.signers.local import LocalAccount

from veridict.assurance.signed import sign_prediction
from veridict.chain.contract import Contract
from veridict.services.anchoring import log_key
from veridict.services.dispute import record_words
from veridict.services.predict import Prediction
from veridict.services.receipt import Receipt

SIGNATURE_LIFE_S = 900


def signed(contract: Contract, prediction: Prediction, operator: LocalAccount) -> tuple[Any, ...]:
    """(record, salt, deadline, signature), for this contract alone: assurance `signed`."""
    client = contract.client
    deadline = client.block().timestamp_s + SIGNATURE_LIFE_S
    record = prediction.record
    signature = sign_prediction(operator, record, contract.address, client.chain_id, deadline)
    return record_words(record.encode()), prediction.payload.request_salt, deadline, signature


def anchored(receipt: Receipt) -> tuple[Any, ...]:
    """(record, salt, operator, key, size, root, time, index, proof): assurance `optimistic`."""
    anchor = receipt.anchor
    return (
        record_words(receipt.record.encode()),
        receipt.payload.request_salt,
        receipt.operator,
        log_key(receipt.verifier_key),
        anchor.size,
        anchor.root,
        anchor.time_s,
        receipt.index,
        list(receipt.proof),
    )
