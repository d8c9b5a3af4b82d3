"""PostgreSQL, a real server from Debian's packages, started and surely stopped by tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

from tests.support.missing import missing

USER, PASSWORD = "veridict", "not-to-be-seen-in-any-log"
_DEBIAN = Path("/usr/lib/postgresql")
# What a test may change without changing what it shows: less memory, no log of its own.
_CONF = "listen_addresses = '127.0.0.1'\nshared_buffers = 16MB\nmax_connections = 40\n"


@dataclass(frozen=True, slots=True)
class Server:
    """One cluster below `home`; the account that runs it, None where we are not root."""

    home: Path
    port: int
    account: str | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    def url(self, schema: str = "public", password: str | None = PASSWORD) -> str:
        secret = f":{password}" if password else ""
        where = f"{USER}{secret}@127.0.0.1:{self.port}/postgres"
        return f"postgresql://{where}?options=-csearch_path%3D{schema}"

    def start(self) -> None:
        """Returns when connections are taken."""
        told = self.home / "log"
        try:
            self._control("start", "-w", "-t", "60", "-l", str(told))
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{told.read_text()[-2000:]}") from error

    def crash(self) -> None:
        """Ends it as a power cut would, but for the disk's cache."""
        self._control("stop", "-m", "immediate")

    def kill(self) -> None:
        """SIGKILL to every process of it: nothing is written any more, nothing cleaned up."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        others = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        pids = [first, *map(int, others)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while any(map(_lives, pids)):
            time.sleep(0.01)
        # where nobody buries the dead, the next server takes this one for living
        for lock in (self.data / "postmaster.pid", self.home / f".s.PGSQL.{self.port}.lock"):
            lock.unlink()

    def new_place(self) -> str:
        """The URL of an empty schema: a database for each test would take a second each."""
        name = f"log{next(_numbers)}"
        with psycopg.connect(self.url()) as db:
            db.execute(f"CREATE SCHEMA {name}".encode())
        return self.url(name)

    def _control(self, *command: str) -> None:
        run_as(self.account, [program("pg_ctl"), "-s", "-D", str(self.data), *command])


_numbers = count()


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def program(name: str) -> str:
    """Newest version installed, which Debian keeps out of PATH."""
    for version in sorted(_DEBIAN.glob("*"), key=lambda path: path.name.zfill(4), reverse=True):
        if (version / "bin" / name).exists():
            return str(version / "bin" / name)
    return shutil.which(name) or missing("PostgreSQL", "as root: apt-get install postgresql")


def run_as(account: str | None, command: list[str]) -> None:
    ran = subprocess.run(
        command, user=account, cwd="/", capture_output=True, text=True, check=False, timeout=120
    )
    if ran.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name}: {ran.stderr or ran.stdout}")


@contextmanager
def running_postgres(*settings: str) -> Iterator[Server]:
    """A fresh cluster that asks for a password over TCP, with fsync as a real one has it."""
    initdb = program("initdb")
    account = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    home = Path(tempfile.mkdtemp(prefix="veridict-pg-"))
    try:
        secret = home / "password"
        secret.write_text(PASSWORD)
        if account:
            for path in (home, secret):
                shutil.chown(path, account)
        server = Server(home, _free_port(), account)
        run_as(account, [
            initdb, "-D", str(server.data), "-U", USER, "-A", "scram-sha-256", "-N",
            "--pwfile", str(secret), "-E", "UTF8", "--locale", "C",
        ])  # fmt: skip
        own = [f"port = {server.port}", f"unix_socket_directories = '{home}'", *settings]
        with (server.data / "postgresql.conf").open("a") as conf:
            conf.write(_CONF + "\n".join(own) + "\n")
        server.start()
        try:
            yield server
        finally:
            if (server.data / "postmaster.pid").exists():
                server.crash()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
