"""Canonical models against LightGBM, ONNX Runtime and tl2cgen, one thread each.

Every figure is the fastest of many turns, which all take one after another, by the processor
time they take: other work on the machine disturbs them little, and alike. A turn lasts long
enough that what the others left in the caches does not count; what it costs to come back to a
model is told apart (`cold`). Peers are installed by hand (`pip install onnx onnxruntime treelite
tl2cgen`, and a C compiler for the last); the row of a peer that is missing says so.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import lightgbm
import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.model_peers import PEERS, Peer
from benchmarks.row import Row
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.chain.data_contract import data_contract_initcode
from veridict.chain.receipts import Tx
from veridict.models.canonical import CanonicalModel
from veridict.models.compile import compile_model
from veridict.models.image import image, pack
from veridict.models.kernels import score_rows
from veridict.solutions.finance.payments import Payments

SIZES = ((100, 31), (255, 31), (1_000, 63))  # trees, leaves
MAIN = "255x31"  # whose figures bear the plain names
LARGEST, JUDGED = "1000x63", "100x31"
FEATURES, TRAINED, SCORED, SINGLES = 30, 40_000, 256, 64
SECONDS = 3.0  # of turns for each comparison
TURN_S = 0.005  # at least
STARTS = 5

Floats = NDArray[np.float64]
Timed = Mapping[str, float]


def run() -> list[Row]:
    data, labels = _data()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as directory:
        for trees, leaves in SIZES:
            size = f"{trees}x{leaves}"
            booster = _trained(data, labels, trees, leaves)
            began = time.process_time()
            model = compile_model(booster).model
            seconds = time.process_time() - began
            peers = {name: make(booster, Path(directory)) for name, make in PEERS.items()}
            rows += [*_singles(size, model, peers, data), *_batches(size, model, peers, data)]
            file = Path(directory) / f"{size}.model"
            file.write_bytes(model.bytes)
            rows.append(Row(_named("model.first_score_s", size), _first_score_s(file), "s"))
            if size == LARGEST:
                rows.append(Row("model.compile_s", seconds, "s"))
            if size == JUDGED:
                rows.append(Row(f"model.judge_gas_{size}", _judge_gas(model, data), "gas"))
    return rows


def _data() -> tuple[Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(1)
    data = rng.normal(size=(TRAINED, FEATURES))
    odds = data @ rng.normal(size=FEATURES) + np.sin(3 * data[:, 0]) * data[:, 1]
    labels = (odds + rng.normal(size=TRAINED) > 0).astype(np.int64)
    data[rng.random(data.shape) < 0.02] = np.nan
    return data, labels


def _trained(data: Floats, labels: NDArray[np.int64], trees: int, leaves: int) -> Any:
    settings = {
        "objective": "binary", "num_leaves": leaves, "learning_rate": 0.05, "verbose": -1,
        "num_threads": 1, "seed": 1,
    }  # fmt: skip
    return lightgbm.train(settings, lightgbm.Dataset(data, labels), trees)


def _singles(
    size: str, model: CanonicalModel, peers: Mapping[str, Peer | str], data: Floats
) -> list[Row]:
    """One row at a time; inside the library, and as called from Python with packed inputs."""
    images = image(data[:SINGLES])
    inputs = [pack(row) for row in images]
    scores = np.zeros((SINGLES, 1), dtype=np.int64)
    words = model.fast.words
    timed, cold = _fastest(
        SINGLES,
        {
            "inside": lambda: score_singly(words, images, scores),
            "python": lambda: [model.score_one(row) for row in inputs],
            **{
                name: partial(peer.singly, data[:SINGLES])
                for name, peer in peers.items()
                if not isinstance(peer, str)
            },
        },
    )
    return [
        Row(_named("model.row_us", size), 1e6 * timed["inside"], "µs inside the library"),
        Row(
            _named("model.row_cold_us", size),
            1e6 * cold["inside"],
            f"µs inside the library, mean of {SINGLES} rows after others' work",
        ),
        Row(_named("model.row_python_us", size), 1e6 * timed["python"], "µs called from Python"),
        *_compared("row", size, timed, timed["python"], peers),
    ]


def _batches(
    size: str, model: CanonicalModel, peers: Mapping[str, Peer | str], data: Floats
) -> list[Row]:
    """SCORED rows a call, floats in, scores out."""
    rows = data[:SCORED]
    timed, _ = _fastest(
        SCORED,
        {
            "ours": lambda: model.fast.scores(image(rows)),
            **{name: peer.batch(rows) for name, peer in peers.items() if not isinstance(peer, str)},
        },
    )
    return [
        Row(_named("model.batch_rows_per_s", size), 1 / timed["ours"], "rows/s"),
        *_compared("batch", size, timed, timed["ours"], peers),
    ]


def _compared(
    what: str, size: str, timed: Timed, ours: float, peers: Mapping[str, Peer | str]
) -> list[Row]:
    """Ratios of speed: above 1, ours is faster."""
    rows = []
    for name, peer in peers.items():
        label = _named(f"model.{what}_vs_{name}", size)
        if isinstance(peer, str):
            rows.append(Row(label, 0.0, f"not measured: {peer}"))
        else:
            us = f"{peer.title}, µs a row"
            rows.append(Row(label, timed[name] / ours, "× as fast", us, 1e6 * timed[name]))
    return rows


@cast(Callable[..., Any], njit(nogil=True))
def score_singly(words, images, scores):  # type: ignore[no-untyped-def]
    """Every row is scored through all trees before the next one begins."""
    for row in range(len(images)):
        score_rows(words, images[row : row + 1], scores[row : row + 1])


def _fastest(count: int, calls: Mapping[str, Callable[[], object]]) -> tuple[Timed, Timed]:
    """Seconds a row of each call, which scores `count` rows; they take turns.

    In the quickest turn, and in the quickest first call of a turn.
    """
    best, cold = dict.fromkeys(calls, float("inf")), dict.fromkeys(calls, float("inf"))
    for call in calls.values():
        call()
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for name, call in calls.items():
            began = time.process_time()
            call()
            spent, done = time.process_time() - began, 1
            cold[name] = min(cold[name], spent / count)
            while spent < TURN_S:
                call()
                spent, done = time.process_time() - began, done + 1
            best[name] = min(best[name], spent / (done * count))
    return best, cold


def _first_score_s(file: Path) -> float:
    """Of a new process, from its start to its end: reads the model and scores one row."""
    program = (
        "import sys; from pathlib import Path\n"
        "from veridict.models.canonical import CanonicalModel\n"
        "model = CanonicalModel(Path(sys.argv[1]).read_bytes())\n"
        "print(model.score_one(bytes(8 * model.n_features)))"
    )
    return min(_seconds([sys.executable, "-c", program, str(file)]) for _ in range(STARTS))


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _judge_gas(model: CanonicalModel, data: Floats) -> float:
    """Mean of transactions in which the judge contract runs the model on a row."""
    with (
        tempfile.TemporaryDirectory() as home,
        open_node(Settings(Path(home)), Payments.amlsim()) as node,
    ):
        network = node.network
        deployed = network.client.send_many(
            [Tx(to=None, data=data_contract_initcode(part)) for part in model.chunks()]
        )
        chunks = [receipt.contract_address for receipt in deployed]
        network.registry.send("register", model.id, chunks, bytes(32), model.n_features)
        receipts = [network.judge.send("score", model.id, pack(row)) for row in image(data[:5])]
        return sum(receipt.gas_used for receipt in receipts) / len(receipts)


def _named(name: str, size: str) -> str:
    return name if size == MAIN else f"{name}_{size}"
