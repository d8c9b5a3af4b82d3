"""The board: what the log's records add up to, the same at opening as live."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.told import opened, told_copy
from veridict.core.nouns import SCORE_ONE, Decision, PredictionRecord
from veridict.services.board import Board, probability
from veridict.services.records import ActRecord, LogRecord, OutcomesRecord, decode

ZERO = bytes(32)


def prediction(sequence: int, decision: Decision, *, time_ms: int = 0) -> PredictionRecord:
    score = (decision - 1) * SCORE_ONE
    return PredictionRecord(decision, (0, 0, 0), sequence, time_ms, score, ZERO, ZERO, ZERO)


def act(index: int, what: str) -> ActRecord:
    return ActRecord(what, index, "00" * 32, None, None, 0)  # type: ignore[arg-type]


def board_of(*records: LogRecord) -> Board:
    board = Board()
    for index, record in enumerate(records):
        board.see(index, record)
    return board


A, R, H = Decision.ALLOW, Decision.REVIEW, Decision.HOLD


def test_counts_and_cases() -> None:
    board = board_of(prediction(0, A), prediction(1, R), prediction(2, H), prediction(3, A))
    assert board.predictions == 4
    assert board.counts == {A: 2, R: 1, H: 1}
    assert list(board.cases) == [1, 2]
    assert board.open_cases == 2


def test_a_decided_case_is_closed() -> None:
    board = board_of(prediction(0, R), prediction(1, H), act(0, "release"), act(1, "confirm"))
    assert [case.status for case in board.cases.values()] == ["released", "confirmed"]
    assert board.open_cases == 0


def test_an_act_on_no_case_changes_nothing() -> None:
    board = board_of(prediction(0, A), act(0, "release"), act(99, "confirm"))
    assert board.cases == {}


@pytest.mark.parametrize(
    ("spans", "positives", "expected"),
    [
        ([(0, 3)], [1], (4, 1, 2, 0.5, 1.0)),  # two flagged, one of them rightly
        ([(0, 3)], [], (4, 0, 2, 0.0, None)),
        ([(0, 0), (3, 3)], [3], (2, 1, 0, None, 0.0)),  # nothing flagged, one missed
        ([], [], (0, 0, 0, None, None)),
    ],
)
def test_precision_and_recall(
    spans: list[tuple[int, int]],
    positives: list[int],
    expected: tuple[int, int, int, float | None, float | None],
) -> None:
    outcomes = OutcomesRecord("day", 7, spans, positives, 0)
    board = board_of(
        prediction(0, A), prediction(1, R), prediction(2, H), prediction(3, A), outcomes
    )
    (point,) = board.quality()
    assert (point.label, point.time_s) == ("day", 7)
    found = (point.predictions, point.positives, point.flagged, point.precision, point.recall)
    assert found == expected


def test_rate_counts_whole_seconds() -> None:
    board = board_of(*(prediction(n, A, time_ms=1_000 + 100 * n) for n in range(15)))
    assert [(point.time_ms, point.per_s) for point in board.throughput()] == [(1000, 10), (2000, 5)]
    assert board.rate(2_999) == 10
    assert board.rate(3_000) == 5
    assert board.rate(9_000) == 0


def test_every_prediction_is_in_one_bin() -> None:
    far = [replace(prediction(n, A), score=score) for n, score in enumerate((-(2**63), 2**63 - 1))]
    board = board_of(*far, prediction(2, R), prediction(3, H))
    shown = board.scores()
    assert (sum(shown.allow), sum(shown.review), sum(shown.hold)) == (2, 1, 1)
    assert len(shown.edges) == len(shown.allow) + 1


def test_a_bin_holds_the_probabilities_between_its_edges() -> None:
    for score in range(-8 * SCORE_ONE, 8 * SCORE_ONE, SCORE_ONE // 7):
        shown = board_of(replace(prediction(0, A), score=score)).scores()
        (number,) = [number for number, count in enumerate(shown.allow) if count]
        assert number == int(probability(score) * len(shown.allow))


def test_the_fold_is_the_same_at_opening_as_live(tmp_path: Path) -> None:
    with opened(told_copy(tmp_path / "home")) as node:
        again = board_of(*(decode(body) for body in node.log.bodies()))
        assert again.counts == node.board.counts
        assert again.cases == node.board.cases
        assert again.quality() == node.board.quality()
        assert again.scores() == node.board.scores()
