"""Predictions of a shared log get their numbers where they are written."""

from __future__ import annotations

from veridict.core.nouns import Decision, PredictionRecord
from veridict.services.numbering import numbered


def prediction(sequence: int, time_ms: int) -> bytes:
    words = (bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32)
    return PredictionRecord(Decision.ALLOW, (0, 1, 2), sequence, time_ms, -5, *words).encode()


def read(bodies: list[bytes]) -> list[tuple[int, int]]:
    records = [PredictionRecord.decode(body) for body in bodies]
    return [(record.sequence, record.time_ms) for record in records]


def test_the_first_prediction_of_a_log_is_number_nought() -> None:
    assert read(numbered([prediction(9, 50), prediction(9, 60)], iter([b"{}"]))) == [
        (0, 50),
        (1, 60),
    ]


def test_numbers_go_on_from_the_last_prediction_and_times_do_not_go_back() -> None:
    earlier = iter([b'{"kind":"act"}', prediction(41, 70), prediction(40, 10)])
    made = numbered([prediction(0, 65), b"{}", prediction(0, 71), prediction(1, 70)], earlier)
    assert made[1] == b"{}"
    assert read([made[0], *made[2:]]) == [(42, 70), (43, 71), (44, 71)]
    assert next(earlier) == prediction(40, 10)  # no further back than need be


def test_all_else_of_a_prediction_stays() -> None:
    given = prediction(7, 70)
    assert numbered([given], iter([prediction(6, 70)])) == [given]


def test_where_no_prediction_is_written_the_log_is_not_asked() -> None:
    earlier = iter([prediction(6, 70)])
    assert numbered([b"{}", b"[]"], earlier) == [b"{}", b"[]"]
    assert next(earlier) == prediction(6, 70)
