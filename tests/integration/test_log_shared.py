"""Three processes write one log; writers and the database are killed: one tree, nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kept import Kept
from tests.support.ledger import make_prediction, make_vault
from tests.support.parts import ROOT
from tests.support.postgres import Server, running_postgres
from veridict.core.nouns import PredictionRecord
from veridict.ledger.verify import check_log
from veridict.services.records import is_prediction

ROUNDS = max(1, int(os.environ.get("VERIDICT_KILLS", "10")) // 10)
LOAD_S = 0.5
PATIENCE_S = 60


class Child:
    """A writing process whose words go to a file, which outlives it."""

    def __init__(self, home: Path, store: str, seed: str) -> None:
        self.home, self.store, self._seed, self._starts = home, store, seed, 0
        self.said = home.with_suffix(".said")
        self.start()

    def start(self) -> None:
        self._starts += 1
        program = Path(__file__).with_name("log_shared_child.py")
        seed = f"{self._seed}{self._starts}"
        with self.said.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, str(program), str(self.home), self.store, seed],
                stdout=out, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def acknowledged(self) -> int:
        """Bytes of what it was told."""
        return self.said.stat().st_size

    def lines(self) -> list[list[str]]:
        """The last line may be cut short by the kill."""
        return [line.split() for line in self.said.read_text().split("\n")[:-1]]


@pytest.fixture
def children(tmp_path: Path, server: Server) -> Iterator[list[Child]]:
    store = server.new_place()
    started = [Child(tmp_path / name, store, name) for name in "abc"]
    yield started
    for child in started:
        child.kill()


@pytest.fixture
def server() -> Iterator[Server]:
    """One that may be killed."""
    with running_postgres() as own:
        yield own


def under_load(children: list[Child]) -> None:
    """Returns once every child was acknowledged more, and some time on."""
    before = [child.acknowledged() for child in children]
    end = time.monotonic() + PATIENCE_S
    while any(c.acknowledged() <= b for c, b in zip(children, before, strict=True)):
        assert time.monotonic() < end, "a writer does not go on"
        assert all(child.process.poll() is None for child in children), "a writer ended"
        time.sleep(0.02)
    time.sleep(LOAD_S)


@pytest.mark.timeout(120 + 40 * ROUNDS)
def test_writers_and_the_server_are_killed_and_nothing_acknowledged_is_lost(
    tmp_path: Path, server: Server, children: list[Child]
) -> None:
    for turn in range(ROUNDS):
        victim = children[turn % 3]
        under_load(children)
        victim.kill()  # a writer, perhaps while it holds the lock
        under_load([child for child in children if child is not victim])
        victim.start()
        under_load(children)
        server.crash()  # pg_ctl stop -m immediate
        server.start()
        under_load(children)
        server.kill()  # kill -9
        server.start()
    under_load(children)
    for child in children:
        child.kill()
    lines = [line for child in children for line in child.lines()]
    appended = [line for line in lines if line[0].isdigit()]
    assert {line[3][0] for line in appended} == {"a", "b", "c"}, "a writer wrote nothing"
    assert any(line[0] == "failed" for line in lines), "the server was never missed"

    reader = Kept(tmp_path / "reader", children[0].store)
    with reader.open(vault=make_vault(tmp_path)) as log:
        records = [PredictionRecord.decode(body) for body in log.bodies()]
        seen: set[int] = set()
        for line in appended:
            first, sequence, count, tag = int(line[0]), int(line[1]), int(line[2]), line[3]
            for i in range(count):
                wanted = PredictionRecord.decode(make_prediction(f"{tag}.{i}").body)
                assert records[first + i].request == wanted.request
                assert records[first + i].sequence == sequence + i
                assert first + i not in seen, "two callers were given one index"
                seen.add(first + i)
        assert [record.sequence for record in records] == list(range(log.size))
        assert check_log(log) == []
        assert sum(payload is not None for payload in log.payloads()) == log.size
        heads = [(head.size, head.root.hex()) for head in log.checkpoints()]
        assert len({size for size, _ in heads}) == len(heads), "a size was signed twice"
        told = {(int(x[1]), x[2]) for x in lines if x[0] == "checkpoint" and len(x) == 3}
        assert told <= set(heads)
        assert all(map(is_prediction, log.bodies()))
