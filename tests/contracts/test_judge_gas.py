"""What the judge costs, from receipts of the embedded chain. Compared exactly with judge_gas.json.

After a change that is meant:

    VERIDICT_UPDATE_GAS=1 pytest tests/contracts/test_judge_gas.py
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from eth_account import Account

from tests.support import trees
from tests.support.models import random_tree
from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.data_contract import data_contract_initcode
from veridict.chain.deployment import deploy, deploy_code
from veridict.chain.embedded.chain import EmbeddedChain
from veridict.core.codec import TAG_INPUTS, commit
from veridict.core.nouns import Decision, PredictionRecord
from veridict.models import reference
from veridict.models.canonical import CanonicalModel
from veridict.models.layout import Tree, TreeModel

UPDATE = os.environ.get("VERIDICT_UPDATE_GAS") == "1"  # at import: tests see no VERIDICT_*
SNAPSHOT = Path(__file__).with_name("judge_gas.json")
NOW_MS = 1_700_000_000_000
ETHER = 10**18
SALT, CARD, KEY = (sha256(name).digest() for name in (b"salt", b"card", b"key"))
FEATURES = 30
ROWS = 4


def shaped(n_trees: int, leaves: int) -> CanonicalModel:
    """Trees grown leaf by leaf at random, all leaves as likely: paths as long as LightGBM's."""
    rng = random.Random(n_trees * 1000 + leaves)
    grown = tuple(evened(random_tree(rng, FEATURES, leaves - 1)) for _ in range(n_trees))
    return CanonicalModel.from_trees(TreeModel(FEATURES, 0, grown))


def evened(tree: Tree) -> Tree:
    """The tree with thresholds that split random rows by the leaves on either side."""
    below = [0] * len(tree.nodes)
    nodes = list(tree.nodes)
    for number in reversed(range(len(nodes))):
        left, right = (1 if c < 0 else below[c] for c in (nodes[number].left, nodes[number].right))
        below[number] = left + right
        nodes[number] = replace(nodes[number], threshold=2**64 * left // below[number])
    return Tree(tuple(nodes), tree.leaves)


def steps(model: TreeModel, row: list[int]) -> int:
    """Nodes that the row visits."""
    count = 0
    for tree in model.trees:
        at = 0
        while at >= 0:
            node = tree.nodes[at]
            at = node.right if reference.goes_right(node, row[node.feature]) else node.left
            count += 1
    return count


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    owner = Account.from_key(sha256(b"owner").digest())
    other = Account.from_key(sha256(b"other").digest())
    genesis = {owner.address: 1000 * ETHER, other.address: 1000 * ETHER}
    path = tmp_path_factory.mktemp("chain")
    with EmbeddedChain.open(
        path, chain_id=31337, genesis_accounts=genesis, clock=lambda: NOW_MS
    ) as chain:
        client = Client(chain, owner)
        return measure(client)


def measure(client: Client) -> dict[str, int]:
    registry, anchor, stakes = (
        deploy(client, Artifact.load("Registry")),
        deploy(client, Artifact.load("Anchor")),
        deploy(client, Artifact.load("Stakes"), 0),
    )
    scorer = deploy(client, Artifact.load("Scorer"))
    addresses = (registry.address, anchor.address, stakes.address, scorer.address)
    judge = deploy(client, Artifact.load("Judge"), *addresses)
    stakes.send("set_judge", judge.address)
    gas: dict[str, int] = {}
    for n_trees, leaves in ((20, 16), (100, 15), (100, 31), (255, 31)):
        canonical = shaped(n_trees, leaves)
        chunks = deploy_code(client, [data_contract_initcode(c) for c in canonical.chunks()])
        registry.send("register", canonical.id, chunks, CARD, FEATURES)
        name = f"Judge.score, {n_trees} trees of {leaves} leaves"
        rng = random.Random(1)
        rows = [[rng.getrandbits(64) for _ in range(FEATURES)] for _ in range(ROWS)]
        packed = [b"".join(value.to_bytes(8, "big") for value in row) for row in rows]
        used = [judge.send("score", canonical.id, inputs).gas_used for inputs in packed]
        gas[f"{name}, mean of {ROWS} rows"] = sum(used) // ROWS
        gas[f"{name}, nodes visited"] = sum(steps(canonical.trees, row) for row in rows) // ROWS
        gas[f"{name}, bytes"] = len(canonical.bytes)
        if (n_trees, leaves) == (100, 31):
            stakes.send("deposit", value=ETHER)
            record = PredictionRecord(
                Decision.ALLOW, (0, 1, 2), 0, NOW_MS, reference.score(canonical.trees, rows[0]) + 1,
                canonical.id, SALT, commit(TAG_INPUTS, SALT, packed[0]),
            ).encode()  # fmt: skip
            bodies = [record, *(bytes([n]) for n in range(255))]
            hashes = [trees.leaf(body) for body in bodies]
            root = trees.root(hashes)
            receipt = anchor.send("anchor", KEY, 0, trees.root([]), len(hashes), root, [])
            (event,) = anchor.decode_logs("Anchored", receipt.logs)
            words = [record[i : i + 32] for i in range(0, 128, 32)]
            assert client.account is not None
            gas["Judge.challenge, 100 trees of 31 leaves"] = judge.send(
                "challenge", client.account.address, KEY, len(hashes), root, event.args["time"], 0,
                words, SALT, packed[0], trees.inclusion(0, hashes),
            ).gas_used  # fmt: skip
    return gas


def test_gas_is_what_it_was(measured: dict[str, int]) -> None:
    if UPDATE:
        SNAPSHOT.write_text(json.dumps(measured, indent=1) + "\n")
    assert measured == json.loads(SNAPSHOT.read_text())


def test_a_call_of_lightgbms_default_model_costs_at_most_200_000_gas(
    measured: dict[str, int],
) -> None:
    assert measured["Judge.score, 100 trees of 31 leaves, mean of 4 rows"] <= 200_000
