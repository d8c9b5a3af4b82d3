"""The forecaster kept at a source's head: new blocks, reorganisations, a head that stands still.

Every look reads the last known block again: another hash there is a reorganisation, and the
blocks are taken anew from where both chains agree, as far as they are remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from veridict.control.blocks import Block
from veridict.control.forecaster import Forecaster
from veridict.core.errors import NotFound
from veridict.core.nouns import Finding
from veridict.services.network.source import BlockSource

REMEMBERED = 128  # blocks whose hashes are kept
STALE_BLOCKS = 10  # block times without a block
MOST_AT_ONCE = 2_000


@dataclass(slots=True)
class Follower:
    """`catch_up` as often as you like; it never waits for blocks."""

    source: BlockSource
    forecaster: Forecaster
    _hashes: OrderedDict[int, str] = field(default_factory=OrderedDict)

    def catch_up(self, *, now_s: int | None = None) -> list[Finding]:
        """Show the forecaster what is new; returns what was wrong. Raises RpcUnavailable.

        `now_s`: this machine's clock, None for blocks of the past.
        """
        head = self.source.head()
        known = self.forecaster.intake.last
        if known is None:
            raise NotFound("the forecaster has no past", remedy="warm it up first")
        start = self._agreed(min(head, known.number)) + 1
        found: list[Finding] = []
        for first in range(start, head + 1, MOST_AT_ONCE):
            blocks = self.source.read(first, min(first + MOST_AT_ONCE - 1, head))
            found += self.forecaster.see(blocks, now_s=now_s)
            self._remember(blocks)
        if now_s is not None:
            found += self._stale(now_s)
        return found

    def _agreed(self, newest: int) -> int:
        """The last block on which the source and we agree; `newest` where hashes are unknown."""
        for number in range(newest, newest - REMEMBERED, -1):
            ours = self._hashes.get(number)
            if ours is None:
                return number
            theirs = self.source.read(number, number)
            if theirs and theirs[0].hash == ours:
                return number
        return newest - REMEMBERED

    def _remember(self, blocks: list[Block]) -> None:
        for block in blocks:
            if block.hash:
                self._hashes[block.number] = block.hash
        while len(self._hashes) > REMEMBERED:
            self._hashes.popitem(last=False)

    def _stale(self, now_s: int) -> list[Finding]:
        last = self.forecaster.intake.last
        allowed = STALE_BLOCKS * self.forecaster.models.block_time_s
        if last is None or now_s - last.time_s <= allowed:
            return []
        self.forecaster.doubt()
        finding = Finding(
            "chain.stale",
            f"block {last.number}",
            f"a block within {allowed} s",
            f"none for {now_s - last.time_s} s",
        )
        self.forecaster.findings.append(finding)
        return [finding]
