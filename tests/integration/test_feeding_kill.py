"""kill -9 while a feed is followed: each payment gets one decision, each drop is counted once.

VERIDICT_KILLS sets how often beyond the first few.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from tests.support import feeding_child
from tests.support.feeds import decided_ids, made_of
from tests.support.told import opened, told_copy
from veridict.services.feeding.follow import follow
from veridict.services.feeding.memory import Memory
from veridict.services.feeding.telling import feed_views
from veridict.services.feeding.watcher import Watcher
from veridict.watch.feeds.files import FileFeed

MORE = int(os.environ.get("VERIDICT_KILLS", "12"))  # read before tests clear the surroundings
PROJECT = Path(__file__).parents[2]
ROWS, BAD = 6_000, 61


def written(file: Path) -> Path:
    """Payments of few accounts; every BAD-th line is none, and every 97th comes twice."""
    lines = []
    for number in range(ROWS):
        line = msgspec.json.encode(
            {
                "id": f"k-{number}",
                "time": 1_600_000_000 + 40 * number,
                "payer": f"a{number % 41}",
                "payee": f"b{number % 17}",
                "amount_minor": 100 + number % 977,
                "asset": "EUR",
            }
        )
        lines += [line] * (2 if number % 97 == 0 else 1)
        lines += [b"{ no payment"] if number % BAD == 0 else []
    file.write_bytes(b"\n".join(lines) + b"\n")
    return file


def killed(home: Path, file: Path, alive_s: float) -> bool:
    """Whether it was killed before it came to the end."""
    child = subprocess.Popen(
        [sys.executable, feeding_child.__file__, str(home), str(file)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert child.stdout is not None
    with child.stdout as out:
        first = out.readline()
        assert first == "following\n", f"the child ended with status {child.wait()}"
        time.sleep(alive_s)
        child.kill()
        rest = out.read()
    child.wait()
    return "done" not in rest


def survives(tmp_path: Path, kills: int, seed: int) -> None:
    home, file = told_copy(tmp_path / "home"), written(tmp_path / "payments.jsonl")
    chance = random.Random(seed)
    cut = sum(killed(home, file, chance.uniform(0.05, 0.9)) for _ in range(kills))
    assert cut, "no kill came before the end: let it follow for a shorter time"
    with opened(home) as node:
        watcher = Watcher(node, home, made_of(node, lambda: ()))
        follow(node, watcher, FileFeed(file), anchor_every=0)
        stands = decided_ids(node)
        assert [stands[f"k-{number}"] for number in range(ROWS)] == [1] * ROWS
        (view,) = feed_views(node.log, node.board.feeds)
        assert {one.code: one.count for one in view.refused} == {"message.bad": -(-ROWS // BAD)}
        # what the watcher knows is what the log says, however often it was cut off
        fresh = Memory(tmp_path / "elsewhere", made_of(node, lambda: ()))
        fresh.recover(node.log)
        watcher.save()
        kept = Memory(home / "watch" / "state", made_of(node, lambda: ()))
        kept.recover(node.log)
        assert kept.means.features.save() == fresh.means.features.save()
        assert [f.sentence() for check in node.audit() for f in check.findings] == []


def test_two_kills_leave_one_decision_a_payment(tmp_path: Path) -> None:
    survives(tmp_path, 2, seed=2)


@pytest.mark.slow
@pytest.mark.timeout(60 + 60 * MORE)
def test_many_kills_leave_one_decision_a_payment(tmp_path: Path) -> None:
    survives(tmp_path, MORE, seed=3)
