"""What a model costs on chain: stored, registered and called, on a chain made for that and dropped.

Gas is a fact of the bytes and the row, not of the machine: another chain with
the same rules charges the same.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from eth_account import Account

from veridict.chain.client import Client
from veridict.chain.data_contract import data_contract_initcode
from veridict.chain.embedded.chain import EmbeddedChain
from veridict.chain.receipts import Tx
from veridict.models.canonical import CanonicalModel
from veridict.models.image import MISSING, image_of
from veridict.models.layout import TreeModel
from veridict.services.deploy import Network, deploy_network
from veridict.services.registering import must_be_judgeable

CHAIN_ID = 31337
START_MS = 1_700_000_000_000
WEALTH = 10**24  # wei of an account that lives as long as the measurement
CARD = sha256(b"no card: only the price is asked").digest()
MISSING_SHARE = 0.05
CALL_LIMIT = 15_000_000  # gas; several times what the largest model takes

# A contract, and what deploys it. Called with an address (32 bytes) and call data, it calls that
# address twice and logs the gas of the second call, which finds all accounts and slots warm:
#   n = calldatasize - 32;  memory[0:n] = calldata[32:];  call;  g = gas;  call;  log g - gas
_TWICE = bytes.fromhex(
    "60203603806020" "5f37"  # n
    "5f5f825f5f355afa"  # first
    "5a" "5f5f845f5f355afa"  # g, second
    "905a9003" "5f52"  # memory[0:32] = g - gas
    "166027575f5ffd"  # both succeeded, or revert
    "5b60205fa000"
)  # fmt: skip
_DEPLOY = bytes.fromhex(f"60{len(_TWICE):02x}8060095f395ff3")


@dataclass(frozen=True, slots=True)
class ModelGas:
    """Gas of whole transactions. `calls`: Judge.score, one for each row.

    `again`: of a second call in the same transaction, for each row.
    """

    model_id: bytes
    n_bytes: int
    chunks: int
    deployment: int  # of all data contracts
    registration: int
    calls: tuple[int, ...]
    again: tuple[int, ...]

    @property
    def call_median(self) -> int:
        return int(statistics.median(self.calls))

    @property
    def again_median(self) -> int:
        return int(statistics.median(self.again))


def measure(model: CanonicalModel, rows: Sequence[bytes]) -> ModelGas:
    """What `model` costs, called on each of `rows` (packed inputs; at least one).

    Raises UnsupportedModel where it is too large to be registered or judged.
    """
    with throwaway_network() as network:
        return measure_on(network, model, rows)


def measure_on(network: Network, model: CanonicalModel, rows: Sequence[bytes]) -> ModelGas:
    """As `measure`, on a chain where the model is not registered yet."""
    must_be_judgeable(model)
    parts = model.chunks()
    stored = network.client.send_many([Tx(None, data_contract_initcode(part)) for part in parts])
    addresses = [receipt.contract_address for receipt in stored]
    registered = network.registry.send("register", model.id, addresses, CARD, model.n_features)
    twice = network.client.send(Tx(None, _DEPLOY + _TWICE)).contract_address
    return ModelGas(
        model_id=model.id,
        n_bytes=len(model.bytes),
        chunks=len(parts),
        deployment=sum(receipt.gas_used for receipt in stored),
        registration=registered.gas_used,
        calls=tuple(_call_gas(network, model, row) for row in rows),
        again=tuple(_again_gas(network, twice, model, row) for row in rows),
    )


def _call_gas(network: Network, model: CanonicalModel, row: bytes) -> int:
    """With a limit given, the call is not run first to estimate one."""
    return network.judge.send("score", model.id, row, gas=CALL_LIMIT).gas_used


def _again_gas(network: Network, twice: str | None, model: CanonicalModel, row: bytes) -> int:
    asked = network.judge.tx("score", model.id, row)
    data = bytes.fromhex(network.addresses.judge[2:]).rjust(32, b"\0") + asked.data
    (logged,) = network.client.send(Tx(twice, data, gas=2 * CALL_LIMIT)).logs
    return int.from_bytes(logged.data, "big")


@contextmanager
def throwaway_network() -> Iterator[Network]:
    """All contracts on a fresh chain in a temporary directory."""
    account = Account.from_key(sha256(b"veridict: a throw-away account").digest())
    with TemporaryDirectory(prefix="veridict-gas-") as directory:
        chain = EmbeddedChain.open(
            Path(directory),
            chain_id=CHAIN_ID,
            genesis_accounts={account.address: WEALTH},
            clock=lambda: START_MS,
        )
        with chain:
            yield deploy_network(Client(chain, account))


def random_rows(model: CanonicalModel, count: int, seed: int = 1) -> list[bytes]:
    """Packed inputs, the same for the same seed.

    The values of a feature are thresholds that the model asks about, else
    normal numbers; a twentieth is missing.
    """
    rng = random.Random(seed)
    thresholds: list[list[int]] = [[] for _ in range(model.n_features)]
    if isinstance(model.parts, TreeModel):
        for tree in model.parts.trees:
            for node in tree.nodes:
                thresholds[node.feature].append(node.threshold)

    def value(feature: int) -> int:
        if rng.random() < MISSING_SHARE:
            return MISSING
        return rng.choice(thresholds[feature] or [image_of(rng.gauss(0, 1))])

    return [
        b"".join(value(feature).to_bytes(8, "big") for feature in range(model.n_features))
        for _ in range(count)
    ]
