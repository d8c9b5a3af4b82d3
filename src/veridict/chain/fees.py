"""What gas costs: now, and in the blocks before. All figures are wei per unit of gas."""

from __future__ import annotations

from dataclasses import dataclass

from veridict.chain.client import Client

MOST_BLOCKS = 1024  # nodes answer no more at once


@dataclass(frozen=True, slots=True)
class Fees:
    """`next_wei` is what inclusion in the next block costs, `recent_wei` what it did, oldest first.

    Base fee and the node's suggested tip together; the tip of the moment stands in for those
    of the past, so that both are compared alike.
    """

    next_wei: int
    recent_wei: tuple[int, ...]


class FeeHistory:
    """The fees of the last `blocks` blocks, asked for anew at every call."""

    def __init__(self, client: Client, blocks: int = 256) -> None:
        self._client = client
        self._blocks = min(blocks, MOST_BLOCKS)

    def __call__(self) -> Fees:
        """Raises RpcUnavailable, or Refused where the chain has no fee history."""
        history, tip_hex = self._client.rpc.batch(
            [
                ("eth_feeHistory", [hex(self._blocks), "latest", []]),
                ("eth_maxPriorityFeePerGas", []),
            ]
        )
        tip = int(tip_hex, 16)
        base = [int(fee, 16) + tip for fee in history["baseFeePerGas"]]
        return Fees(base[-1], tuple(base[:-1]))
