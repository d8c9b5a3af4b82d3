"""Which blocks a chain will not take back."""

from __future__ import annotations

from veridict.chain.client import Client
from veridict.core.errors import NotFound, Refused

CONFIRMATIONS = 64  # two epochs of Ethereum's proof of stake, after which a block is final there


class Finality:
    """The number of the last final block, by a node's own word or by counting confirmations.

    A node that knows finality tells it by the tag `finalized`. Where it does not (many
    consortium chains), a block is taken for final that has `confirmations` blocks on top.
    """

    def __init__(self, client: Client, confirmations: int = CONFIRMATIONS) -> None:
        self._client = client
        self._confirmations = confirmations

    def __call__(self) -> int:
        """0 while nothing but the genesis is final. Raises RpcUnavailable."""
        try:
            return self._client.block("finalized").number
        except (Refused, NotFound):  # no such tag, or nothing final yet
            return max(0, self._client.block_number() - self._confirmations)
