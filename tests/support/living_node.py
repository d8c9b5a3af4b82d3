"""A node that serves, predicts, anchors and decides cases until it is killed.

    python living_node.py HOME SEED

Every line of stdout is `index sha256(body)` of a record, written only after the
node had acknowledged it.
"""

from __future__ import annotations

import os
import random
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np

from tests.support.told import payments
from veridict.apps.running import announced
from veridict.apps.serving import serving
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.core.codec import canonical_json
from veridict.core.nouns import Request
from veridict.services.acting import act
from veridict.services.node import Node


def acknowledge(node: Node, index: int) -> None:
    line = f"{index} {sha256(node.log.body(index)).hexdigest()}\n"
    os.write(1, line.encode())  # under PIPE_BUF: whole lines


def live(node: Node, seed: int) -> None:
    chance = np.random.default_rng(seed)
    choose = random.Random(seed)
    for turn in range(1_000_000):
        count = choose.choice((1, 7, 64))
        features = chance.normal(50, 200, (count, node.at_work().model.n_features))
        names = [f"{seed}.{turn}.{row}" for row in range(count)]
        requests = [Request(name, "", 0, canonical_json({"id": name})) for name in names]
        for prediction in node.predict(features, requests):
            acknowledge(node, prediction.index)
        waiting = [index for index, case in node.board.cases.items() if not case.acts]
        if waiting and node.payment_of(waiting[-1]) is None:
            logged, _ = act(node, waiting[-1], "confirm", by="child", note="")
            acknowledge(node, logged)
        if turn % 4 == 3:
            anchored = node.anchor()
            if anchored is not None:
                acknowledge(node, anchored[0].size)  # the note stands right behind what it covers


def main() -> None:
    home, seed = Path(sys.argv[1]), int(sys.argv[2])
    settings = Settings(home)
    with (
        open_node(settings, payments()) as node,
        serving(node, settings, host="127.0.0.1", port=0, anchor_every_s=60) as served,
        announced(home, served.web_url, served.rpc_url),
    ):
        live(node, seed)


if __name__ == "__main__":
    main()
