"""What waits to be mined, where a node tells: decided before it settles.

A transaction that waits promises nothing: it may fail, be replaced, or never be mined. When it is
mined as it was announced, it is the same payment and has its decision already.
"""

from __future__ import annotations

from veridict.core.errors import Refused
from veridict.core.ports import Clock, Rpc
from veridict.watch.feeds.base import Dropped
from veridict.watch.feeds.evm_blocks import Maker, nonsense
from veridict.watch.feeds.normal import Event

MOST = 2048  # transactions asked for at one look


class Pending:
    """Raises Refused where the node offers no filter of what waits."""

    def __init__(self, rpc: Rpc, maker: Maker, clock: Clock) -> None:
        self._rpc, self._maker, self._clock = rpc, maker, clock
        self._filter = self._fresh()

    def look(self) -> list[Event | Dropped]:
        """What has come since the last look."""
        try:
            hashes = self._rpc.call("eth_getFilterChanges", [self._filter])
        except Refused:  # the node forgot it; what was missed is seen when it is mined
            self._filter = self._fresh()
            return []
        if not isinstance(hashes, list):
            raise nonsense("eth_getFilterChanges", hashes)
        asked = [("eth_getTransactionByHash", [hash]) for hash in hashes[:MOST]]
        now_s, found = self._clock() // 1000, list[Event | Dropped]()
        for tx in self._rpc.batch(asked):
            if isinstance(tx, dict) and tx.get("blockHash") is None:
                found += self._maker.pending(tx, now_s)
        if len(hashes) > MOST:
            why = f"{len(hashes)} transactions came to wait at once"
            found.append(Dropped("", "flood", why, len(hashes) - MOST))
        return found

    def _fresh(self) -> str:
        try:
            return str(self._rpc.call("eth_newPendingTransactionFilter", []))
        except Refused as problem:
            raise Refused(
                f"this node does not tell what waits to be mined: {problem.message}",
                remedy="follow its blocks alone, or ask a node that has a pool",
                reason="no pending filter",
            ) from problem
