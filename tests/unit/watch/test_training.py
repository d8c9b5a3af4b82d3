"""Training: strictly by time, the same twice, and clear about streams it cannot learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from veridict.core.errors import BadInput
from veridict.core.nouns import SCORE_ONE
from veridict.core.progress import Step
from veridict.solutions.finance.payments import Payment, Payments
from veridict.watch.stream import Table
from veridict.watch.training import Size, Trained, raw_scores, split_by_time, train

ROWS = 12_000
SMALL = Size(trees=10, leaves=7)


@pytest.fixture(scope="module")
def table() -> Table[Payment]:
    return Payments.amlsim().load().slice(0, ROWS)


@pytest.fixture(scope="module")
def trained(table: Table[Payment]) -> Trained:
    return train(Payments.amlsim(), table, size=SMALL)


def relabelled(table: Table[Any], labels: list[int | None]) -> Table[Any]:
    at = table.rows.schema.get_field_index("label")
    field = table.rows.schema.field(at)
    return Table(table.rows.set_column(at, field, pa.array(labels, pa.int8())), table.shape)


def test_the_parts_follow_each_other_in_time(table: Table[Payment]) -> None:
    split = split_by_time(table)
    times_s = table.times_s
    assert 0 < split.train < split.test < split.rows == ROWS
    assert times_s[split.train - 1] < split.validation_starts_s == times_s[split.train]
    assert times_s[split.test - 1] < split.test_starts_s == times_s[split.test]
    assert abs(split.train / ROWS - 0.6) < 0.05
    assert abs(split.test / ROWS - 0.8) < 0.05


def test_the_same_data_and_seed_give_the_same_model(
    table: Table[Payment], trained: Trained
) -> None:
    again = train(Payments.amlsim(), table, size=SMALL)
    assert again.booster.model_to_string() == trained.booster.model_to_string()
    assert again.policy == trained.policy
    assert again.by_time == trained.by_time
    assert again.by_group == trained.by_group
    assert again.data_digest == trained.data_digest
    assert again.features_digest == trained.features_digest
    other = train(Payments.amlsim(), table, size=SMALL, seed=2)
    assert other.booster.model_to_string() != trained.booster.model_to_string()


def test_nothing_is_learnt_or_chosen_from_the_test_rows(
    table: Table[Payment], trained: Trained
) -> None:
    start = trained.split.test
    labels = table.labels.tolist()
    turned = relabelled(table, labels[:start] + [1 - label for label in labels[start:]])
    other = train(Payments.amlsim(), turned, size=SMALL)
    assert other.booster.model_to_string() == trained.booster.model_to_string()
    assert other.policy == trained.policy
    assert other.data_digest == trained.data_digest
    assert other.validation == trained.validation
    assert other.test != trained.test


def test_the_state_continues_where_the_live_replay_starts(
    table: Table[Payment], trained: Trained
) -> None:
    scenario = Payments.amlsim()
    live, whole = scenario.extractor(), scenario.extractor()
    live.restore(trained.state)
    start = trained.split.test
    expected = whole.batch(table)[start:]
    assert live.batch(table.slice(start, ROWS)).tobytes() == expected.tobytes()


def test_scores_are_the_boosters_raw_output_in_fixed_point(trained: Trained) -> None:
    features = trained.validation_features
    raw = np.asarray(trained.booster.predict(features, raw_score=True))
    scores = raw_scores(trained.booster, features)
    assert scores.tolist() == trained.validation_scores.tolist()
    assert np.abs(scores / SCORE_ONE - raw).max() <= 2.0**-33
    assert len(features) == trained.split.test - trained.split.train == trained.validation.rows


def test_counts_by_time_and_by_group_add_up(trained: Trained) -> None:
    assert sum(m.rows for m in trained.by_time) == trained.test.rows
    assert sum(m.held for m in trained.by_time) == trained.test.held
    bands = [m for m in trained.by_group if m.where != "amount: 100 and more"]
    assert sum(m.rows for m in bands) == trained.test.rows
    assert sum(m.events for m in bands) == trained.test.events


def test_progress_tells_features_and_training_to_their_end(table: Table[Payment]) -> None:
    steps: list[Step] = []
    train(Payments.amlsim(), table, size=SMALL, progress=steps.append)
    for title in ("features of payments", "training the model"):
        told = [step for step in steps if step.title == title]
        assert [step.done for step in told] == sorted(step.done for step in told)
        assert told[-1].finished


def test_rows_with_unknown_labels_are_left_out_of_the_fit(table: Table[Payment]) -> None:
    labels = [None if i % 3 else label for i, label in enumerate(table.labels.tolist())]
    found = train(Payments.amlsim(), relabelled(table, labels), size=SMALL)
    assert found.test.rows < found.split.rows - found.split.test


def test_streams_that_cannot_be_learnt_from_are_refused(table: Table[Payment]) -> None:
    scenario = Payments.amlsim()
    with pytest.raises(BadInput, match="too few"):
        train(scenario, table.slice(0, 100))
    with pytest.raises(BadInput, match="0 labelled rows"):
        train(scenario, table.unlabelled())
    with pytest.raises(BadInput, match="0 of them events"):
        train(scenario, relabelled(table, [0] * ROWS))
    at = table.rows.schema.get_field_index("time_s")
    same = pa.array([5] * ROWS)
    timeless = Table(table.rows.set_column(at, table.rows.schema.field(at), same), table.shape)
    with pytest.raises(BadInput, match="no earlier and later part"):
        train(scenario, timeless)
