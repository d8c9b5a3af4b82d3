"""kill -9 of a process that anchors on a real node, while the node reorganises now and then.

VERIDICT_KILLS sets how often (3 unless told).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import anchoring_child
from tests.support.anchored import Kept
from tests.support.anvil import running_anvil
from tests.support.box import RICH
from veridict.chain.http import HttpRpc
from veridict.services.records import AnchorRecord

KILLS = int(os.environ.get("VERIDICT_KILLS", "3"))  # read before tests clear the surroundings
PROJECT = Path(__file__).parents[2]


def anchor_until_killed(directory: Path, url: str, seed: int, alive_s: float) -> None:
    child = subprocess.Popen(
        [sys.executable, anchoring_child.__file__, str(directory), url, str(seed)],
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert child.stdout is not None
    with child.stdout as out:
        assert out.readline() == b"begun\n", f"the child ended with status {child.wait()}"
        time.sleep(alive_s)
        child.kill()
        child.wait()


@pytest.mark.timeout(60 + 30 * KILLS)
def test_never_two_anchors_of_one_head_and_none_lost(tmp_path: Path) -> None:
    chance = random.Random(20_26)
    directory = tmp_path / "log"
    with running_anvil() as url, HttpRpc(url) as rpc:  # a block every 0.1 s
        kept = Kept(directory, rpc)
        rpc.call("anvil_mine", ["0x20"])
        begun = kept.poster.place.client.nonce(RICH.address)
        for seed in range(KILLS):
            kept.close()
            anchor_until_killed(directory, url, seed, chance.uniform(0.05, 1.0))
            if seed % 2 == 1:
                rpc.call("anvil_reorg", [chance.randrange(1, 6), []])
            kept.reopen()
        last = kept.act()
        done = kept.poster.now()
        assert done is None or done[0].size > last
        place, log = kept.poster.place, kept.log
        on_chain = place.anchors()
        assert on_chain == log.anchors()
        assert [anchor.root for anchor in on_chain] == [log.root(a.size) for a in on_chain]
        assert on_chain[-1].size > last
        # every transaction of the account was an anchor that stands: none was sent in vain
        assert place.client.nonce(RICH.address) - begun == len(on_chain)
        told = {record.size: record for record in kept.told()}
        claimed = {size for size, record in told.items() if isinstance(record, AnchorRecord)}
        assert claimed == {anchor.size for anchor in on_chain}
        kept.close()
