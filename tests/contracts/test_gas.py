"""What every action costs: gas of whole transactions, from receipts of the embedded chain.

Compared exactly with gas.json. After a change that is meant:

    VERIDICT_UPDATE_GAS=1 pytest tests/contracts/test_gas.py && make docs
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount

from tests.support import trees, uniform
from tests.support.contracts import model_bytes
from tools.model_samples import forest
from veridict.assurance.signed import sign_prediction
from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.data_contract import data_contract_initcode
from veridict.chain.deployment import deploy, deploy_code
from veridict.chain.embedded.chain import EmbeddedChain
from veridict.core.codec import TAG_INPUTS, TAG_REQUEST, commit
from veridict.core.nouns import Decision, PredictionRecord
from veridict.models.canonical import CanonicalModel
from veridict.models.image import image, pack
from veridict.models.layout import WORD_CHUNK_BYTES
from veridict.models.layout import chunks as parts_of

UPDATE = os.environ.get("VERIDICT_UPDATE_GAS") == "1"  # at import: tests see no VERIDICT_*
SNAPSHOT = Path(__file__).with_name("gas.json")
NOW_MS = 1_700_000_000_000
KEY, SALT, CARD = (sha256(name).digest() for name in (b"key", b"salt", b"card"))
MODEL = model_bytes(b"m")
MODEL_ID = sha256(MODEL).digest()
LEAF = trees.leaf(b"leaf")
ETHER = 10**18

Gas = dict[str, int]


@dataclass(slots=True)
class Clock:
    ms: int = NOW_MS


@pytest.fixture(scope="module")
def clock() -> Clock:
    """It stands, except where a delay has to pass."""
    return Clock()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[EmbeddedChain]:
    path = tmp_path_factory.mktemp("chain")
    accounts = {str(key(name).address): 1000 * ETHER for name in ("owner", "other")}
    with EmbeddedChain.open(
        path, chain_id=31337, genesis_accounts=accounts, clock=lambda: clock.ms
    ) as chain:
        yield chain


@pytest.fixture(scope="module")
def measured(chain: EmbeddedChain, clock: Clock) -> Gas:
    """Every action once, in one history."""
    owner, other = Client(chain, key("owner")), Client(chain, key("other"))
    gas: Gas = {}
    registering(owner, gas)
    anchor = anchoring(owner, gas)
    stakes = staking(owner, other, gas)
    settling(owner, anchor, stakes, gas)
    releasing(owner, clock, gas)
    inferring(owner, gas)
    return gas


def key(name: str) -> LocalAccount:
    account: LocalAccount = Account.from_key(sha256(name.encode()).digest())
    return account


def registering(owner: Client, gas: Gas) -> None:
    registry = deploy(owner, Artifact.load("Registry"))
    for count in (1, 2, 4, 9):
        data = model_bytes(b"", 30).ljust(count * WORD_CHUNK_BYTES, b"m")
        chunks = deploy_code(owner, [data_contract_initcode(part) for part in parts_of(data)])
        model_id = sha256(data).digest()
        name = f"Registry.register, {len(data):,} bytes in {count} chunk(s)"
        gas[name] = registry.send("register", model_id, chunks, CARD, 30).gas_used
    gas["Registry.deprecate"] = registry.send("deprecate", model_id).gas_used


def releasing(owner: Client, clock: Clock, gas: Gas) -> None:
    registry, chunks = deploy(owner, Artifact.load("Registry")), map(model_bytes, (b"1", b"2"))
    releases = deploy(owner, Artifact.load("Releases"), registry.address)
    gas["Releases.create"] = releases.send("create", "line", key("other").address, 1).gas_used
    line = releases.call("line_of", owner.address, "line")
    for chunk in chunks:
        model_id = sha256(chunk).digest()
        stored = deploy_code(owner, [data_contract_initcode(chunk)])
        registry.send("register", model_id, stored, CARD, 1)
        gas["Releases.propose"] = releases.send("propose", line, model_id).gas_used
        clock.ms += 1000
        gas["Releases.enact"] = releases.send("enact", line, model_id).gas_used
    gas["Releases.rollback"] = releases.send("rollback", line, model_id).gas_used


def inferring(owner: Client, gas: Gas) -> None:
    """A small model of trees, by the judge itself and by the verifier that asks it."""
    nobody, registry = "0x" + "11" * 20, deploy(owner, Artifact.load("Registry"))
    scorer = deploy(owner, Artifact.load("Scorer"))
    judge = deploy(owner, Artifact.load("Judge"), registry.address, nobody, nobody, scorer.address)
    inference = deploy(owner, Artifact.load("Inference"), judge.address)
    model = CanonicalModel.from_parts(forest("two pages", 12, 12))
    chunks = deploy_code(owner, [data_contract_initcode(part) for part in model.chunks()])
    registry.send("register", model.id, chunks, CARD, model.n_features)
    inputs = pack(image([[0.5, -1.0, 2.0, 0.0]])[0])
    output = encode(["int256"], [judge.call("score", model.id, inputs)])
    gas["Judge.score, 12 trees of 13 leaves"] = judge.send("score", model.id, inputs).gas_used
    proof = encode(["bytes32", "bytes"], [SALT, inputs])
    args = (int.from_bytes(model.id), commit(TAG_INPUTS, SALT, inputs), output, proof)
    name = "Inference.verifyInference, the same"
    gas[name] = inference.send("verifyInference", *args).gas_used


def anchoring(owner: Client, gas: Gas) -> Contract:
    anchor = deploy(owner, Artifact.load("Anchor"))

    def to(name: str, old: int, new: int) -> None:
        old_root = uniform.root(old, LEAF) if old else trees.root([])
        proof = uniform.consistency(old, new, LEAF) if old else []
        args = (sha256(name.encode()).digest(), old, old_root, new)
        gas_used = anchor.send("anchor", *args, uniform.root(new, LEAF), proof).gas_used
        gas[f"Anchor.anchor, {name}"] = gas_used

    for old, new in ((10_000, 20_000), (100_000, 110_000), (1_000_000, 1_010_000)):
        name = f"{old:,} to {new:,} records"
        to(name, 0, old)
        to(name, old, new)
    to("first head", 0, 10_000)
    return anchor


def staking(owner: Client, other: Client, gas: Gas) -> Contract:
    """The owner ends bonded; the other was slashed."""
    stakes = deploy(owner, Artifact.load("Stakes"), 0)
    stakes.send("set_judge", owner.address)
    others = Contract(other, stakes.artifact, stakes.address)
    gas["Stakes.deposit"] = others.send("deposit", value=ETHER).gas_used
    gas["Stakes.slash"] = stakes.send("slash", other.address, key("new").address).gas_used
    stakes.send("deposit", value=ETHER)
    gas["Stakes.request_exit"] = stakes.send("request_exit").gas_used
    gas["Stakes.withdraw"] = stakes.send("withdraw").gas_used
    stakes.send("deposit", value=ETHER)
    return stakes


def settling(owner: Client, anchor: Contract, stakes: Contract, gas: Gas) -> None:
    registry, chunk = deploy(owner, Artifact.load("Registry")), data_contract_initcode(MODEL)
    registry.send("register", MODEL_ID, deploy_code(owner, [chunk]), CARD, 1)
    token = deploy(owner, Artifact.load("PaymentToken"))
    parts = (token.address, anchor.address, stakes.address, registry.address)
    bounds = (100, 200, 1_000, ETHER, owner.address, 3600, 10**9, 150, 250, 0, 86_400, 0, 1)
    guard = deploy(owner, Artifact.load("Guard"), *parts, MODEL_ID, *bounds)
    token.send("mint", owner.address, 10**9)
    token.send("approve", guard.address, 2**256 - 1)
    names = (f"payee {n}" for n in range(100))

    def opened(payee: str | None = None) -> int:
        receipt = guard.send("open", payee or key(next(names)).address, 500)
        gas["Guard.open"] = receipt.gas_used
        (event,) = guard.decode_logs("PaymentOpened", receipt.logs)
        return int(event.args["id"])

    def record(payment: int, score: int) -> PredictionRecord:
        request = commit(TAG_REQUEST, SALT, guard.call("request_content", payment))
        now_ms = owner.block().timestamp_s * 1000
        reasons = (1, 2, 3)
        inputs = sha256(b"inputs").digest()
        return PredictionRecord(
            Decision.ALLOW, reasons, payment, now_ms, score, MODEL_ID, request, inputs
        )

    def settle_signed(payment: int, score: int) -> int:
        made, deadline = record(payment, score), owner.block().timestamp_s + 600
        signature = sign_prediction(key("owner"), made, guard.address, 31337, deadline)
        args = (payment, words(made), SALT, deadline, signature)
        return guard.send("settle_signed", *args).gas_used

    def settle_anchored(payment: int, size: int) -> int:
        made = record(payment, 0)
        leaf, name = trees.leaf(made.encode()), sha256(f"{payment}".encode()).digest()
        root = uniform.root(size, leaf)
        receipt = anchor.send("anchor", name, 0, trees.root([]), size, root, [])
        (event,) = anchor.decode_logs("Anchored", receipt.logs)
        index = size // 3
        where = (owner.address, name, size, root, event.args["time"], index)
        proof = uniform.inclusion(index, size, leaf)
        args = (payment, words(made), SALT, *where, proof)
        return guard.send("settle_anchored", *args).gas_used

    for _ in range(2):  # the day's first payment opens a slot; the second is the usual one
        gas["Guard.settle_signed, paid to a new payee"] = settle_signed(opened(), 0)
    payee = key("payee 0").address
    gas["Guard.settle_signed, paid to a known payee"] = settle_signed(opened(payee), 0)
    gas["Guard.settle_signed, held"] = settle_signed(opened(), 300)
    for size in (10_000, 1_000_000):
        name = f"Guard.settle_anchored, paid to a known payee, log of {size:,}"
        gas[name] = settle_anchored(opened(payee), size)
    gas["Guard.release"] = guard.send("release", opened(payee)).gas_used
    gas["Guard.refuse"] = guard.send("refuse", opened(payee)).gas_used


def words(record: PredictionRecord) -> list[bytes]:
    body: Any = record.encode()
    return [body[i : i + 32] for i in range(0, 128, 32)]


def test_gas_is_what_it_was(measured: Gas) -> None:
    if UPDATE:
        SNAPSHOT.write_text(json.dumps(measured, indent=1) + "\n")
    assert measured == json.loads(SNAPSHOT.read_text())


def test_an_anchor_of_10_000_records_costs_less_than_10_gas_a_record(measured: Gas) -> None:
    assert measured["Anchor.anchor, 10,000 to 20,000 records"] < 90_000
    assert measured["Anchor.anchor, 1,000,000 to 1,010,000 records"] < 100_000
