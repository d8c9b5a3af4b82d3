"""EIP-712 by hand against eth_account's own encoder, over all field values."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from veridict.assurance.signed import PREDICTION_TYPE, prediction_digest, recover, sign_prediction
from veridict.core.errors import BadInput
from veridict.core.nouns import INT64_MAX, INT64_MIN, NO_REASON, Decision, PredictionRecord

OPERATOR = Account.from_key(b"\x01" * 32)
GUARD = "0x" + "5f" * 20
RECORD = PredictionRecord(
    Decision.ALLOW, (1, 2, NO_REASON), 7, 1_700_000_000_000, -5, b"m" * 32, b"r" * 32, b"i" * 32
)

words = st.binary(min_size=32, max_size=32)
u64 = st.integers(0, 2**64 - 1)
records = st.builds(
    PredictionRecord,
    decision=st.sampled_from(Decision),
    reasons=st.just((0, 1, NO_REASON)),
    sequence=u64,
    time_ms=u64,
    score=st.integers(INT64_MIN, INT64_MAX),
    model_id=words,
    request=words,
    inputs=words,
)


def typed_data(record: PredictionRecord, guard: str, chain_id: int, deadline: int) -> dict:  # type: ignore[type-arg]
    fields = PREDICTION_TYPE[len("Prediction(") : -1].split(",")
    return {
        "primaryType": "Prediction",
        "domain": {
            "name": "veridict",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": guard,
        },
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Prediction": [
                {"type": kind, "name": name} for kind, name in (f.split(" ") for f in fields)
            ],
        },
        "message": {
            "modelId": record.model_id,
            "request": record.request,
            "inputs": record.inputs,
            "score": record.score,
            "sequence": record.sequence,
            "timeMs": record.time_ms,
            "deadline": deadline,
        },
    }


@settings(max_examples=50)
@given(records, st.binary(min_size=20, max_size=20), u64, u64)
def test_the_signature_is_that_of_sign_typed_data(
    record: PredictionRecord, guard: bytes, chain_id: int, deadline: int
) -> None:
    address = "0x" + guard.hex()
    ours = sign_prediction(OPERATOR, record, address, chain_id, deadline)
    theirs = OPERATOR.sign_message(
        encode_typed_data(full_message=typed_data(record, address, chain_id, deadline))
    )
    assert ours == theirs.signature
    assert recover(record, address, chain_id, deadline, ours) == OPERATOR.address


def test_every_signed_field_is_bound() -> None:
    digests = {prediction_digest(RECORD, GUARD, 1, 9)}
    for change in (
        {"model_id": b"x" * 32},
        {"request": b"x" * 32},
        {"inputs": b"x" * 32},
        {"score": 5},
        {"sequence": 8},
        {"time_ms": 0},
    ):
        digests.add(prediction_digest(replace(RECORD, **change), GUARD, 1, 9))
    digests.add(prediction_digest(RECORD, "0x" + "5e" * 20, 1, 9))
    digests.add(prediction_digest(RECORD, GUARD, 2, 9))
    digests.add(prediction_digest(RECORD, GUARD, 1, 10))
    assert len(digests) == 10


def test_decision_and_reasons_are_not_signed() -> None:
    other = replace(RECORD, decision=Decision.HOLD, reasons=(9, 9, 9))
    assert prediction_digest(other, GUARD, 1, 9) == prediction_digest(RECORD, GUARD, 1, 9)


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\0" * 65, b"\xff" * 65])
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(BadInput, match="no signature"):
        recover(RECORD, GUARD, 1, 9, signature)


@pytest.mark.parametrize("address", ["", "0x12", "not hex", "0x" + "00" * 21])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match=r"address|hex"):
        sign_prediction(OPERATOR, RECORD, address, 1, 9)


def test_a_number_that_is_no_uint256_is_refused() -> None:
    with pytest.raises(BadInput, match="uint256"):
        sign_prediction(OPERATOR, RECORD, GUARD, -1, 9)
