"""A process that appends to a log from many threads and tells stdout what was acknowledged.

    python log_child.py DIRECTORY SEED

Every line is `first_index count tag`, written only after `append` returned.
It runs until it is killed.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from pathlib import Path

from tests.support.ledger import make_entry, make_signer, make_vault
from veridict.ledger.log import Log


def client(log: Log, number: int, seed: int) -> None:
    chance = random.Random(f"{seed} {number}")
    for turn in range(1_000_000):
        tag = f"{seed}.{number}.{turn}"
        count = chance.choice((1, 1, 1, 3, 40))
        at = log.append([make_entry(f"{tag}.{i}") for i in range(count)])
        os.write(1, f"{at.first_index} {at.count} {tag}\n".encode())  # under PIPE_BUF: whole lines


def main() -> None:
    directory, seed = Path(sys.argv[1]), int(sys.argv[2])
    log = Log.open(directory, signer=make_signer(), vault=make_vault(directory))
    for number in range(8):
        threading.Thread(target=client, args=(log, number, seed), daemon=True).start()
    while True:
        head = log.checkpoint()
        os.write(1, f"checkpoint {head.size} {head.root.hex()}\n".encode())
        time.sleep(0.005)


if __name__ == "__main__":
    main()
