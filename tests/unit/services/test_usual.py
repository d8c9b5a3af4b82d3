"""What is usual beside a reason: medians that a stranger finds again in the payloads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.support.ledger import make_signer, make_vault
from veridict.core.codec import TAG_INPUTS, TAG_REQUEST, commit
from veridict.core.nouns import NO_REASON, Decision, Payload, PredictionRecord, Request
from veridict.ledger.log import Entry, Log
from veridict.models.image import float_of, image, pack, unpack
from veridict.services.face import plain_face
from veridict.services.usual import EVERYBODY, OWN, Middle, Usual, usual, usual_view

MODEL, OTHER = b"\1" * 32, b"\2" * 32
Row = tuple[str, Sequence[float]]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log.open(
        tmp_path / "log", signer=make_signer(), vault=make_vault(tmp_path / "log")
    ) as opened:
        yield opened


def _append(log: Log, rows: Sequence[Row], model_id: bytes = MODEL) -> int:
    """Predictions about these subjects with these features; the index behind them."""
    entries = []
    for number, (subject, features) in enumerate(rows, log.size):
        inputs = pack(image(np.array([features], dtype=np.float64)))
        request = Request(f"r{number}", subject, 1_700_000_000, b"{}")
        payload = Payload(request, bytes(32), inputs, bytes(32))
        record = PredictionRecord(
            Decision.HOLD, (NO_REASON,) * 3, number, 1_700_000_000_000, 1, model_id,
            commit(TAG_REQUEST, bytes(32), b"{}"), commit(TAG_INPUTS, bytes(32), inputs),
        )  # fmt: skip
        entries.append(Entry(record.encode(), payload))
    log.append(entries)
    return log.size


def _usual(log: Log, index: int, features: Sequence[int] = (0, 1)) -> list[Usual]:
    record = PredictionRecord.decode(log.body(index))
    payload = log.payload(index)
    assert payload is not None
    return usual(log, index, record, payload.request.subject, features)


def test_own_and_everybody_before_and_nothing_after(log: Log) -> None:
    rows: list[Row] = [
        ("ann", (10.0, 1.0)), ("bob", (500.0, math.nan)), ("ann", (30.0, math.nan)),
        ("ann", (20.0, 2.0)), ("ann", (9000.0, 7.0)), ("ann", (1.0, 1.0)),
    ]  # fmt: skip
    _append(log, rows)
    amount, other = _usual(log, 4)
    assert amount == Usual(Middle(20.0, 3), Middle(20.0, 4))  # lower of 20 and 30 for everybody
    assert other == Usual(Middle(1.0, 2), Middle(1.0, 2))  # missing values do not count
    assert _usual(log, 0) == [Usual(Middle(None, 0), Middle(None, 0))] * 2


def test_a_stranger_finds_the_same_in_the_payloads(log: Log) -> None:
    rng = np.random.default_rng(3)
    rows = [
        (f"s{rng.integers(4)}", (float(rng.normal()) * 10**5, float(rng.integers(3)) / 2))
        for _ in range(EVERYBODY + 150)
    ]
    size = _append(log, rows)
    for index in (1, 40, 200, EVERYBODY + 1, size - 1):
        seen = [(p.request.subject, unpack(p.inputs, 2)[0]) for p in log.payloads(0, index) if p]
        own = [values for subject, values in seen if subject == rows[index][0]][-OWN:]
        for feature, found in enumerate(_usual(log, index)):
            for middle, past in (
                (found.own, own),
                (found.everybody, [values for _, values in seen[-EVERYBODY:]]),
            ):
                ranked = sorted(float_of(int(values[feature])) for values in past)
                assert middle.rows == len(ranked)
                assert middle.value == (ranked[(len(ranked) - 1) // 2] if ranked else None)


def test_other_models_and_other_records_do_not_count(log: Log) -> None:
    _append(log, [("ann", (5.0, 5.0))], OTHER)
    log.append([Entry(b'{"kind":"none"}', None)])
    _append(log, [("ann", (7.0, 7.0)), ("ann", (8.0, 8.0))])
    assert _usual(log, 3, (0,)) == [Usual(Middle(7.0, 1), Middle(7.0, 1))]


def test_nobodys_rows_have_no_usual_of_their_own(log: Log) -> None:
    _append(log, [("", (5.0, 5.0)), ("", (6.0, 6.0))])
    assert _usual(log, 1, (0,)) == [Usual(Middle(None, 0), Middle(5.0, 1))]


def test_records_appended_later_change_nothing(log: Log) -> None:
    _append(log, [("ann", (float(n), 0.0)) for n in range(5)])
    before = _usual(log, 3)
    _append(log, [("ann", (1e9, 1e9))] * 40)
    assert _usual(log, 3) == before


def test_it_is_told_in_the_subjects_words() -> None:
    face = plain_face()
    known = usual_view(face, 0, Usual(Middle(120.5, 14), Middle(88.0, EVERYBODY)))
    assert known.text == "usually 120.5 for this subject (14 before), 88 for everybody"
    assert (known.own, known.own_rows, known.everybody) == ("120.5", 14, "88")
    many = usual_view(face, 0, Usual(Middle(1.0, OWN), Middle(2.0, 9)))
    assert many.text == f"usually 1 for this subject (last {OWN}), 2 for everybody"
    new = usual_view(face, 0, Usual(Middle(None, 0), Middle(2.0, 9)))
    assert new.text == "usually 2 for everybody"
    assert usual_view(face, 0, Usual(Middle(None, 0), Middle(None, 0))).text == ""
