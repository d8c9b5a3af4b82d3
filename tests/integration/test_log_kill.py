"""kill -9 at random moments under concurrent load: what was acknowledged is there and verifies."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.kept import Kept
from tests.support.ledger import make_entry
from veridict.ledger.verify import check_log

KILLS = int(os.environ.get("VERIDICT_KILLS", "10"))
PROJECT = Path(__file__).parents[2]


def run_and_kill(directory: Path, seed: int, alive_s: float) -> list[list[str]]:
    """What the child acknowledged before it was killed `alive_s` after its first word."""
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("log_child.py")), str(directory), str(seed)],
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert child.stdout is not None
    with child.stdout as pipe:
        first = pipe.readline()
        assert first, "the child ended by itself"
        killer = time.monotonic() + alive_s
        os.set_blocking(pipe.fileno(), False)
        text = first
        while time.monotonic() < killer:
            text += pipe.read() or b""
            time.sleep(0.002)
        child.kill()
        child.wait()
        os.set_blocking(pipe.fileno(), True)
        text += pipe.read()
    return [line.split() for line in text.decode().splitlines()]


@pytest.mark.timeout(60 + 6 * KILLS)
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    chance = random.Random(20_26)
    acknowledged: dict[int, bytes] = {}
    signed: list[tuple[int, str]] = []
    for kill in range(KILLS):
        now: dict[int, bytes] = {}
        for line in run_and_kill(tmp_path, kill, chance.uniform(0.0, 0.4)):
            if line[0] == "checkpoint":
                signed.append((int(line[1]), line[2]))
                continue
            first, count, tag = int(line[0]), int(line[1]), line[2]
            for i in range(count):
                assert first + i not in now, "two callers were given one index"
                now[first + i] = make_entry(f"{tag}.{i}").body
        assert not set(now) & set(acknowledged), "two callers were given one index"
        acknowledged |= now
        with Kept(tmp_path).open() as log:  # the lock died with its holder
            for index, body in now.items():
                assert log.body(index) == body
            if kill % 10 == 9 or kill == KILLS - 1:  # the whole log, which grows with every turn
                bodies = list(log.bodies())
                assert all(bodies[index] == body for index, body in acknowledged.items())
                assert check_log(log) == []
                assert sum(p is not None for p in log.payloads()) == log.size
                stored = {(head.size, head.root.hex()) for head in log.checkpoints()}
                assert stored.issuperset(signed)
    assert len(acknowledged) > KILLS, "the children acknowledged almost nothing"
