"""What exists is not searched for garbage while anybody asks for that."""

from __future__ import annotations

import subprocess
import sys

ALONE = """
import gc
from veridict.services.garbage import only_new_garbage

outer, inner = only_new_garbage(), only_new_garbage()
assert gc.get_freeze_count() == 0
with outer:
    first = gc.get_freeze_count()
    assert first > 0
    with inner:
        assert gc.get_freeze_count() >= first
    assert gc.get_freeze_count() >= first
assert gc.get_freeze_count() == 0
"""


def test_the_last_one_out_ends_it() -> None:
    """In a process of its own: in this one a server may be keeping its garbage apart."""
    subprocess.run([sys.executable, "-c", ALONE], check=True)
