"""The network kept in view: forecasts, plans, and every change of mind written to the log.

catch up → forecast → (attest) → plan;   findings, fallbacks, retrainings → the log
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from veridict.control.blocks import BlockTable
from veridict.control.forecast import Forecast
from veridict.control.forecaster import Forecaster
from veridict.control.learning import FeeModels
from veridict.control.posting import Ask, should_post
from veridict.control.waiting import Planner
from veridict.core.errors import BadInput
from veridict.core.nouns import Finding
from veridict.core.ports import Clock
from veridict.services.network.follow import Follower
from veridict.services.network.source import BlockSource
from veridict.services.records import NetworkRecord

WARM_BLOCKS = 60_000  # of the past that features remember
Tell = Callable[[NetworkRecord], object]


def untold(record: NetworkRecord) -> None:
    """For who keeps no log."""


@dataclass(frozen=True, slots=True)
class PostingPlan:
    """Whether to post a batch now. `accepted_wei`: up to which fee; None at the deadline."""

    post: bool
    fee_wei: int
    accepted_wei: int | None
    left_blocks: int
    by: str  # "forecast" or "threshold"

    @property
    def why(self) -> str:
        if self.accepted_wei is None:
            return "the deadline leaves no time to wait"
        than = "at most" if self.post else "above"
        return f"the next block's fee is {than} what the {self.by} would pay now"


@dataclass(slots=True)
class NetworkWatch:
    """One chain in view. `live`: the source's blocks are of now, so the clock can judge them."""

    source: BlockSource
    models: FeeModels
    planner: Planner
    clock: Clock
    live: bool = True
    tell: Tell = untold
    forecaster: Forecaster = field(init=False)
    _follower: Follower = field(init=False)
    _told_changes: int = 0

    def __post_init__(self) -> None:
        self.forecaster = Forecaster(self.models)
        self._follower = Follower(self.source, self.forecaster)

    def begin(self, past: BlockTable) -> None:
        """Show what came before; `catch_up` goes on behind it."""
        if not len(past):
            raise BadInput("there is no past to begin with", remedy="pass some blocks")
        self.forecaster.warm_up(past)

    def catch_up(self) -> list[Finding]:
        """New blocks in; findings and fallbacks are told to the log. Raises RpcUnavailable."""
        now_s = self.clock() // 1_000 if self.live else None
        found = self._follower.catch_up(now_s=now_s)
        for finding in found:
            self._note(finding.code, finding.sentence())
        for change in self.forecaster.changes[self._told_changes :]:
            self._note("fell-back" if change.fallen_back else "returned", change.sentence())
        self._told_changes = len(self.forecaster.changes)
        return found

    def forecast(self) -> Forecast:
        return self.forecaster.forecast()

    def plan(self, deadline_s: float) -> PostingPlan:
        """Whether to post now a batch that must be posted within `deadline_s`.

        The planner answers while the source is trusted and its models hold; else its
        threshold does.
        """
        forecast, forecaster = self.forecast(), self.forecaster
        left = max(1, int(deadline_s / self.models.block_time_s))
        by_model = forecast.trusted and not self.off_regime
        ask = Ask(
            left,
            forecast.next_fee_wei,
            forecaster.recent_fees(),
            forecaster.row if by_model else None,
        )
        post = should_post(self.planner, ask)
        accepted = None if left <= 1 else self.planner.accepts(ask)
        return PostingPlan(
            post, forecast.next_fee_wei, accepted, left, "forecast" if by_model else "threshold"
        )

    @property
    def off_regime(self) -> bool:
        """Whether more than half of the horizons have fallen back to the formula."""
        held = [c.fallen_back for c in self.forecaster.calibrations.values()]
        return sum(held) >= ceil((len(held) + 1) / 2)

    def _note(self, event: str, text: str) -> None:
        last = self.forecaster.intake.last
        number = last.number if last is not None else 0
        self.tell(NetworkRecord(event, number, text, self.clock()))
