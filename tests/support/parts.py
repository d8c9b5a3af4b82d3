"""Programs from outside Python that some tests start. `tools/test_parts.sh` installs them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.missing import missing

ROOT = Path(__file__).parents[2]


def anvil() -> str:
    """Path of the anvil binary itself, so that killing it leaves no wrapper behind."""
    for binary in sorted((ROOT / "node_modules/@foundry-rs").glob("anvil-*/bin/anvil")):
        return str(binary)
    return shutil.which("anvil") or missing("anvil", "install npm, then `make test`")


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    return missing("chromium", "as root: apt-get install chromium")
