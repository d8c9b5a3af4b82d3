"""Bad input, through the command line: a clear error, what to do, and nothing recorded is lost."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from tests.support.cli import Ran, run
from tests.support.missing import missing
from tests.support.payment_files import HEADER, payment_lines, write_stream
from tests.support.told import opened, told_copy
from veridict.chain.embedded import EmbeddedChain

Capture = pytest.CaptureFixture[str]
GOOD = payment_lines(40, prefix="good")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is recorded here must survive everything below."""
    return told_copy(tmp_path_factory.mktemp("told") / "home")


@contextmanager
def nothing_changes(home: Path) -> Iterator[None]:
    with opened(home) as node:
        before = node.log.size, node.log.root()
    yield
    with opened(home) as node:
        assert (node.log.size, node.log.root()) == before


def clear(told: Ran, status: int, error: str) -> str:
    """The message and the remedy of an error that says all that it must."""
    assert told.status == status, told
    assert told.json["error"] == error, told
    assert len(told.json["message"]) > 15
    assert len(told.json["remedy"]) > 10
    assert isinstance(told.json["facts"], dict)
    return str(told.json["message"]) + " / " + str(told.json["remedy"])


def audits_clean(capsys: Capture, home: Path, *options: str) -> None:
    assert run(capsys, "audit", "--home", home, "--json", *options).status == 0


# -- streams ---------------------------------------------------------------------------------


def changed(row: int, **columns: str) -> list[str]:
    """GOOD with some columns of one row (from 1) written otherwise."""
    names = HEADER.split(",")
    cells = GOOD[row - 1].split(",")
    for name, value in columns.items():
        cells[names.index(name)] = value
    return [*GOOD[: row - 1], ",".join(cells), *GOOD[row:]]


def without(column: str, target: Path) -> Path:
    table = csv.read_csv(write_stream(target, GOOD)).drop([column])
    csv.write_csv(table, target)
    return target


def cut_short(target: Path) -> Path:
    whole = write_stream(target, GOOD).read_bytes()
    target.write_bytes(whole[: len(whole) - 20])
    return target


def cut_parquet(target: Path) -> Path:
    path = target.with_suffix(".parquet")
    parquet.write_table(pa.table({"id": [str(n) for n in range(1000)]}), path)
    path.write_bytes(path.read_bytes()[:-100])
    return path


def rewritten(row: int, **columns: str) -> Callable[[Path], Path]:
    return lambda target: write_stream(target, changed(row, **columns))


def raw(target: Path, content: bytes) -> Path:
    target.write_bytes(content)
    return target


@dataclass(frozen=True, slots=True)
class BadFile:
    """`says` must stand in the message or the remedy."""

    name: str
    says: tuple[str, ...]
    write: Callable[[Path], Path]

    def __post_init__(self) -> None:
        assert self.says, f"{self.name}: what must the error say?"


BAD_FILES = (
    BadFile("no amount column", ("amount", "--map"), lambda t: without("amount", t)),
    BadFile("no time column", ("time", "--map"), lambda t: without("time", t)),
    BadFile("no id column", ("'id'", "--map"), lambda t: without("id", t)),
    BadFile("unsorted", ("row 9", "earlier", "sort"), rewritten(9, time="1")),
    BadFile("NaN amount", ("row 7", "nan"), rewritten(7, amount="nan")),
    BadFile("no amount", ("row 7", "amount"), rewritten(7, amount="")),
    BadFile("infinite", ("row 7", "inf"), rewritten(7, amount="inf")),
    BadFile("negative", ("row 3", "negative"), rewritten(3, amount="-5")),
    BadFile("text", ("row 3", "a lot"), rewritten(3, amount="a lot")),
    BadFile("repeated id", ("row 5", "good0", "unique"), rewritten(5, id="good0")),
    BadFile("odd label", ("row 4", "label"), rewritten(4, label="2")),
    BadFile("milliseconds", ("row 40", "seconds"), rewritten(40, time="1700000000000")),
    BadFile("truncated CSV", ("row",), cut_short),
    BadFile("truncated Parquet", ("Parquet",), cut_parquet),
    BadFile("empty", ("empty",), lambda t: raw(t, b"")),
    BadFile("only a header", ("no rows",), lambda t: raw(t, f"{HEADER}\n".encode())),
    BadFile("binary", ("columns",), lambda t: raw(t, bytes(range(256)) * 8)),
)  # fmt: skip


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.name)
def test_a_bad_stream(capsys: Capture, home: Path, tmp_path: Path, bad: BadFile) -> None:
    path = bad.write(tmp_path / "stream.csv")
    with nothing_changes(home):
        told = run(capsys, "watch", "--stream", path, "--home", home, "--json")
    text = clear(told, 2, "stream.bad")
    assert all(word in text for word in bad.says), text
    assert path.name in text


def test_a_bad_stream_for_people(capsys: Capture, home: Path, tmp_path: Path) -> None:
    path = write_stream(tmp_path / "stream.csv", changed(3, amount="-5"))
    shown = run(capsys, "watch", "--stream", path, "--home", home)
    assert shown.status == 2
    assert "Traceback" not in shown.err
    assert "what to do: book a refund" in shown.err


def test_the_demo_on_too_few_rows(capsys: Capture, tmp_path: Path) -> None:
    path = write_stream(tmp_path / "short.csv", GOOD)
    told = run(capsys, "demo", "--stream", path, "--home", tmp_path / "home", "--json")
    clear(told, 2, "input.bad")


def test_a_mapping_that_names_nothing(capsys: Capture, home: Path, tmp_path: Path) -> None:
    path = write_stream(tmp_path / "stream.csv", GOOD)
    for mapping in ("amount=value", "price=amount", "amount"):
        told = run(capsys, "watch", "--stream", path, "--map", mapping, "--home", home, "--json")
        clear(told, 2, "stream.bad")


def test_another_scenario_than_the_model_s(capsys: Capture, home: Path) -> None:
    with nothing_changes(home):
        told = run(capsys, "watch", "--scenario", "credit", "--home", home, "--json")
    clear(told, 2, "input.bad")


def test_feature_rows_that_do_not_fit(capsys: Capture, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with nothing_changes(home):
        for content in (b"", b"id,amount\n", b"id,amount\nx,much\n", b"id,other\nx,1\n"):
            path.write_bytes(content)
            told = run(capsys, "predict", path, "--home", home, "--json")
            clear(told, 2, "stream.bad")


# -- models ----------------------------------------------------------------------------------


def with_linear_leaves(path: Path) -> Path:
    """A model whose leaves are formulas over floats: no integers give the same bits."""
    chance = np.random.default_rng(1)
    x = chance.normal(size=(400, 2))
    y = (x[:, 0] > 0).astype(float)
    settings = {
        "objective": "binary", "linear_tree": True, "verbose": -1, "min_data_in_leaf": 5,
        "num_leaves": 4, "num_threads": 1,
    }  # fmt: skip
    rows = lightgbm.Dataset(x, y, params={"linear_tree": True, "verbose": -1})
    lightgbm.train(settings, rows, num_boost_round=3).save_model(path)
    return path


def test_an_unsupported_model(capsys: Capture, tmp_path: Path) -> None:
    path = with_linear_leaves(tmp_path / "model.txt")
    told = run(capsys, "model", "compile", path, "--json")
    assert "linear" in clear(told, 2, "model.unsupported")
    assert not list(tmp_path.glob("*.vdm"))


@pytest.mark.parametrize("content", [b"", b"not a model\n", b"tree\nversion=v4\n", bytes(500)])
def test_a_file_that_is_no_model(capsys: Capture, tmp_path: Path, content: bytes) -> None:
    path = raw(tmp_path / "model.txt", content)
    told = run(capsys, "model", "compile", path, "--json")
    assert told.status == 2
    assert told.json["error"] in ("input.bad", "model.unsupported")


def test_registering_what_is_no_model(capsys: Capture, home: Path, tmp_path: Path) -> None:
    path = raw(tmp_path / "model.vdm", b"nothing")
    with nothing_changes(home):
        clear(run(capsys, "model", "register", path, "--home", home, "--json"), 2, "not-found")
        raw(tmp_path / "model.annex", b"nothing")
        raw(tmp_path / "card.json", b"{}")
        told = run(capsys, "model", "register", path, "--home", home, "--json")
        clear(told, 2, "model.bad-bytes")


# -- chains ----------------------------------------------------------------------------------

OPENING = (["chain", "anchor"], ["chain", "status"], ["audit"])


@pytest.mark.parametrize("command", OPENING, ids=" ".join)
def test_a_wrong_chain_id(capsys: Capture, home: Path, tmp_path: Path, command: list[str]) -> None:
    with EmbeddedChain.open(tmp_path / "chain", chain_id=4242, genesis_accounts={}) as other:
        told = run(capsys, *command, "--home", home, "--rpc", other.serve(), "--json")
    text = clear(told, 3, "chain.wrong")
    assert "4242" in text
    assert "--home" in text
    audits_clean(capsys, home)


def test_another_chain_of_the_same_id(capsys: Capture, home: Path, tmp_path: Path) -> None:
    with opened(home) as node:
        chain_id = node.network.addresses.chain_id
    with EmbeddedChain.open(tmp_path / "chain", chain_id=chain_id, genesis_accounts={}) as other:
        told = run(capsys, "audit", "--home", home, "--rpc", other.serve(), "--json")
    assert "no contract stands" in clear(told, 3, "chain.wrong")


@pytest.mark.parametrize("command", OPENING, ids=" ".join)
def test_a_chain_that_does_not_answer(capsys: Capture, home: Path, command: list[str]) -> None:
    told = run(capsys, *command, "--home", home, "--rpc", "http://127.0.0.1:9", "--json")
    assert "nothing recorded is lost" in clear(told, 3, "chain.unavailable")
    audits_clean(capsys, home)


def test_an_rpc_that_is_no_url(capsys: Capture, home: Path) -> None:
    for url in ("ftp://somewhere", "localhost:8545", "http://", "not a url"):
        clear(run(capsys, "audit", "--home", home, "--rpc", url, "--json"), 2, "input.bad")


def test_an_operator_without_money(capsys: Capture, tmp_path: Path) -> None:
    with EmbeddedChain.open(tmp_path / "chain", chain_id=4242, genesis_accounts={}) as chain:
        told = run(
            capsys, "chain", "anchor", "--home", tmp_path / "new", "--rpc", chain.serve(), "--json"
        )
    assert "send it at least" in clear(told, 3, "chain.no-funds")


# -- disks -----------------------------------------------------------------------------------


@contextmanager
def small_disk(directory: Path) -> Iterator[Callable[[], None]]:
    """`directory` on a file system with hardly any room; the value makes room."""
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(directory)]
    with suppress(FileNotFoundError):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            try:
                ballast = directory / "ballast"
                told_copy(directory / "home")
                with suppress(OSError), ballast.open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))
                room = 400_000
                with ballast.open("r+b") as file:
                    file.truncate(ballast.stat().st_size - room)
                yield ballast.unlink
            finally:
                subprocess.run(["umount", str(directory)], check=True)
            return
    missing("the right to mount", "run the tests as root")


@contextmanager
def no_growing(directory: Path) -> Iterator[Callable[[], None]]:
    """Files in `directory` (and anywhere) may not grow beyond what the log takes now."""
    home = told_copy(directory / "home")
    limit = (home / "log" / "log.sqlite").stat().st_size + 150_000
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))

    def room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    try:
        yield room
    finally:
        room()


@pytest.mark.parametrize("narrow", [small_disk, no_growing])
def test_a_full_disk(
    capsys: Capture,
    tmp_path: Path,
    narrow: Callable[[Path], AbstractContextManager[Callable[[], None]]],
) -> None:
    stream = write_stream(tmp_path / "mine.csv", payment_lines(6000, prefix="full"))
    with narrow(tmp_path / "disk") as make_room:
        home = tmp_path / "disk" / "home"
        told = run(capsys, "watch", "--stream", stream, "--home", home, "--json")
        text = clear(told, 3, "storage.failed")
        assert "Traceback" not in told.err
        assert "space" in text or "disk" in text
        audits_clean(capsys, home)
        make_room()
        done = run(capsys, "watch", "--stream", stream, "--home", home, "--json")
        assert done.status == 0, done
        assert done.json["decided"] + done.json["decided_before"] == 6000
        audits_clean(capsys, home)


def test_everything_recorded_is_still_there(capsys: Capture, home: Path) -> None:
    audits_clean(capsys, home)
