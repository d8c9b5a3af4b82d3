"""NATS with JetStream, a real server of Debian's, started and surely stopped by tests."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.missing import missing


def program() -> str:
    places = "/usr/sbin:/usr/local/bin"  # Debian keeps it out of a user's PATH
    return (
        shutil.which("nats-server")
        or shutil.which("nats-server", path=places)
        or missing("NATS", "as root: apt-get install nats-server")
    )


@dataclass(slots=True)
class Nats:
    """One server that keeps its streams below `home`."""

    home: Path
    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when connections are taken."""
        command = [program(), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.home)]
        with (self.home / "server.log").open("ab") as told:
            self._process = subprocess.Popen(command, stdout=told, stderr=told)
        end = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None, (self.home / "server.log").read_text()[-2000:]
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        """As kill -9 does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            return False


@contextmanager
def running_nats() -> Iterator[Nats]:
    home = Path(tempfile.mkdtemp(prefix="veridict-nats-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Nats(home, int(probe.getsockname()[1]))
    server.start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(home, ignore_errors=True)
