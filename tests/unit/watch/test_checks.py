"""Each trap, built into a file of its own, is found by its check; an honest file raises none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.random import Generator, default_rng

from veridict.core.errors import BadStream
from veridict.watch.checks.base import Severity, Suspicion
from veridict.watch.checks.roster import MODULES, check_file

DAY_S = 86_400
ROWS = 4000
Columns = dict[str, Any]


def honest(random: Generator) -> Columns:
    """A month of payments; frauds tend to be larger; labels of the last week are not known yet."""
    label = (random.random(ROWS) < 0.1).astype(float)
    times = np.sort(random.integers(1_700_000_000, 1_700_000_000 + 30 * DAY_S, ROWS))
    label[times > times[-1] - 7 * DAY_S] = np.nan
    return {
        "id": np.arange(ROWS),
        "time": times,
        "shop": np.array([f"s{n}" for n in random.integers(0, 40, ROWS)]),
        "amount": random.lognormal(3, 1, ROWS) * (1 + np.nan_to_num(label)),
        "label": label,
    }


def found(columns: Columns, tmp_path: Path, rises: tuple[str, ...] = ()) -> list[Suspicion]:
    file = tmp_path / "data.parquet"
    arrays = {n: pa.array(v, from_pandas=True) for n, v in columns.items()}
    pq.write_table(pa.table(arrays), file)
    return list(check_file(file, rises=rises))


def others_mean(columns: Columns, smooth: float) -> Any:
    """Leave-one-out: the mean label of a shop's other rows, drawn towards a half by `smooth`."""
    label, (_, shop) = columns["label"], np.unique(columns["shop"], return_inverse=True)
    known = np.nan_to_num(label)
    rows, events = np.bincount(shop, ~np.isnan(label)), np.bincount(shop, known)
    return (events[shop] - known + smooth / 2) / (rows[shop] - 1 + smooth)


def small_amounts_are_frauds(c: Columns, _: Generator) -> None:
    c["amount"] = np.where((c["label"] == 1) & (c["id"] % 2 == 0), c["id"] % 9, c["amount"] + 10)


def labels_known_at_once(c: Columns, _: Generator) -> None:
    c["label"] = np.nan_to_num(c["label"])


def an_outcome_among_the_columns(c: Columns, random: Generator) -> None:
    c["refunded"] = np.nan_to_num(c["label"]) + 0.01 * random.random(ROWS)


def sorted_by_label(c: Columns, _: Generator) -> None:
    order = np.argsort(np.nan_to_num(c["label"]), kind="stable")
    c.update({name: values[order] for name, values in c.items()})


def leave_one_out(c: Columns, _: Generator) -> None:
    c["shop_risk"] = others_mean(c, 0.0)


def leave_one_out_smoothed(c: Columns, _: Generator) -> None:
    c["shop_risk"] = others_mean(c, 10.0)


def the_whole_files_mean(c: Columns, _: Generator) -> None:
    known = ~np.isnan(c["label"])
    shop = np.unique(c["shop"], return_inverse=True)[1]
    mean = np.bincount(shop[known], c["label"][known]) / np.bincount(shop[known])
    c["shop_risk"] = mean[shop]


def tomorrows_amount(c: Columns, _: Generator) -> None:
    c["expected"] = np.append(c["amount"][2:], [np.nan, np.nan])


def repeated_ids(c: Columns, _: Generator) -> None:
    c["id"][-1] = c["id"][0]


def repeated_rows(c: Columns, _: Generator) -> None:
    again = np.append(np.arange(ROWS), np.arange(ROWS - 50, ROWS))
    c.update({name: values[again] for name, values in c.items() if name != "id"})
    c["id"] = np.arange(len(again))


def a_random_split(c: Columns, random: Generator) -> None:
    c["split"] = np.where(random.random(ROWS) < 0.8, "train", "test")


def no_time(c: Columns, _: Generator) -> None:
    del c["time"]


def time_that_falls(c: Columns, random: Generator) -> None:
    c["time"] = random.permutation(c["time"])


def milliseconds(c: Columns, _: Generator) -> None:
    c["time"] = c["time"] * 1000


def whole_days(c: Columns, _: Generator) -> None:
    c["time"] = c["time"] // DAY_S * DAY_S


def an_inverted_label(c: Columns, _: Generator) -> None:
    c["label"] = 1 - c["label"]


def zeros_for_no_value(c: Columns, random: Generator) -> None:
    c["limit"] = np.where(c["id"] % 400 == 7, 0.0, random.normal(30_000_000, 1000, ROWS))


def a_gap(c: Columns, random: Generator) -> None:
    c["limit"] = np.where(c["id"] // 100 == 3, np.nan, random.normal(0, 1, ROWS))


def blocks(c: Columns, random: Generator) -> None:
    fee, used = [10**9], random.integers(0, 30_000_000, ROWS)
    for gas in used[:-1].tolist():
        change = fee[-1] * abs(gas - 15_000_000) // 15_000_000 // 8
        fee.append(fee[-1] + (max(change, 1) if gas > 15_000_000 else -change))
    limit = np.full(ROWS, 30_000_000)
    limit[-3:] = 0
    c |= {"base_fee_wei": np.array(fee), "gas_used": used, "gas_limit": limit}


TRAPS: tuple[tuple[Callable[[Columns, Generator], None], str, str], ...] = (
    (small_amounts_are_frauds, "revealing", "amount"),
    (an_outcome_among_the_columns, "revealing", "refunded"),
    (sorted_by_label, "revealing", "(the row's number)"),
    (leave_one_out, "encodings", "shop_risk"),
    (leave_one_out_smoothed, "encodings", "shop_risk"),
    (the_whole_files_mean, "encodings", "shop_risk"),
    (tomorrows_amount, "look-ahead", "expected"),
    (repeated_ids, "duplicates", "id"),
    (repeated_rows, "duplicates", ""),
    (labels_known_at_once, "timing", "label"),
    (a_random_split, "timing", "split"),
    (no_time, "timing", ""),
    (time_that_falls, "timing", "time"),
    (milliseconds, "timing", "time"),
    (whole_days, "timing", "time"),
    (an_inverted_label, "direction", "label"),
    (zeros_for_no_value, "missing", "limit"),
    (a_gap, "missing", "limit"),
    (blocks, "blocks", "base_fee_wei"),
    (blocks, "blocks", "gas_limit"),
)


@pytest.mark.parametrize(
    ("trap", "check", "column"), TRAPS, ids=[f"{t.__name__}-{c}" for t, _, c in TRAPS]
)
def test_a_trap_is_found(
    trap: Callable[[Columns, Generator], None], check: str, column: str, tmp_path: Path
) -> None:
    random = default_rng(5)
    columns = honest(random)
    trap(columns, random)
    assert (check, column) in {(s.check, s.column) for s in found(columns, tmp_path)}


@pytest.mark.parametrize("seed", range(4))
def test_an_honest_file_raises_nothing_but_its_unknown_labels(seed: int, tmp_path: Path) -> None:
    said = found(honest(default_rng(seed)), tmp_path)
    assert [(s.check, s.column, s.severity) for s in said] == [("missing", "label", Severity.WARN)]


def test_what_rises_with_the_event_tells_a_turned_label(tmp_path: Path) -> None:
    columns = honest(default_rng(1))
    assert not [s for s in found(columns, tmp_path, ("amount",)) if s.check == "direction"]
    columns["label"] = 1 - columns["label"]
    leaks = [s for s in found(columns, tmp_path, ("amount",)) if s.severity is Severity.LEAK]
    assert [(s.check, s.column) for s in leaks] == [("direction", "label")]


def test_every_check_tells_what_it_looks_for_and_what_to_do(tmp_path: Path) -> None:
    checks = {trap[1] for trap in TRAPS}
    assert {module.NAME for module in MODULES} == checks
    assert all(len((module.__doc__ or "").splitlines()) > 2 for module in MODULES if module.NAME
               != "missing")  # fmt: skip
    columns = honest(default_rng(2))
    leave_one_out(columns, default_rng(2))
    assert all(s.what and s.remedy for s in found(columns, tmp_path))


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    found(honest(default_rng(0)), tmp_path)
    with pytest.raises(BadStream, match="no column 'lable'"):
        check_file(tmp_path / "data.parquet", (("label", "lable"),))
    (tmp_path / "no.csv").write_text("")
    with pytest.raises(BadStream, match="cannot be read"):
        check_file(tmp_path / "no.csv")
