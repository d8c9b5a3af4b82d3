"""A process that follows a file of payments until it is killed, in small batches.

    python feeding_child.py HOME FILE

Says "following" when it begins, "done" when it has come to the end.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.support.feeds import watcher_of
from tests.support.told import opened
from veridict.services.feeding import watcher as watching
from veridict.services.feeding.follow import follow
from veridict.watch.feeds.files import FileFeed


def main() -> None:
    home, file = Path(sys.argv[1]), Path(sys.argv[2])
    watching.SAVE_EVERY = 700  # so that kills fall before, in and after a save
    with opened(home) as node:
        watcher = watcher_of(node, home, lambda: ())
        os.write(1, b"following\n")
        follow(node, watcher, FileFeed(file), most=16, anchor_every=0)
        os.write(1, b"done\n")


if __name__ == "__main__":
    main()
