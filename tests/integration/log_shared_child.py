"""One of several processes that write one log, and tell stdout what was acknowledged.

    python log_shared_child.py DIRECTORY STORE SEED

A line is `first_index first_sequence count tag`, `checkpoint size root`, or `failed outcome`,
written only after the call returned. It goes on through failures until it is killed.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from pathlib import Path

from tests.support.ledger import make_prediction, make_signer, make_vault
from veridict.core.errors import StorageFailed
from veridict.core.nouns import PredictionRecord
from veridict.ledger.log import Log
from veridict.services.numbering import numbered


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # under PIPE_BUF: whole lines


def client(log: Log, number: int, seed: str) -> None:
    chance = random.Random(f"{seed} {number}")
    for turn in range(1_000_000):
        tag = f"{seed}.{number}.{turn}"
        count = chance.choice((1, 1, 1, 3, 40))
        try:
            at = log.append([make_prediction(f"{tag}.{i}") for i in range(count)])
        except StorageFailed as error:
            say(f"failed {error.facts.get('outcome', 'known')}")
            time.sleep(0.02)
            continue
        assert at.bodies is not None
        say(f"{at.first_index} {PredictionRecord.decode(at.bodies[0]).sequence} {at.count} {tag}")


def main() -> None:
    directory, store, seed = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    vault = make_vault(directory.parent)  # one for all writers
    log = Log.open(directory, signer=make_signer(), store=store, finish=numbered, vault=vault)
    for number in range(4):
        threading.Thread(target=client, args=(log, number, seed), daemon=True).start()
    while True:
        try:
            head = log.checkpoint()
            say(f"checkpoint {head.size} {head.root.hex()}")
        except StorageFailed:
            pass
        time.sleep(0.01)


if __name__ == "__main__":
    main()
