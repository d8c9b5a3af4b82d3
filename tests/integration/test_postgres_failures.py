"""The shared store fails in every way it can: the truth is told, nothing is lost, it goes on."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.kept import Kept
from tests.support.ledger import make_entry
from tests.support.missing import missing
from tests.support.postgres import PASSWORD, Server, running_postgres
from tests.support.proxy import Proxy
from veridict.core.errors import BadInput, StorageFailed, VeridictError
from veridict.ledger.log import Log
from veridict.ledger.postgres import Place, PostgresStore
from veridict.ledger.verify import check_log


class Cutter(Proxy):
    """Cuts the line once, just before or just after the server hears `COMMIT`."""

    def __init__(self, store: str, *, answered: bool) -> None:
        super().__init__(store)
        self._server_port = urlsplit(store).port
        self.store = store.replace(f":{self._server_port}", f":{urlsplit(self.url).port}")
        self._answered = answered
        self.armed = Event()
        self._heard = Event()

    def passes(self, data: bytes, sink: socket.socket) -> bool:
        to_server = sink.getpeername()[1] == self._server_port
        if to_server and self.armed.is_set() and b"COMMIT\0" in data:
            self.armed.clear()
            if self._answered:
                self._heard.set()
            return self._answered
        if not to_server and self._heard.is_set():
            self._heard.clear()  # the answer to COMMIT: it gets lost
            return False
        return True


def rows(store: str) -> list[bytes]:
    with Log.open_readonly(Path("nowhere"), store=store) as log:
        assert check_log(log) == []
        return list(log.bodies())


def test_an_answer_lost_after_commit_is_asked_for(tmp_path: Path, postgres: Server) -> None:
    store = postgres.new_place()
    with (
        closing(Cutter(store, answered=True)) as line,
        Kept(tmp_path, line.store).open() as log,
    ):
        log.append([make_entry("a")])
        line.armed.set()
        assert log.append([make_entry("b")]).first_index == 1  # it stands, so it is told
        assert log.append([make_entry("c")]).first_index == 2
    assert rows(store) == [make_entry(name).body for name in "abc"]


def test_a_line_cut_before_commit_leaves_nothing(tmp_path: Path, postgres: Server) -> None:
    store = postgres.new_place()
    with (
        closing(Cutter(store, answered=False)) as line,
        Kept(tmp_path, line.store).open() as log,
    ):
        log.append([make_entry("a")])
        line.armed.set()
        with pytest.raises(StorageFailed, match="nothing was written") as caught:
            log.append([make_entry("b")])
        assert "goes on" in caught.value.remedy
        assert log.append([make_entry("c")]).first_index == 1
    assert rows(store) == [make_entry(name).body for name in "ac"]


@pytest.mark.slow
def test_where_nobody_can_be_asked_the_outcome_is_called_unknown(tmp_path: Path) -> None:
    with running_postgres() as server:
        store = server.new_place()
        with (
            closing(Cutter(store, answered=True)) as line,
            Kept(tmp_path, line.store).open() as log,
        ):
            log.append([make_entry("a")])
            line.armed.set()
            waiting = log.submit([make_entry("b")])
            while line.armed.is_set():
                time.sleep(0.001)
            server.kill()
            error = waiting.exception()
            assert isinstance(error, StorageFailed)
            assert error.facts["outcome"] == "unknown"
            assert "look whether they do" in error.remedy
            server.start()
            size = log.size
            assert size in (1, 2)
            assert log.append([make_entry("c")]).first_index == size
            assert check_log(log) == []


@pytest.mark.slow
@pytest.mark.parametrize("after", ["an answer", "what waits for none"])
def test_a_writer_that_hangs_with_the_lock_loses_it(
    tmp_path: Path, postgres: Server, after: str
) -> None:
    """It is stopped in the middle of a transaction, as a machine that sleeps stops a process."""
    store = postgres.new_place()
    with Kept(tmp_path / "a", store).open() as log:
        log.append([make_entry("a")])
        with closing(PostgresStore(Place.parse(store), writable=True)) as hanging:

            def hang() -> None:
                with hanging.transaction() as held:
                    held.put("meta", ("key",), ("value",), ["late", b"1"])
                    if after == "an answer":
                        held.rows("SELECT 1")
                    at = log.append([make_entry("b")])  # waits until it tires
                    assert at.first_index == 1

            with pytest.raises(StorageFailed) as caught:
                hang()
            assert "nothing was written" in f"{caught.value.message} {caught.value.remedy}"
            assert log.meta_get("late") is None
            with hanging.transaction() as held:
                held.put("meta", ("key",), ("value",), ["late", b"2"])
        assert log.meta_get("late") == b"2"
        assert check_log(log) == []


def test_lines_dropped_while_idle_are_not_noticed(tmp_path: Path, postgres: Server) -> None:
    kept = Kept(tmp_path, postgres.new_place())
    with kept.open() as log:
        log.append([make_entry("a")])
        with psycopg.connect(postgres.url()) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'veridict'"
            )
        assert log.size == 1
        assert log.append([make_entry("b")]).first_index == 1
        assert log.checkpoint().size == 2


@contextmanager
def small_disk(server: Server) -> Iterator[Path]:
    """A tablespace called "small" on a file system of 4 MB."""
    mount = server.home / "small"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "none", str(mount)]
    if server.account is None or subprocess.run(command, check=False).returncode != 0:
        missing("the right to mount", "run the tests as root")
    space = mount / "space"
    space.mkdir()
    shutil.chown(space, server.account)
    with psycopg.connect(server.url(), autocommit=True) as db:
        db.execute(f"CREATE TABLESPACE small LOCATION '{space}'".encode())
    yield mount
    server.crash()  # it misses what was on that disk
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_a_full_disk_of_the_server_stops_the_log_and_room_lets_it_go_on(tmp_path: Path) -> None:
    with running_postgres() as server, small_disk(server) as disk:
        fill_and_free(tmp_path, server.new_place(), disk / "ballast")


def fill_and_free(directory: Path, store: str, ballast: Path) -> None:
    ballast.write_bytes(bytes(2_000_000))
    kept = Kept(directory, f"{store}%20-cdefault_tablespace%3Dsmall")
    with kept.open() as log:
        acknowledged = 0

        def fill() -> None:
            nonlocal acknowledged
            while True:
                acknowledged += log.append([make_entry(f"{acknowledged}")] * 200).count

        with pytest.raises(StorageFailed, match="disk is full") as caught:
            fill()
        assert "free space" in caught.value.remedy
        assert log.size == acknowledged > 0
        ballast.unlink()
        assert log.append([make_entry("after")]).first_index == acknowledged
        assert log.checkpoint().size == acknowledged + 1
        assert check_log(log) == []


def test_a_server_that_acknowledges_before_it_writes_is_refused(tmp_path: Path) -> None:
    with running_postgres("fsync = off") as server:
        with pytest.raises(StorageFailed, match="not on disk") as caught:
            Kept(tmp_path, server.new_place()).open()
        assert "fsync" in caught.value.remedy


def without(url: str, old: str, new: str) -> str:
    assert old in url
    return url.replace(old, new)


def test_what_an_operator_must_mend_is_said_and_no_password(
    tmp_path: Path, postgres: Server
) -> None:
    good = postgres.new_place()
    Kept(tmp_path / "a", good).open().close()
    wrong = {
        "refuses this user": without(good, PASSWORD, f"{PASSWORD}x"),
        "no such database": without(good, "/postgres?", "/nowhere?"),
        "does not answer": without(good, f":{postgres.port}/", ":1/"),
        "read-only": f"{good}%20-cdefault_transaction_read_only%3Don",
        "no URL of a PostgreSQL database": f"postgresql://u:{PASSWORD}@[half/?x",
        "no URL of a PostgreSQL": f"mysql://u:{PASSWORD}@host/db",
    }
    for said, url in wrong.items():
        with pytest.raises(VeridictError, match=said) as caught:
            Kept(tmp_path / "b", url).open()
        error = caught.value
        told = "".join(traceback.format_exception(error)) + str(error.as_dict())
        assert PASSWORD not in told
        assert error.remedy


def test_a_password_may_come_from_a_file(
    tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pgpass = tmp_path / "pgpass"
    pgpass.write_text(f"127.0.0.1:{postgres.port}:*:*:{PASSWORD}\n")
    pgpass.chmod(0o600)
    store = without(postgres.new_place(), f":{PASSWORD}@", "@")
    with pytest.raises(StorageFailed, match="refuses this user"):
        Kept(tmp_path / "log", store).open()
    monkeypatch.setenv("PGPASSFILE", str(pgpass))
    with Kept(tmp_path / "log", store).open() as log:
        assert log.append([make_entry("a")]).first_index == 0


def test_one_key_never_keeps_two_logs(tmp_path: Path, postgres: Server) -> None:
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    first, second = postgres.new_place(), postgres.new_place()
    Kept(alone).open().close()
    Kept(shared, first).open().close()
    Kept(tmp_path / "other", second).open().close()
    for kept, said in (
        (Kept(alone, first), "a log of its own"),
        (Kept(shared), "is kept in the database"),
        (Kept(shared, second), "holds another log than this directory's"),
    ):
        for opening in (kept.open, partial(Log.open_readonly, kept.directory, store=kept.store)):
            with pytest.raises(BadInput, match=said) as caught:
                opening()
            assert "VERIDICT_STORE" in caught.value.remedy
    Kept(shared, first).open().close()
    Kept(alone).open().close()
    with Log.open_readonly(tmp_path / "nowhere", store=first) as log:  # an auditor has no directory
        assert log.size == 0
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(StorageFailed, match="holds no log"):
        Log.open_readonly(tmp_path / "nowhere", store=postgres.new_place())
