"""Laws that hold for every scenario, and what is particular to payments and credit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from veridict.core.errors import BadInput, NotFound
from veridict.core.nouns import Decision
from veridict.solutions.finance.credit import Credit
from veridict.solutions.finance.payments import Payments
from veridict.solutions.roster import SCENARIOS, scenario_of, scenario_of_data
from veridict.watch.features.roster import chosen_sets
from veridict.watch.mapping import parse_mapping
from veridict.watch.scenario import Scenario

HEAD = 3000


@pytest.fixture(params=SCENARIOS, scope="module")
def scenario(request: pytest.FixtureRequest) -> Scenario[Any]:
    return scenario_of(request.param)


def test_it_says_what_it_is(scenario: Scenario[Any]) -> None:
    assert scenario.name in SCENARIOS
    assert scenario.title
    assert scenario.notices
    assert len({scenario.words.meaning(d) for d in Decision}) == 3
    assert scenario.costs.missed > scenario.costs.review < scenario.costs.held


def test_rows_come_in_order_with_unique_ids_and_both_labels(scenario: Scenario[Any]) -> None:
    table = scenario.load()
    assert len(table) >= 30_000
    assert (np.diff(table.times_s) >= 0).all()
    assert len(set(table.ids)) == len(table)
    assert set(table.labels.tolist()) == {0, 1}


def test_features_have_names_and_the_same_bits_in_any_batching(scenario: Scenario[Any]) -> None:
    table = scenario.load().slice(0, HEAD)
    whole = scenario.extractor().batch(table)
    pieces = scenario.extractor()
    parts = [pieces.batch(part) for part in table.batches(701)]
    assert whole.shape == (HEAD, len(scenario.feature_names))
    assert len(set(scenario.feature_names)) == len(scenario.feature_names)
    assert whole.dtype == np.float64
    assert whole.tobytes() == np.concatenate(parts).tobytes()
    assert not np.isinf(whole).any()


def test_the_labels_in_a_row_are_not_in_its_features(scenario: Scenario[Any]) -> None:
    table = scenario.load().slice(0, HEAD)
    blind = scenario.extractor().batch(table.unlabelled())
    assert scenario.extractor().batch(table).tobytes() == blind.tobytes()


def test_an_extractor_is_saved_and_restored(scenario: Scenario[Any]) -> None:
    table = scenario.load()
    first, second = scenario.extractor(), scenario.extractor()
    first.batch(table.slice(0, HEAD))
    second.restore(first.save())
    later = table.slice(HEAD, 2 * HEAD)
    assert first.batch(later).tobytes() == second.batch(later).tobytes()
    with pytest.raises(BadInput):
        second.restore(b"damaged")


def test_every_example_settles_belongs_to_groups_and_reads_well(scenario: Scenario[Any]) -> None:
    table = scenario.load().slice(0, HEAD)
    values = scenario.extractor().batch(table)[-1]
    for example in table.slice(0, 200).examples():
        settlement = scenario.settlement(example)
        assert settlement.payer
        assert settlement.payee
        assert settlement.amount_minor > 0
        assert scenario.groups(example.fields)
    for feature in range(len(scenario.feature_names)):
        for value in (float(values[feature]), math.nan, 0.0, -2.0, 1e9):
            text = scenario.reason_text(feature, value)
            assert text
            assert "nan" not in text
            assert "{" not in text


def test_small_transfers_of_the_shipped_payments_are_all_illicit_as_the_notice_says() -> None:
    scenario = Payments.amlsim()
    table = scenario.load()
    small = table.integers("amount_minor") < 10_000
    assert (table.labels[small] == 1).all()
    assert int((table.labels == 1).sum()) == 7885
    assert any("below 100" in notice for notice in scenario.notices)


def test_protected_attributes_of_applicants_are_not_features() -> None:
    scenario = Credit()
    assert not {"sex", "education", "marriage", "age"} & set(scenario.feature_names)
    rows = scenario.load().slice(0, 500)
    first = rows.example(0)
    kinds = {group.split(":")[0] for group in scenario.groups(first.fields)}
    assert kinds == {"sex", "education", "marriage", "age"}
    altered = rows.rows.set_column(4, "sex", rows.rows["age"])
    other = type(rows)(altered, rows.shape)
    assert scenario.extractor().batch(rows).tobytes() == scenario.extractor().batch(other).tobytes()


def test_a_value_alone_reads_as_in_its_sentence(scenario: Scenario[Any]) -> None:
    features = scenario.extractor().batch(scenario.load().slice(0, 200))
    for feature in range(features.shape[1]):
        for value in {*features[:, feature].tolist()[:20], 0.0, 1.0, 2.0} - {math.nan}:
            alone = scenario.value_text(feature, value)
            assert math.isnan(value) or alone in scenario.reason_text(feature, value)
        assert scenario.value_text(feature, math.nan) == "nothing"


@pytest.mark.parametrize("title", ["amlsim", "uci"])
def test_a_cards_data_lead_to_its_scenario(title: str) -> None:
    assert scenario_of_data(title).data_name == title
    with pytest.raises(BadInput, match="not here"):
        scenario_of_data("mine.csv")


def test_a_users_file_is_a_scenario(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("tx,at,from,to,value\n1,5,a,b,2.50\n")
    mapping = "id=tx,time=at,payer=from,payee=to,amount=value"
    scenario = scenario_of("payments", stream=path, mapping=parse_mapping(mapping))
    assert scenario.data_name == "mine.csv"
    assert scenario.load().example(0).fields.amount_minor == 250


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("lottery", {}, BadInput),
        ("payments", {"data": "uci"}, BadInput),
        ("payments", {"data": "fdh"}, NotFound),
        ("payments", {"data": "fdh", "data_root": Path("absent")}, NotFound),
        ("payments", {"data": "fdh", "stream": Path("x.csv")}, BadInput),
        ("payments", {"mapping": (("id", "tx"),)}, BadInput),
        ("payments", {"croissant": b"{}"}, BadInput),
        ("credit", {"stream": Path("x.csv")}, BadInput),
    ],
)
def test_what_cannot_be_opened_is_refused(
    name: str, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        scenario_of(name, **options)


@pytest.mark.parametrize("sets", [("payments",), ("habits",), ("payments", "habits", "graph")])
@pytest.mark.parametrize("delay_s", [None, 7 * 86_400])
def test_payments_are_told_by_the_sets_that_were_chosen(
    sets: tuple[str, ...], delay_s: int | None
) -> None:
    scenario = Payments("amlsim", None, sets=sets, label_delay_s=delay_s)
    extractor = scenario.extractor()
    assert tuple(f.name for f in extractor.features) == scenario.feature_names
    x = extractor.batch(scenario.load().slice(0, 50))
    assert x.shape == (50, len(scenario.feature_names))
    assert all(scenario.reason_text(n, 1.0) for n in range(len(scenario.feature_names)))


def test_an_unknown_feature_set_is_refused() -> None:
    with pytest.raises(BadInput, match="no feature set 'hobbies'"):
        chosen_sets(["hobbies"])
