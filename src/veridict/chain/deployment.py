"""Putting contracts on the chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from veridict.chain.abi import Abi, encode_arguments
from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.receipts import Tx, TxReceipt
from veridict.core.errors import Refused


def deploy(client: Client, artifact: Artifact, *args: Any) -> Contract:
    """Deploys and waits. Raises as `Client.send`."""
    receipt = client.send(deployment(artifact, *args))
    return Contract(client, artifact, created(receipt, artifact.name))


def deployment(artifact: Artifact, *args: Any) -> Tx:
    """The transaction that deploys `artifact` with these constructor arguments."""
    types = Abi(artifact.name, artifact.abi).constructor
    arguments = encode_arguments(f"{artifact.name}'s constructor", types, args)
    return Tx(None, artifact.bytecode + arguments, label=f"deployment of {artifact.name}")


def deploy_code(client: Client, initcodes: Sequence[bytes], label: str = "code") -> list[str]:
    """Addresses of the code that each of `initcodes` returns, deployed in one batch."""
    txs = [Tx(None, initcode, label=f"deployment of {label}") for initcode in initcodes]
    return [created(receipt, label) for receipt in client.send_many(txs)]


def created(receipt: TxReceipt, name: str) -> str:
    if receipt.contract_address is None:
        raise Refused(
            f"the deployment of {name} created no contract",
            remedy="check that the RPC is an EVM node",
            reason="the receipt has no contract address",
            tx_hash=receipt.hash,
        )
    return receipt.contract_address
