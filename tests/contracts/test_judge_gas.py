"""What the judge costs, from receipts of the embedded chain. Compared exactly with judge_gas.json.

After a change that is meant:

    VERIDICT_UPDATE_GAS=1 pytest tests/contracts/test_judge_gas.py
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
import vyper
from eth_account import Account

from tests.support import trees
from tests.support.models import random_tree
from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.deployment import deploy
from veridict.chain.embedded.chain import EmbeddedChain
from veridict.core.codec import TAG_INPUTS, commit
from veridict.core.nouns import Decision, PredictionRecord
from veridict.models.canonical import CanonicalModel
from veridict.models.layout import Layer, LinearModel, MlpModel, Quantiser, Tree, TreeModel
from veridict.services.deploy import Network, deploy_network
from veridict.services.model_gas import CALL_LIMIT, measure_on

UPDATE = os.environ.get("VERIDICT_UPDATE_GAS") == "1"  # at import: tests see no VERIDICT_*
SNAPSHOT = Path(__file__).with_name("judge_gas.json")
NOW_MS = 1_700_000_000_000
ETHER = 10**18
SALT, KEY = (sha256(name).digest() for name in (b"salt", b"key"))
FEATURES = 30
ROWS = 2
DEFAULT = "100 trees of 31 leaves"  # LightGBM's
FOREST = ((20, 16), (100, 15), (100, 31), (300, 31))

# Calls the judge twice, so that the second call finds every account and slot warm.
TWICE = """
interface Judge:
    def score(model_id: bytes32, inputs: Bytes[2048]) -> int256: view

event Again:
    gas_used: uint256

@external
def twice(judge: address, model_id: bytes32, inputs: Bytes[2048]):
    first: int256 = staticcall Judge(judge).score(model_id, inputs)
    before: uint256 = msg.gas
    second: int256 = staticcall Judge(judge).score(model_id, inputs)
    log Again(gas_used=before - msg.gas)
    assert first == second
"""


@dataclass(frozen=True, slots=True)
class Price:
    """Gas. Whole transactions, but for `again`, a second call in the same transaction."""

    bytes: int
    chunks: int
    deployment: int
    registration: int
    call: int  # mean of ROWS rows
    again: int


def shaped(n_trees: int, leaves: int, n_outputs: int = 1) -> CanonicalModel:
    """Trees grown leaf by leaf at random, all leaves as likely: paths as long as LightGBM's."""
    rng = random.Random(n_trees * 1000 + leaves)
    grown = tuple(evened(random_tree(rng, FEATURES, leaves - 1)) for _ in range(n_trees))
    return CanonicalModel.from_parts(TreeModel(FEATURES, 0, grown, (0,) * (n_outputs - 1)))


def evened(tree: Tree) -> Tree:
    """The tree with thresholds that split random rows by the leaves on either side."""
    below = [0] * len(tree.nodes)
    nodes = list(tree.nodes)
    for number in reversed(range(len(nodes))):
        left, right = (1 if c < 0 else below[c] for c in (nodes[number].left, nodes[number].right))
        below[number] = left + right
        nodes[number] = replace(nodes[number], threshold=2**64 * left // below[number])
    return Tree(tuple(nodes), tree.leaves)


def linear() -> CanonicalModel:
    rng = random.Random(1)
    inputs = tuple(Quantiser(24, 0, 2**30, 0) for _ in range(FEATURES))
    weights = tuple((rng.randrange(-(2**24), 2**24),) for _ in range(FEATURES))
    return CanonicalModel.from_parts(LinearModel(inputs, (5,), weights, 16))


def network(*hidden: int) -> CanonicalModel:
    """Bytes for weights; a limit of 127 between layers."""
    rng = random.Random(2)
    inputs = tuple(Quantiser(5, 0, 127, 0) for _ in range(FEATURES))
    widths = [FEATURES, *hidden, 1]
    layers = [
        Layer(
            tuple(rng.randrange(-(2**10), 2**10) for _ in range(n)),
            tuple(tuple(rng.randrange(-127, 128) for _ in range(n)) for _ in range(width)),
            *((7, 127) if at < len(hidden) else (16, 0)),
        )
        for at, (width, n) in enumerate(pairwise(widths))
    ]
    return CanonicalModel.from_parts(MlpModel(inputs, (0,), tuple(layers)))


def roster() -> dict[str, CanonicalModel]:
    return {
        "linear": linear(),
        "MLP 30-32-1": network(32),
        "MLP 30-64-64-1": network(64, 64),
        **{f"{n} trees of {leaves} leaves": shaped(n, leaves) for n, leaves in FOREST},
        "100 trees of 31 leaves, 4 classes": shaped(100, 31, 4),
    }


def measure_roster(network: Network) -> dict[str, Price]:
    out = vyper.compile_code(TWICE, output_formats=["abi", "bytecode"])
    artifact = Artifact("Twice", tuple(out["abi"]), bytes.fromhex(out["bytecode"][2:]))
    twice = deploy(network.client, artifact)
    rng = random.Random(1)
    rows = [rng.randbytes(8 * FEATURES) for _ in range(ROWS)]
    return {name: price(network, twice, model, rows) for name, model in roster().items()}


def price(network: Network, twice: Contract, model: CanonicalModel, rows: list[bytes]) -> Price:
    gas = measure_on(network, model, rows)
    assert network.judge.call("score", model.id, rows[0]) == model.score_one(rows[0])
    again = 0
    for row in rows:
        receipt = twice.send("twice", network.judge.address, model.id, row, gas=CALL_LIMIT)
        (event,) = twice.decode_logs("Again", receipt.logs)
        again += event.args["gas_used"]
    return Price(
        gas.n_bytes, gas.chunks, gas.deployment, gas.registration,
        sum(gas.calls) // ROWS, again // ROWS,
    )  # fmt: skip


def challenge_gas(network: Network) -> int:
    """Of a lie about a row of LightGBM's default model, in a log of 256 records."""
    client, model = network.client, shaped(100, 31)
    assert client.account is not None
    inputs = random.Random(1).randbytes(8 * FEATURES)
    network.stakes.send("deposit", value=ETHER)
    record = PredictionRecord(
        Decision.ALLOW, (0, 1, 2), 0, NOW_MS, model.score_one(inputs) + 1,
        model.id, SALT, commit(TAG_INPUTS, SALT, inputs),
    ).encode()  # fmt: skip
    hashes = [trees.leaf(body) for body in (record, *(bytes([n]) for n in range(255)))]
    root = trees.root(hashes)
    receipt = network.anchor.send("anchor", KEY, 0, trees.root([]), len(hashes), root, [])
    (event,) = network.anchor.decode_logs("Anchored", receipt.logs)
    words = [record[i : i + 32] for i in range(0, 128, 32)]
    return network.judge.send(
        "challenge", client.account.address, KEY, len(hashes), root, event.args["time"], 0,
        words, SALT, inputs, trees.inclusion(0, hashes),
    ).gas_used  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, int]]:
    owner = Account.from_key(sha256(b"owner").digest())
    path = tmp_path_factory.mktemp("chain")
    with EmbeddedChain.open(
        path, chain_id=31337, genesis_accounts={owner.address: 1000 * ETHER}, clock=lambda: NOW_MS
    ) as chain:
        network = deploy_network(Client(chain, owner))
        prices = {name: asdict(price) for name, price in measure_roster(network).items()}
        prices[DEFAULT]["challenge"] = challenge_gas(network)
        return prices


def test_gas_is_what_it_was(measured: dict[str, dict[str, int]]) -> None:
    if UPDATE:
        SNAPSHOT.write_text(json.dumps(measured, indent=1) + "\n")
    assert measured == json.loads(SNAPSHOT.read_text())


def test_a_call_of_lightgbms_default_model_costs_at_most_200_000_gas(
    measured: dict[str, dict[str, int]],
) -> None:
    assert measured[DEFAULT]["call"] <= 200_000


def test_a_model_of_200_kilobytes_is_judged(measured: dict[str, dict[str, int]]) -> None:
    assert measured["300 trees of 31 leaves"]["bytes"] >= 200_000
