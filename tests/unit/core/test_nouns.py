"""The nouns: what exists is valid, and the record's 128 bytes have one meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veridict.core.codec import TAG_INPUTS, TAG_REQUEST, commit
from veridict.core.errors import BadInput
from veridict.core.nouns import (
    INT64_MAX,
    INT64_MIN,
    NO_REASON,
    RECORD_BYTES,
    Check,
    Decision,
    Finding,
    Payload,
    Policy,
    PredictionRecord,
    Request,
    Stage,
)

int64 = st.integers(min_value=INT64_MIN, max_value=INT64_MAX)
u64 = st.integers(min_value=0, max_value=2**64 - 1)
u16 = st.integers(min_value=0, max_value=NO_REASON)
digest = st.binary(min_size=32, max_size=32)
records = st.builds(
    PredictionRecord,
    decision=st.sampled_from(Decision),
    reasons=st.tuples(u16, u16, u16),
    sequence=u64,
    time_ms=u64,
    score=int64,
    model_id=digest,
    request=digest,
    inputs=digest,
)


@given(records)
def test_a_record_reads_back(record: PredictionRecord) -> None:
    body = record.encode()
    assert len(body) == RECORD_BYTES
    assert PredictionRecord.decode(body) == record


@given(records)
def test_the_words_lie_where_contracts_read_them(record: PredictionRecord) -> None:
    body = record.encode()
    assert body[:2] == bytes([0x01, record.decision])
    assert int.from_bytes(body[8:16]) == record.sequence
    assert int.from_bytes(body[16:24]) == record.time_ms
    assert int.from_bytes(body[24:32], signed=True) == record.score
    assert (body[32:64], body[64:96], body[96:]) == (record.model_id, record.request, record.inputs)


@given(st.binary(max_size=2 * RECORD_BYTES))
def test_any_bytes_are_a_record_or_refused(body: bytes) -> None:
    try:
        record = PredictionRecord.decode(body)
    except BadInput:
        return
    assert record.encode() == body


@given(records, st.binary(max_size=2), st.integers(min_value=3, max_value=255))
def test_broken_records_are_refused(record: PredictionRecord, more: bytes, byte: int) -> None:
    body = record.encode()
    broken = [
        body[:-1],
        body + b"\0" + more,
        b"\x02" + body[1:],
        bytes([1, byte]) + body[2:],
        b"",
    ]
    for bad in broken:
        with pytest.raises(BadInput):
            PredictionRecord.decode(bad)


@given(int64, int64, int64)
def test_a_policy_orders_its_decisions(review_at: int, hold_at: int, score: int) -> None:
    if review_at > hold_at:
        with pytest.raises(BadInput):
            Policy(review_at, hold_at)
        return
    policy = Policy(review_at, hold_at)
    assert policy.decide(hold_at) is Decision.HOLD
    assert (policy.decide(score) is Decision.ALLOW) == (score < review_at)
    assert (policy.decide(score) is Decision.HOLD) == (score >= hold_at)


def test_a_policy_must_fit_the_record() -> None:
    with pytest.raises(BadInput, match="not ordered int64"):
        Policy(0, INT64_MAX + 1)


def test_the_seven_stages_in_order() -> None:
    words = [stage.word for stage in Stage]
    assert words == ["request", "features", "score", "commit", "log", "act", "audit"]


@given(digest, digest, st.binary(max_size=80), st.binary(max_size=80))
def test_a_payload_opens_its_own_record_only(
    request_salt: bytes, inputs_salt: bytes, content: bytes, inputs: bytes
) -> None:
    payload = Payload(Request("p1", "alice", 0, content), request_salt, inputs, inputs_salt)
    record = PredictionRecord(
        Decision.ALLOW, (0, 1, NO_REASON), 0, 0, 0, bytes(32),
        commit(TAG_REQUEST, request_salt, content), commit(TAG_INPUTS, inputs_salt, inputs),
    )  # fmt: skip
    assert payload.opens_request(record)
    assert payload.opens_inputs(record)
    altered = Payload(
        Request("p1", "alice", 0, content + b"!"), request_salt, inputs + b"!", inputs_salt
    )
    assert not altered.opens_request(record)
    assert not altered.opens_inputs(record)


def test_salts_are_32_bytes() -> None:
    with pytest.raises(BadInput, match="salts"):
        Payload(Request("p1", "alice", 0, b""), bytes(31), b"", bytes(32))


def test_an_empty_check_does_not_pass() -> None:
    finding = Finding("record.altered", "record 7", "aa", "bb")
    assert Check(1, "bodies", examined=3).passed
    assert not Check(1, "bodies", examined=0).passed
    assert not Check(1, "bodies", examined=3, findings=(finding,)).passed
    assert finding.sentence() == "record.altered at record 7: expected aa, found bb"
