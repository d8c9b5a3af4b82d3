"""Two processes and one log: the second may read while the first writes, and may not write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.ledger import make_entry, make_signer, make_vault
from veridict.ledger.log import Log

PROJECT = Path(__file__).parents[2]

READ = """
import sys
from pathlib import Path
from veridict.ledger.log import Log
from veridict.ledger.verify import check_log
from veridict.privacy.vault import FileVault
vault = FileVault.open_readonly(Path(sys.argv[1]) / "vault")
with Log.open_readonly(Path(sys.argv[1]), vault=vault) as log:
    print(log.size, log.root().hex(), len(check_log(log)), log.find_request("p3"))
"""
WRITE = """
import sys
from pathlib import Path
from tests.support.ledger import make_signer, make_vault
from veridict.core.errors import NodeRunning
from veridict.ledger.log import Log
try:
    Log.open(Path(sys.argv[1]), signer=make_signer(), vault=make_vault(Path(sys.argv[1])))
except NodeRunning as error:
    print(error.code, error.remedy)
"""


def other_process(program: str, directory: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", program, str(directory)],
        capture_output=True,
        check=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        text=True,
    ).stdout.strip()


def test_a_second_process_reads_what_is_durable_and_cannot_write(tmp_path: Path) -> None:
    with Log.open(tmp_path, signer=make_signer(), vault=make_vault(tmp_path)) as log:
        log.append([make_entry(f"p{i}") for i in range(300)])
        log.checkpoint()
        assert other_process(READ, tmp_path) == f"300 {log.root().hex()} 0 3"
        log.append([make_entry("more")])
        assert other_process(READ, tmp_path) == f"301 {log.root().hex()} 0 3"
        assert other_process(WRITE, tmp_path).startswith("node.running stop it")
        root = log.root()
    assert other_process(READ, tmp_path) == f"301 {root.hex()} 0 3"
