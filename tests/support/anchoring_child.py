"""A log that grows and is anchored on a real node until the process is killed.

    python anchoring_child.py DIRECTORY URL SEED

Writes a line to stdout when it has begun.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from tests.support.anchored import Kept
from veridict.chain.http import HttpRpc


def main() -> None:
    directory, url, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    choose = random.Random(seed)
    with HttpRpc(url) as rpc:
        kept = Kept(directory, rpc)
        os.write(1, b"begun\n")
        while True:
            for _ in range(choose.randrange(1, 5)):
                kept.act()
            kept.poster.step(force=True)


if __name__ == "__main__":
    main()
