"""kill -9 of a whole serving node at random moments: nothing acknowledged is lost.

VERIDICT_KILLS sets how often: a fifth of it, 5 at least. A node takes seconds to start.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support import living_node
from tests.support.told import opened, told_copy
from veridict.apps.running import FILE, running_node
from veridict.core.nouns import PredictionRecord
from veridict.services.records import decode

KILLS = max(
    5, int(os.environ.get("VERIDICT_KILLS", "0")) // 5
)  # read before tests clear the surroundings
PROJECT = Path(__file__).parents[2]


def live_until_killed(home: Path, seed: int, alive_s: float) -> dict[int, str]:
    """Hashes of the bodies that the child acknowledged, by index."""
    child = subprocess.Popen(
        [sys.executable, living_node.__file__, str(home), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert child.stdout is not None
    with child.stdout as out:
        lines = [out.readline()]
        assert lines[0], f"the child ended with status {child.wait()}"
        reader = threading.Thread(target=lambda: lines.extend(out))
        reader.start()
        time.sleep(alive_s)
        child.kill()
        child.wait()
        reader.join()
    whole = (line.split() for line in lines if line.endswith("\n"))
    return {int(index): digest for index, digest in whole}


@pytest.mark.timeout(120 + 60 * KILLS)
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    home = told_copy(tmp_path / "home")
    acknowledged: dict[int, str] = {}
    chance = random.Random(20_26)
    for seed in range(KILLS):
        now = live_until_killed(home, seed, chance.uniform(0, 1.5))
        assert not set(now) & set(acknowledged), "two records were given one index"
        acknowledged |= now
        assert (home / FILE).exists()  # it had no time to tidy up
        assert running_node(home) is None  # and nobody is misled
        with opened(home) as node:
            bodies = list(node.log.bodies())
            for index, digest in acknowledged.items():
                assert sha256(bodies[index]).hexdigest() == digest
            sequences = [r.sequence for b in bodies if isinstance(r := decode(b), PredictionRecord)]
            assert sequences == list(range(len(sequences)))
            findings = [f.sentence() for check in node.audit() for f in check.findings]
            assert findings == []
            node.anchor()  # the chain goes on too
            assert all(check.passed for check in node.audit())
    assert len(acknowledged) > 5 * KILLS
