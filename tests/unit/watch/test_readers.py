"""Readers: what is good is read the same from CSV and Parquet; what is bad is named."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from veridict.core.errors import BadStream, NotFound
from veridict.solutions.finance.payments import CARD_COLUMNS, COLUMNS, SHAPE
from veridict.watch.mapping import parse_mapping
from veridict.watch.readers import read_rows

HEADER = "id,time,payer,payee,amount,label"
GOOD = [HEADER, "t1,100,ann,bob,12.50,0", "t2,100,bob,cy,0.01,1", "t3,160,cy,ann,99,"]


def write(folder: Path, lines: list[str], name: str = "payments.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def read(path: Path, mapping: str = "") -> pa.Table:
    return read_rows(path, COLUMNS, parse_mapping(mapping), SHAPE.schema)


def test_good_rows_are_read_in_the_normal_form(tmp_path: Path) -> None:
    assert read(write(tmp_path, GOOD)).to_pydict() == {
        "id": ["t1", "t2", "t3"],
        "time_s": [100, 100, 160],
        "label": [0, 1, None],
        "payer": ["ann", "bob", "cy"],
        "payee": ["bob", "cy", "ann"],
        "amount_minor": [1250, 1, 9900],
    }


def test_parquet_numbers_timestamps_and_dictionaries_give_the_same_rows(tmp_path: Path) -> None:
    table = pa.table(
        {
            "tx": pa.array([1, 2], pa.int32()),
            "at": pa.array([100_000, 160_000], pa.timestamp("ms")),
            "from": pa.array(["ann", "bob"]).dictionary_encode(),
            "to": pa.array([7, 8], pa.int64()),
            "cents": pa.array([1250, 99], pa.int32()),
            "bad": pa.array([True, False]),
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    mapping = "id=tx,time=at,payer=from,payee=to,amount_minor=cents,label=bad"
    assert read(tmp_path / "rows.parquet", mapping).to_pydict() == {
        "id": ["1", "2"],
        "time_s": [100, 160],
        "label": [1, 0],
        "payer": ["ann", "bob"],
        "payee": ["7", "8"],
        "amount_minor": [1250, 99],
    }


def test_a_mapping_takes_the_users_names_and_written_timestamps(tmp_path: Path) -> None:
    path = write(tmp_path, ["tx,ts,customer,terminal,value", "9,2024-01-31T12:00:00,a,b,1.25"])
    rows = read(path, "id=tx, time=ts, payer=customer, payee=terminal, amount=value")
    assert rows.to_pylist() == [
        {"id": "9", "time_s": 1_706_702_400, "label": None, "payer": "a", "payee": "b",
         "amount_minor": 125}
    ]  # fmt: skip


def test_a_compressed_csv_is_read(tmp_path: Path) -> None:
    path = tmp_path / "payments.csv.gz"
    path.write_bytes(gzip.compress(("\n".join(GOOD) + "\n").encode()))
    assert read(path).num_rows == 3


def test_many_batches_are_one_stream_and_rows_are_counted_through(tmp_path: Path) -> None:
    lines = [HEADER, *(f"t{i},{i},a{i % 10},b,1.00,0" for i in range(200_000))]
    assert read(write(tmp_path, lines)).num_rows == 200_000
    lines[150_001] = "t150000,149000,a,b,1.00,0"
    with pytest.raises(BadStream, match="earlier") as caught:
        read(write(tmp_path, lines))
    assert caught.value.facts["row"] == 150_001


@dataclass(frozen=True)
class Defect:
    """`row` 3 of the good file replaced by `line`: what is said, and where."""

    line: str
    says: str
    column: str | None
    remedy: str
    row: int = 3


DEFECTS = {
    "time-falls": Defect("t3,99,cy,ann,1,0", "earlier than in the row above", "time", "sort"),
    "time-text": Defect("t3,noon,cy,ann,1,0", "'noon' is not seconds", "time", "all times alike"),
    "time-milliseconds": Defect(
        "t3,1700000000000,cy,ann,1,0", "absurd time", "time", "not milliseconds"
    ),
    "time-fraction": Defect("t3,100.5,cy,ann,1,0", "not a whole second", "time", "round"),
    "time-negative": Defect("t3,-5,cy,ann,1,0", "before 1970", "time", "since 1970"),
    "time-missing": Defect("t3,,cy,ann,1,0", "it is empty", "time", "fill it in"),
    "amount-nan": Defect("t3,160,cy,ann,nan,0", "not a finite number", "amount", "mend"),
    "amount-infinite": Defect("t3,160,cy,ann,inf,0", "not a finite number", "amount", "mend"),
    "amount-text": Defect("t3,160,cy,ann,much,0", "'much' is not a number", "amount", "12.50"),
    "amount-thousands": Defect('t3,160,cy,ann,"1,000",0', "'1,000' is not", "amount", "12.50"),
    "amount-negative": Defect("t3,160,cy,ann,-4,0", "-4 is negative", "amount", "refund"),
    "amount-zero": Defect("t3,160,cy,ann,0,0", "0 is no amount", "amount", "remove"),
    "amount-absurd": Defect("t3,160,cy,ann,1e15,0", "absurd amount", "amount", "unit"),
    "amount-missing": Defect("t3,160,cy,ann,,0", "it is empty", "amount", "fill it in"),
    "id-repeated": Defect("t1,160,cy,ann,1,0", "already used in row 1", "id", "unique"),
    "id-missing": Defect(",160,cy,ann,1,0", "it is empty", "id", "fill it in"),
    "payer-missing": Defect("t3,160,,ann,1,0", "it is empty", "payer", "fill it in"),
    "payee-endless": Defect(f"t3,160,cy,{'x' * 300},1,0", "longer than 256", "payee", "shorter"),
    "label-other": Defect("t3,160,cy,ann,1,2", "2 is no label", "label", "use 1 for"),
    "label-text": Defect("t3,160,cy,ann,1,yes", "'yes' is not a number", "label", "write"),
    "row-cut": Defect("t3,160,cy", "3 fields instead of 6", None, "get the file again"),
    "row-too-long": Defect("t3,160,cy,ann,1,0,9", "7 fields instead of 6", None, "stray commas"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_named_with_file_row_column_and_what_to_do(tmp_path: Path, name: str) -> None:
    defect = DEFECTS[name]
    with pytest.raises(BadStream) as caught:
        read(write(tmp_path, [*GOOD[:3], defect.line]))
    error = caught.value
    assert defect.says in error.message
    assert error.message.startswith("payments.csv")
    assert defect.remedy in error.remedy
    assert error.facts["file"] == "payments.csv"
    assert error.facts["row"] == defect.row
    assert error.facts.get("column") == defect.column


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    path = write(tmp_path, ["id,time,payer,to,amount", "1,2,a,b,3"])
    with pytest.raises(BadStream, match="no column 'payee'") as caught:
        read(path)
    assert "--map payee=<one of id, time, payer, to, amount>" in caught.value.remedy


def test_a_mapping_to_an_absent_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadStream, match="no column 'wert'"):
        read(write(tmp_path, GOOD), "amount=wert")


def test_an_unknown_mapping_key_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadStream, match="unknown mapping key 'sum'") as caught:
        read(write(tmp_path, GOOD), "sum=amount")
    assert "amount_minor" in caught.value.remedy


@pytest.mark.parametrize(
    "written", ["2024-01-31T12:00:00Z", "2024-01-31 13:00:00+01:00", "2024-01-31 12:00:00.75"]
)
def test_timestamps_with_zones_and_fractions_are_whole_seconds(
    tmp_path: Path, written: str
) -> None:
    rows = read(write(tmp_path, [HEADER, f"t1,{written},ann,bob, 5 ,0"]))
    assert rows["time_s"].to_pylist() == [1_706_702_400]
    assert rows["amount_minor"].to_pylist() == [500]


def test_a_column_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, ["id,time,payer,payee,amount,amount", "1,2,a,b,3,4"])
    with pytest.raises(BadStream, match="several columns 'amount'"):
        read(path)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_another_separator_is_named(tmp_path: Path, mark: str) -> None:
    with pytest.raises(BadStream, match="separated by") as caught:
        read(write(tmp_path, [line.replace(",", mark) for line in GOOD]))
    assert "commas" in caught.value.remedy


def test_a_windows_file_with_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "payments.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(GOOD).encode())
    assert read(path).num_rows == 3


def test_a_compressed_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "payments.csv.gz"
    lines = [HEADER, *(f"t{i},{i},a{i % 97},b{i % 89},{i}.25,0" for i in range(1, 20_000))]
    data = gzip.compress("\n".join(lines).encode())
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(BadStream, match="cannot be read"):
        read(path)


def test_bytes_that_are_no_table_are_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.csv").write_bytes(bytes(range(256)) * 50)
    with pytest.raises(BadStream):
        read(tmp_path / "noise.csv")


def test_a_field_mapped_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadStream, match="mapped twice"):
        read(write(tmp_path, GOOD), "amount=amount,amount_minor=time")


@pytest.mark.parametrize("text", ["amount", "=x", "amount=", "a=b=,c"])
def test_a_malformed_mapping_is_refused(text: str) -> None:
    if text == "a=b=,c":
        assert parse_mapping("a=b") == (("a", "b"),)
    with pytest.raises(BadStream, match="not key=column"):
        parse_mapping(text)


@pytest.mark.parametrize("name", ["nothing.csv", "nothing.parquet"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(BadStream, match="is empty"):
        read(tmp_path / name)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadStream, match="has no rows"):
        read(write(tmp_path, [HEADER]))


def test_an_absent_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file"):
        read(tmp_path / "absent.csv")


def test_another_encoding_is_refused_with_the_right_one_named(tmp_path: Path) -> None:
    path = tmp_path / "payments.csv"
    path.write_bytes("\n".join([*GOOD, "t4,170,zoë,ann,1,0\n"]).encode("latin-1"))
    with pytest.raises(BadStream) as caught:
        read(path)
    assert "UTF-8" in caught.value.remedy


def _parquet(folder: Path) -> Path:
    columns = {"id": [f"t{i}" for i in range(5000)], "time": list(range(5000))}
    columns |= {"payer": ["a"] * 5000, "payee": ["b"] * 5000, "amount": [1.5] * 5000}
    pq.write_table(pa.table(columns), folder / "rows.parquet")
    return folder / "rows.parquet"


def test_a_parquet_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = _parquet(tmp_path)
    data = path.read_bytes()
    for size in (4, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(BadStream, match="cannot be read") as caught:
            read(path)
        assert "get it again" in caught.value.remedy


def test_a_parquet_file_with_damaged_pages_is_refused(tmp_path: Path) -> None:
    path = _parquet(tmp_path)
    data = bytearray(path.read_bytes())
    data[8:2000] = bytes(1992)
    path.write_bytes(bytes(data))
    with pytest.raises(BadStream):
        read(path)


def test_a_parquet_column_of_the_wrong_kind_is_refused(tmp_path: Path) -> None:
    columns = {"id": ["t1"], "time": [1], "payer": ["a"], "payee": ["b"], "amount": [[1.5]]}
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    with pytest.raises(BadStream, match="is not a number"):
        read(tmp_path / "rows.parquet")


def test_cards_may_be_checked_with_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, [HEADER, "t1,100,ann,bob,0,0"])
    rows = read_rows(path, CARD_COLUMNS, (), SHAPE.schema)
    assert rows["amount_minor"].to_pylist() == [0]
