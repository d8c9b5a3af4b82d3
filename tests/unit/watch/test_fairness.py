"""Rates and differences by group: equal to fairlearn's, to the last of six places."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)

from veridict.core.nouns import Policy
from veridict.solutions.finance.credit import EDUCATION, MARRIAGE, SEX, Credit
from veridict.solutions.finance.payments import Payments
from veridict.watch.fairness import Attribute, GroupRates, fairness
from veridict.watch.metrics import exact
from veridict.watch.stream import Table

POLICY = Policy(0, 10)
ROWS = 6000
CREDIT = Credit()


@pytest.fixture(scope="module")
def table() -> Table[Any]:
    return CREDIT.load().slice(0, ROWS)


def _scores(table: Table[Any]) -> Any:
    """Scores that know something of the label and of the sex, so that groups differ."""
    noise = np.random.default_rng(7).integers(-20, 20, len(table))
    return noise + 12 * table.labels.astype(np.int64) + 5 * (table.integers("sex") == 1) - 8


def _groups(table: Table[Any], attribute: str) -> list[str]:
    names: dict[str, tuple[str, dict[int, str]]] = {
        "sex": ("sex", SEX),
        "education": ("education", EDUCATION),
        "marriage": ("marriage", MARRIAGE),
    }
    column, words = names[attribute]
    return [words.get(code, "other") for code in table.integers(column).tolist()]


def _fairness(table: Table[Any], scores: Any) -> tuple[Attribute, ...]:
    groups = [CREDIT.groups(example.fields) for example in table.examples()]
    return fairness(groups, scores, table.labels, POLICY)


def _near(value: Decimal | None) -> Any:
    assert value is not None
    return pytest.approx(float(value), abs=5e-7 + 1e-12)


@pytest.mark.parametrize("name", ["sex", "education", "marriage"])
def test_every_rate_and_difference_is_fairlearns(table: Table[Any], name: str) -> None:
    scores, labels = _scores(table), table.labels
    attribute = next(a for a in _fairness(table, scores) if a.name == name)
    selected, members = (scores >= POLICY.review_at).astype(int), _groups(table, name)
    told = {"sensitive_features": members}
    by_group = MetricFrame(
        metrics={
            "selection": selection_rate,
            "true_positive": true_positive_rate,
            "false_positive": false_positive_rate,
        },
        y_true=labels, y_pred=selected, **told,
    ).by_group  # fmt: skip
    assert len(attribute.groups) == len(by_group) > 1
    for group in attribute.groups:
        for rate in by_group.columns:
            found = getattr(group, rate)
            theirs = by_group.loc[group.group.removeprefix(f"{name}: "), rate]
            assert theirs == _near(exact(found))
    parity = demographic_parity_difference(labels, selected, **told)
    odds = equalized_odds_difference(labels, selected, **told)
    assert parity == _near(attribute.demographic_parity_difference) != 0
    assert odds == _near(attribute.equalized_odds_difference) != 0


def test_attributes_partition_the_rows(table: Table[Any]) -> None:
    found = _fairness(table, _scores(table))
    assert [a.name for a in found] == ["age", "education", "marriage", "sex"]
    assert all(sum(group.rows for group in a.groups) == a.rows == ROWS for a in found)


def test_groups_that_overlap_are_not_held_against_each_other() -> None:
    scenario = Payments.amlsim()
    rows = scenario.load().slice(0, 500)
    groups = [scenario.groups(example.fields) for example in rows.examples()]
    assert {len(names) for names in groups} == {1, 2}
    assert fairness(groups, np.zeros(500, np.int64), rows.labels, POLICY) == ()


def test_rows_without_a_label_are_left_out(table: Table[Any]) -> None:
    hidden = table.slice(0, 100).unlabelled()
    assert _fairness(hidden, np.zeros(100, np.int64)) == ()


def test_a_group_without_events_has_no_say_in_their_rate() -> None:
    some = GroupRates("sex: a", rows=10, events=4, selected=3, selected_events=2)
    none = GroupRates("sex: b", rows=10, events=0, selected=1, selected_events=0)
    both = Attribute("sex", 20, (some, none))
    assert none.true_positive is None
    assert both.demographic_parity_difference == Decimal("0.200000")
    assert both.equalized_odds_difference == Decimal("0.066667")  # 1/6 - 1/10, the others' rate
