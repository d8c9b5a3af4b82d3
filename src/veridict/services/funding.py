"""The other roles of a home pay for their few transactions from the operator's purse."""

from __future__ import annotations

from eth_account.signers.local import LocalAccount

from veridict.chain.receipts import Tx
from veridict.services.node import Node

ALLOWANCE_WEI = 5 * 10**16


def funded(node: Node, role: str) -> LocalAccount:
    """The account of `role`, with enough ether from the operator for a few transactions."""
    account = node.parts.keyring.account(role)
    client = node.network.client
    short = ALLOWANCE_WEI - client.balance(account.address)
    if short > 0:
        client.send(Tx(to=account.address, data=b"", value=short))
    return account
