"""The log's records: what is written is read back the same, and nothing else is read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput
from veridict.core.nouns import INT64_MAX, INT64_MIN, Decision, PredictionRecord, TrialRecord
from veridict.services.cases.records import (
    CaseRecord,
    RevocationRecord,
    SuppressedRecord,
    SuppressionRecord,
)
from veridict.services.records import (
    ActRecord,
    AnchorRecord,
    ErasureRecord,
    LogRecord,
    ModelRecord,
    OutcomesRecord,
    decode,
    encode,
    is_prediction,
)
from veridict.services.trial.records import ChallengerRecord, DriftRecord

integers = st.integers(0, 2**53 - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
hexes = st.binary(max_size=32).map(bytes.hex)
u16 = st.integers(0, 2**16 - 1)
words = st.binary(min_size=32, max_size=32)

predictions = st.builds(
    PredictionRecord,
    decision=st.sampled_from(Decision),
    reasons=st.tuples(u16, u16, u16),
    sequence=st.integers(0, 2**64 - 1),
    time_ms=st.integers(0, 2**64 - 1),
    score=st.integers(INT64_MIN, INT64_MAX),
    model_id=words,
    request=words,
    inputs=words,
)
models = st.builds(
    ModelRecord,
    model_id=hexes,
    card=st.dictionaries(st.text("abc", max_size=3), texts | integers, max_size=3),
    chain_id=integers,
    registry=texts,
    block_number=integers,
    time_ms=integers,
)
anchors = st.builds(
    AnchorRecord,
    size=integers,
    root=hexes,
    chain_id=integers,
    contract=texts,
    tx_hash=texts,
    block_number=integers,
    time_ms=integers,
)
acts = st.builds(
    ActRecord,
    act=st.sampled_from(["release", "confirm"]),
    index=integers,
    said=hexes,
    payment_id=st.none() | integers,
    tx_hash=st.none() | texts,
    time_ms=integers,
)
erasures = st.builds(
    ErasureRecord,
    subject=hexes,
    said=hexes,
    count=integers,
    ground=st.sampled_from(["request", "retention", "consent", "unlawful", "order"]),
    time_ms=integers,
)
outcomes = st.builds(
    OutcomesRecord,
    label=texts,
    time_s=integers,
    spans=st.lists(st.tuples(integers, integers), max_size=3),
    positives=st.lists(integers, max_size=3),
    time_ms=integers,
)
steps = st.builds(
    CaseRecord,
    step=st.sampled_from(["assign", "note", "export"]),
    index=integers,
    said=hexes,
    time_ms=integers,
)
suppressions = st.builds(
    SuppressionRecord,
    index=integers,
    model_id=hexes,
    feature=integers,
    until_ms=integers,
    most=integers,
    said=hexes,
    time_ms=integers,
)
stopped = st.builds(SuppressedRecord, index=integers, suppression=integers, time_ms=integers)
revoked = st.builds(RevocationRecord, suppression=integers, said=hexes, time_ms=integers)
trials = st.builds(TrialRecord, predictions)
challengers = st.builds(
    ChallengerRecord,
    model_id=hexes,
    event=st.sampled_from(["began", "ended", "promoted"]),
    card=st.dictionaries(st.text("abc", max_size=3), texts | integers, max_size=3),
    time_ms=integers,
)
drifts = st.builds(
    DriftRecord,
    model_id=hexes,
    what=texts,
    psi=texts,
    psi_limit=texts,
    ks=texts,
    ks_limit=texts,
    rate=texts,
    rows=integers,
    first=integers,
    last=integers,
    time_ms=integers,
)
records: st.SearchStrategy[LogRecord] = st.one_of(
    predictions, models, anchors, acts, erasures, outcomes, steps, suppressions, stopped, revoked,
    trials, challengers, drifts,
)  # fmt: skip


@given(records)
def test_round_trip(record: LogRecord) -> None:
    body = encode(record)
    assert decode(body) == record
    assert encode(decode(body)) == body
    assert is_prediction(body) is isinstance(record, PredictionRecord)


@given(st.binary(max_size=300) | st.binary(max_size=127).map(lambda rest: b"\x01" + rest))
@example(b"")
@example(b"[" * 100_000)
@example(b'{"kind":' * 50_000)
@example(b"\xff\xfe{}")
@example(b'{"kind":"act"}')
def test_rubbish_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        decode(body)


@given(records, st.data())
def test_one_altered_byte_is_another_record_or_bad_input(
    record: LogRecord, data: st.DataObject
) -> None:
    body = bytearray(encode(record))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    try:
        read = decode(bytes(body))
    except BadInput:
        return
    assert read != record
    assert encode(read) == bytes(body)


ACT: dict[str, Any] = {
    "kind": "act", "act": "release", "index": 3, "said": "", "payment_id": None,
    "tx_hash": None, "time_ms": 5,
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "actor"},
        {"act": "forgive"},
        {"index": "3"},
        {"index": None},
        {"more": 1},
        {"said": 7},
        {"by": "ann"},
    ],
    ids=str,
)
def test_what_no_writer_writes_is_refused(change: dict[str, Any]) -> None:
    assert isinstance(decode(canonical_json(ACT)), ActRecord)
    with pytest.raises(BadInput):
        decode(canonical_json({**ACT, **change}))


def test_only_the_canonical_spelling_is_read() -> None:
    body = canonical_json(ACT)
    for other in (
        body + b"\n",
        b" " + body,
        body.replace(b":3", b":3.0"),
        body.replace(b'""', b'"" '),
    ):
        with pytest.raises(BadInput):
            decode(other)
