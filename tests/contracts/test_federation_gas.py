"""What a round costs each member, from receipts of the embedded chain; compared exactly.

VERIDICT_UPDATE_GAS=1 pytest tests/contracts/test_federation_gas.py && make docs
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from eth_abi.abi import encode as abi_encode
from eth_account import Account
from eth_utils.crypto import keccak

from tests.support.federations import ETHER, Rules, report_leaves
from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.deployment import deploy
from veridict.chain.embedded.chain import EmbeddedChain
from veridict.federated.fixed import ONE
from veridict.proofs.merkle import root_from_leaf_hashes
from veridict.proofs.prover import inclusion_proof

UPDATE = os.environ.get("VERIDICT_UPDATE_GAS") == "1"  # at import: tests see no VERIDICT_*
SNAPSHOT = Path(__file__).with_name("federation_gas.json")
MEMBERS = 7
STATE = b"s" * 32
NOW_MS = 1_700_000_000_000


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Two rounds, since a member's first one writes slots that the next ones reuse."""
    keys = [Account.from_key(sha256(b"member %d" % i).digest()) for i in range(MEMBERS)]
    clock = {"ms": NOW_MS}
    gas: dict[str, int] = {}
    with EmbeddedChain.open(
        tmp_path_factory.mktemp("chain"),
        chain_id=31337,
        genesis_accounts={str(key.address): 1000 * ETHER for key in keys},
        clock=lambda: clock["ms"],
    ) as chain:
        clients = [Client(chain, key) for key in keys]
        first = deploy(clients[0], Artifact.load("Federation"), Rules().words)
        seats = [Contract(client, first.artifact, first.address) for client in clients]
        for seat in seats:
            gas["Federation.join"] = seat.send("join", b"k" * 32, value=ETHER).gas_used
        first.send("fund", value=10 * ETHER)
        amounts = [ETHER // 10] * MEMBERS
        for _ in range(2):
            a_round(seats, amounts, gas)
            clock["ms"] += Rules().challenge_s * 1000
            gas["Federation.finalise"] = first.send("finalise").gas_used
        leaves = report_leaves(amounts)
        proof = inclusion_proof(
            0,
            MEMBERS,
            lambda level, i: root_from_leaf_hashes(leaves[i << level : (i + 1) << level]),
        )
        gas["Federation.claim"] = first.send("claim", 2, 0, amounts[0], proof).gas_used
        norms(seats, gas)
    return gas


def a_round(seats: list[Contract], amounts: list[int], gas: dict[str, int]) -> None:
    gas["Federation.open_round"] = seats[0].send("open_round").gas_used
    commits = [commit(seat, b"d" * 32) for seat in seats]
    gas["Federation.commit"], gas["Federation.commit, last"] = max(commits[:-1]), commits[-1]
    reveals = [seat.send("reveal", b"d" * 32, b"s" * 32).gas_used for seat in seats]
    gas["Federation.reveal"], gas["Federation.reveal, last"] = max(reveals[:-1]), reveals[-1]
    drawn = seats[0].call("committee")
    report = root_from_leaf_hashes(report_leaves(amounts))
    for place in (0, 1):
        used = seats[drawn[place]].send("vote", STATE, report).gas_used
        # How often the draw misses is chance, some 260 gas each.
        gas[f"Federation.vote, {('first', 'deciding')[place]}, about"] = round(used, -4)


def commit(seat: Contract, digest: bytes) -> int:
    words: tuple[Any, ...] = (seat.call("round"), digest, b"s" * 32, seat.client.address)
    commitment = keccak(abi_encode(["uint256", "bytes32", "bytes32", "address"], words))
    return seat.send("commit", commitment).gas_used


def norms(seats: list[Contract], gas: dict[str, int]) -> None:
    """Updates above the bound, of 31 and of 1,000 values."""
    seats[0].send("open_round")
    bad = {}
    for member, length in ((0, 31), (1, 1000)):
        values = np.full(length, ONE, ">i4")
        bad[member] = (65_536).to_bytes(4, "big") + values.tobytes()
    for member, seat in enumerate(seats):
        commit(seat, sha256(bad.get(member, b"")).digest())
    for member, seat in enumerate(seats):
        seat.send("reveal", sha256(bad.get(member, b"")).digest(), b"s" * 32)
    for member, length in ((0, 31), (1, 1000)):
        name = f"Federation.punish_norm, {length:,} values"
        gas[name] = seats[2].send("punish_norm", member, bad[member]).gas_used


def test_gas_is_what_it_was(measured: dict[str, int]) -> None:
    if UPDATE:
        SNAPSHOT.write_text(json.dumps(measured, indent=1) + "\n")
    assert measured == json.loads(SNAPSHOT.read_text())


def test_a_round_of_sixteen_costs_each_less_than_120_000(measured: dict[str, int]) -> None:
    """Its own two transactions, and its part of those that the round needs once."""
    own = measured["Federation.commit"] + measured["Federation.reveal"]
    once = ("open_round", "vote, first, about", "vote, deciding, about", "finalise")
    assert own + sum(measured[f"Federation.{name}"] for name in once) // 16 < 120_000
