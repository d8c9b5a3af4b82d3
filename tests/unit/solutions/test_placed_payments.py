"""A file that tells where payments are made is decided by places, too; another is not."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support.cli import run
from veridict.core.errors import BadStream
from veridict.solutions.finance.payments import Payments

HEAD = ["id", "time", "payer", "payee", "amount", "lat", "lon", "country", "label"]
MAPPING = (("latitude", "lat"), ("longitude", "lon"))
HOUR = 3600
PARIS, LYON, SYDNEY = ("48.8566", "2.3522"), ("45.764", "4.8357"), ("-33.8688", "151.2093")
RULES = """
rules:
  - name: impossible-travel
    when: travel_kmh > 900
    decide: hold
    because: "{travel_kmh:.0f} km/h from the last payment"
"""


def stream(path: Path, *, latitude: str | None = None) -> Path:
    told = [
        (0, PARIS, "FR"),
        (5 * HOUR, LYON, "FR"),
        (6 * HOUR, SYDNEY, "AU"),
        (30 * HOUR, LYON, ""),
    ]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEAD)
        for n, (time, place, where) in enumerate(told):
            row = [n, 1_700_000_000 + time, "ann", "shop", 20, *place, where, int(n == 2)]
            if latitude is not None:
                row[5] = latitude
            rows.writerow(row)
    return path


def test_impossible_travel_is_seen_in_a_users_file(tmp_path: Path) -> None:
    scenario = Payments.file(stream(tmp_path / "swipes.csv"), MAPPING)
    rows = scenario.load()
    x = scenario.extractor().batch(rows)
    speed = x[:, scenario.feature_names.index("travel_kmh")]
    assert x.shape == (4, len(scenario.feature_names))
    assert speed[1] < 130
    assert speed[2] > 10_000
    example = rows.example(2)
    assert scenario.shape.fields(example.request) == example.fields
    assert b'"latitude_e6":-33868800' in example.request.content
    assert scenario.summary(example.request) == "ann → shop  20.00"


def test_without_all_three_columns_there_are_no_places(tmp_path: Path) -> None:
    scenario = Payments.file(stream(tmp_path / "swipes.csv"))  # lat and lon are nobody's names
    assert "travel_kmh" not in scenario.feature_names
    assert b"latitude" not in scenario.load().example(0).request.content


@pytest.mark.parametrize("latitude", ["north", "999", ""])
def test_a_place_that_is_none_is_named_by_its_row(tmp_path: Path, latitude: str) -> None:
    scenario = Payments.file(stream(tmp_path / "swipes.csv", latitude=latitude), MAPPING)
    with pytest.raises(BadStream, match="row 1, column 'lat'"):
        scenario.load()


def test_rules_read_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stream(tmp_path / "swipes.csv")
    (tmp_path / "rules.yaml").write_text(RULES)
    assert run(capsys, "rules", "check", tmp_path / "rules.yaml").status == 0
    told = run(
        capsys, "rules", "test", tmp_path / "rules.yaml", "--stream", file,
        "--map", "latitude=lat,longitude=lon", "--json",
    )  # fmt: skip
    assert told.status == 0, told.out + told.err
    assert (told.json[0]["hits"], told.json[0]["events"]) == (1, 1)
