"""Any EVM chain by JSON-RPC, followed block by block: each must be the child of the one before.

A block that is not is a reorganisation: what the lost blocks held is retracted, newest first, and
the blocks in their place are read. With `confirmations` a block is read when so many stand on it,
and retractions become as rare as one wishes. After a cut the feed goes on behind its cursor, which
carries the last hashes: a reorganisation in the meantime is seen too.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from veridict.core.clock import wall_clock_ms
from veridict.core.errors import Refused
from veridict.core.ports import Clock, Rpc
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.base import Arrived, Dropped, Item, Outcome, Passed, Retracted
from veridict.watch.feeds.evm_blocks import (
    TRANSFER,
    Head,
    Maker,
    head_of,
    hex_of,
    nonsense,
    number_of,
    txs_of,
)
from veridict.watch.feeds.evm_pending import Pending
from veridict.watch.feeds.normal import Event

REMEMBERED = 128  # blocks whose payments can be retracted
IN_CURSOR = 24  # of them whose hashes are in the cursor
SHORT = 18  # characters of a hash there: 0x and 8 bytes
POLL_S = 0.5
ALL = "all"


@dataclass(frozen=True, slots=True)
class _Known:
    """A block that was given. `ids` of its payments; None where a restart forgot them.

    `hash` may be its beginning alone, from a cursor; an empty one is any block.
    """

    number: int
    hash: str
    ids: tuple[str, ...] | None = None

    def fits(self, hash: str) -> bool:
        return hash.startswith(self.hash)


@dataclass(slots=True)
class ChainFeed:
    """A `Feed`. `since`: the first block of a chain never followed, the next one by default.

    `tokens`: the ERC-20 contracts to follow, in any case; none for all. `pending`: also what waits
    to be mined. `until_head`: ends when it has caught up. Raises RpcUnavailable.
    """

    rpc: Rpc
    assets: Assets = field(default_factory=Assets)
    confirmations: int = 0
    since: int | None = None
    tokens: Iterable[str] = ()
    pending: bool = False
    until_head: bool = False
    clock: Clock = wall_clock_ms
    sleep: Callable[[float], None] = time.sleep
    name: str = field(init=False)
    live: bool = field(init=False, default=True)
    ended: bool = field(init=False, default=False)
    _maker: Maker = field(init=False)
    _pool: Pending | None = field(init=False, default=None)
    _known: deque[_Known] = field(init=False)
    _waiting: deque[Item | Passed] = field(init=False, default_factory=deque)
    _partly: tuple[_Known, int] | None = field(init=False, default=None)
    _top: int = field(init=False, default=-1)  # the last block to read, as last heard

    def __post_init__(self) -> None:
        self.name = f"eip155:{int(self.rpc.call('eth_chainId', []), 16)}"
        tokens = frozenset(token.lower() for token in self.tokens)
        self._maker = Maker(self.name, self.assets, tokens)
        self._known = deque(maxlen=REMEMBERED)

    def start(self, cursor: str) -> None:
        """`cursor`: number of the last block, how much of it was given, and the last hashes."""
        self._waiting.clear()
        self._known.clear()
        self._partly, self._top = None, -1
        if cursor:
            number, given, hashes = cursor.split(":")
            shorts = hashes.split(",")
            first = int(number) - len(shorts) + 1
            self._known += [_Known(first + at, short) for at, short in enumerate(shorts)]
            if given != ALL:  # read the last block again
                self._partly = self._known.pop(), int(given)
                self._known = self._known or deque([_Known(int(number) - 1, "")], REMEMBERED)
        if self.pending:
            self._pool = Pending(self.rpc, self._maker, self.clock)

    def pull(self, most: int, wait_s: float) -> Sequence[Item | Passed]:
        end = time.monotonic() + wait_s
        while not self._waiting:
            if not self._step():
                left_s = end - time.monotonic()
                if self.ended or left_s <= 0:
                    break
                self.sleep(min(POLL_S, left_s))
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def told(self, outcomes: Sequence[Outcome]) -> None:
        """A chain waits for nobody."""

    def close(self) -> None:
        self._waiting.clear()

    # -- following ---------------------------------------------------------------------------

    def _step(self) -> bool:
        """One block further, or back; whether there was anything to do."""
        if self._block():
            return True
        if self._pool is not None:
            at = self._cursor(ALL) if self._known else ""
            self._waiting += [_placed(one, at) for one in self._pool.look()]
        self.ended = self.until_head and not self._waiting
        return bool(self._waiting)

    def _block(self) -> bool:
        last = self._known[-1] if self._known else None
        if last is None or last.number >= self._top:
            self._top = int(self.rpc.call("eth_blockNumber", []), 16) - self.confirmations
        if last is None:
            return self._begin()
        if last.number >= self._top:
            return self._stale()
        return self._read(last)

    def _begin(self) -> bool:
        """A chain that was never followed: at `since`, or behind its present head."""
        if self.since is not None:
            self._known.append(_Known(self.since - 1, "", ()))
            return True
        head = self._head(max(0, self._top))
        if head is not None:
            self._known.append(_Known(head.number, head.hash, ()))
            self._waiting.append(Passed(self._cursor(ALL)))
        return head is not None

    def _stale(self) -> bool:
        """The head has not grown: is it still the block that we know?"""
        known = next((one for one in reversed(self._known) if one.number <= self._top), None)
        head = self._head(known.number) if known is not None and known.number >= 0 else None
        if known is None or head is None or known.fits(head.hash):
            return False
        self._take_back()
        return True

    def _read(self, last: _Known) -> bool:
        block = self.rpc.call("eth_getBlockByNumber", [hex(last.number + 1), True])
        if block is None:
            self._top = -1  # the chain became shorter
            return False
        head = head_of(block)
        if not last.fits(head.parent):
            self._take_back()
            return True
        try:
            found = self._payments(head, block)
        except Refused:  # the block went while it was read: see what is there now
            return False
        self._give(head, found)
        return True

    def _payments(self, head: Head, block: Any) -> list[Event | Dropped]:
        txs = txs_of(block)
        paying = [hex_of(tx, "hash") for tx in txs if number_of(tx, "value")]
        calls = [("eth_getTransactionReceipt", [hash]) for hash in paying]
        query = {"blockHash": head.hash, "topics": [TRANSFER]}
        logs, *receipts = self.rpc.batch([("eth_getLogs", [query]), *calls])
        if any(one is None or hex_of(one, "blockHash") != head.hash for one in receipts):
            raise Refused("the block is gone", remedy="read it again", reason="reorganised")
        if not isinstance(logs, list):
            raise nonsense("eth_getLogs", logs)
        return self._maker.of_block(head, txs, dict(zip(paying, receipts, strict=True)), logs)

    def _give(self, head: Head, found: Sequence[Event | Dropped]) -> None:
        ids = tuple(one.id for one in found if isinstance(one, Event))
        skip = 0
        if self._partly is not None:
            partly, given = self._partly
            self._partly = None
            if partly.fits(head.hash):
                skip = given
            else:
                self._retract(partly)
        self._known.append(_Known(head.number, head.hash, ids))
        for number, one in enumerate(found, start=1):
            if number > skip:
                given_now = ALL if number == len(found) else str(number)
                self._waiting.append(_placed(one, self._cursor(given_now)))
        if len(found) <= skip:
            self._waiting.append(Passed(self._cursor(ALL)))

    def _take_back(self) -> None:
        lost = self._known.pop()
        if not self._known:  # deeper than we remember: whatever stands below is taken for ours
            self._known.append(_Known(lost.number - 1, ""))
        self._top = -1
        self._retract(lost)

    def _retract(self, lost: _Known) -> None:
        why = f"block {lost.number} ({lost.hash}) is no longer on the chain"
        unknown = (f"{self.name}/block/{lost.number}/{lost.hash}",)
        ids = unknown if lost.ids is None else lost.ids
        at = self._cursor(ALL)
        self._waiting += [Retracted(at, id, why) for id in reversed(ids)]

    def _head(self, number: int) -> Head | None:
        block = self.rpc.call("eth_getBlockByNumber", [hex(number), False])
        return None if block is None else head_of(block)

    def _cursor(self, given: str) -> str:
        recent = [one.hash[:SHORT] for one in list(self._known)[-IN_CURSOR:]]
        return f"{self._known[-1].number}:{given}:{','.join(recent)}"


def _placed(one: Event | Dropped, cursor: str) -> Item:
    if isinstance(one, Dropped):
        return Dropped(cursor, one.code, one.why, one.count, one.sample)
    return Arrived(cursor, one)
