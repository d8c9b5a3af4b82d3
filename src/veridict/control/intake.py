"""What comes from a source becomes clean blocks; whatever was wrong becomes a finding.

    chain.gap            numbers are missing
    chain.reorg          a number comes again with another block
    block.no-gas-limit   the limit is carried over from the block before
    fee.zero             no base fee: the formula's stands in
    fee.off-formula      the fee is not what the formula gives from the block before
    fee.alarm            so far off, or so often, that the source cannot be believed
    clock.backwards      a block is not later than its predecessor
    clock.ahead          a block is from the future, by this machine's clock

Off the formula once is a slip in somebody's data (0.27 % of the pairs in a public record of
mainnet); a jump that no block can make, or several slips within a short time, is an alarm.
After an alarm, a gap or a reorganisation the forecast is the formula's for a while
(`trusted`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from veridict.control.base_fee import MAINNET, FeeRule
from veridict.control.blocks import Block
from veridict.core.nouns import Finding

SLIPS, SLIP_BLOCKS = 4, 32  # so many within so many blocks are an alarm
RECOVERY_BLOCKS = 25
AHEAD_S = 60
DOUBTED = ("chain.gap", "chain.reorg", "fee.alarm", "fee.zero", "clock.ahead")


@dataclass(slots=True)
class Intake:
    """Give it every block, in the order in which the source tells them."""

    rule: FeeRule = MAINNET
    block_time_s: int = 12
    last: Block | None = None
    trusted_from: int = 0
    _slips: deque[int] = field(default_factory=deque)

    def accept(
        self, told: Block, *, now_s: int | None = None
    ) -> tuple[Block | None, list[Finding]]:
        """The clean block, None where there is none to use; and what was wrong with it.

        A reorganised block is given back like any other: its number is not above `last`.
        """
        before, where = self.last, f"block {told.number}"
        found: list[Finding] = []
        if before is not None and told.number <= before.number:
            if (told.number, told.hash) == (
                before.number,
                before.hash,
            ) and told.time_s == before.time_s:
                return None, found
            found.append(
                Finding("chain.reorg", where, f"block {before.number + 1}", told.hash or "again")
            )
            before = None
        elif before is not None and told.number > before.number + 1:
            found.append(Finding("chain.gap", where, f"block {before.number + 1}", where))
            before = replace(before, gas_limit=0)  # no formula across a gap
        clean = self._limit(told, where, found)
        if clean is not None:
            clean = self._fee(clean, before, where, found)
        if clean is not None:
            clean = self._time(clean, self.last if before else None, where, found, now_s)
            self.last = clean
        if any(finding.code in DOUBTED for finding in found):
            self.trusted_from = told.number + RECOVERY_BLOCKS
        return clean, found

    @property
    def trusted(self) -> bool:
        """Whether the last blocks were in order: else the formula stands in for the forecast."""
        return self.last is not None and self.last.number >= self.trusted_from

    def _limit(self, told: Block, where: str, found: list[Finding]) -> Block | None:
        if told.gas_limit >= self.rule.elasticity:
            return told
        found.append(Finding("block.no-gas-limit", where, "a gas limit", str(told.gas_limit)))
        if self.last is None:
            return None
        return replace(told, gas_limit=self.last.gas_limit)

    def _fee(
        self, told: Block, before: Block | None, where: str, found: list[Finding]
    ) -> Block | None:
        expected = 0
        if before is not None and before.gas_limit >= self.rule.elasticity:
            expected = self.rule.next(before.base_fee_wei, before.gas_used, before.gas_limit)
        if told.base_fee_wei <= 0:
            found.append(Finding("fee.zero", where, f"{expected or 'a positive'} wei", "0 wei"))
            return replace(told, base_fee_wei=expected) if expected else None
        if expected and expected != told.base_fee_wei:
            found.append(
                Finding("fee.off-formula", where, f"{expected} wei", f"{told.base_fee_wei} wei")
            )
            self._slips.append(told.number)
        while self._slips and self._slips[0] <= told.number - SLIP_BLOCKS:
            self._slips.popleft()
        jump = abs(told.base_fee_wei - expected) * self.rule.denominator > expected > 0
        if jump or len(self._slips) >= SLIPS:
            found.append(
                Finding("fee.alarm", where, "the formula's base fees", f"{len(self._slips)} others")
            )
            self._slips.clear()
        return told

    def _time(
        self,
        told: Block,
        before: Block | None,
        where: str,
        found: list[Finding],
        now_s: int | None,
    ) -> Block:
        time_s = told.time_s
        if now_s is not None and time_s > now_s + AHEAD_S:
            found.append(Finding("clock.ahead", where, f"at most {now_s} s", f"{time_s} s"))
        if before is not None and time_s < before.time_s:
            found.append(
                Finding("clock.backwards", where, f"after {before.time_s} s", f"{time_s} s")
            )
            time_s = before.time_s + self.block_time_s
        return replace(told, time_s=time_s) if time_s != told.time_s else told
