"""Two processes and one log: the second may read while the first writes, and may not write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.kept import Kept
from tests.support.ledger import make_entry

PROJECT = Path(__file__).parents[2]

READ = """
import sys
from pathlib import Path
from tests.support.kept import Kept
from veridict.ledger.verify import check_log
with Kept(Path(sys.argv[1]), sys.argv[2] or None).readonly() as log:
    print(log.size, log.root().hex(), len(check_log(log)), log.find_request("p3"))
"""
WRITE = """
import sys
from pathlib import Path
from tests.support.kept import Kept
from veridict.core.errors import NodeRunning
try:
    Kept(Path(sys.argv[1]), sys.argv[2] or None).open()
except NodeRunning as error:
    print(error.code, error.remedy)
"""


def other_process(program: str, kept: Kept) -> str:
    return subprocess.run(
        [sys.executable, "-c", program, str(kept.directory), kept.store or ""],
        capture_output=True,
        check=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        text=True,
    ).stdout.strip()


def test_a_second_process_reads_what_is_durable_and_cannot_write(kept: Kept) -> None:
    with kept.open() as log:
        log.append([make_entry(f"p{i}") for i in range(300)])
        log.checkpoint()
        assert other_process(READ, kept) == f"300 {log.root().hex()} 0 3"
        log.append([make_entry("more")])
        assert other_process(READ, kept) == f"301 {log.root().hex()} 0 3"
        assert other_process(WRITE, kept).startswith("node.running stop it")
        root = log.root()
    assert other_process(READ, kept) == f"301 {root.hex()} 0 3"
