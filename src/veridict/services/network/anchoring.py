"""The planner as the rule by which anchors are posted (`anchoring.schedule.Rule`).

It is asked for the fee it accepts; the schedule holds it to the deadline. Where the chain
cannot be followed, or its blocks are doubted, the tuned threshold answers from the fees that
the schedule itself has seen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from veridict.control.posting import Ask, Threshold
from veridict.core.clock import wall_clock_ms
from veridict.core.errors import VeridictError
from veridict.core.ports import Clock, Rpc
from veridict.services.anchoring.schedule import Moment
from veridict.services.network.desk import open_watch
from veridict.services.network.source import RpcBlocks
from veridict.services.network.watch import NetworkWatch, Tell, untold

_log = logging.getLogger(__name__)


class ForecastRule:
    """A `Rule`: `plan.rule = ForecastRule(opened)`. Follows the chain whenever it is asked.

    `opened` gives the watch at the first call that succeeds: a chain too young to have a past
    holds nothing up.
    """

    def __init__(self, opened: Callable[[], NetworkWatch]) -> None:
        self._open = opened
        self._watch: NetworkWatch | None = None
        self.answered_by = "threshold"

    @classmethod
    def of(
        cls, folder: Path, rpc: Rpc, *, clock: Clock = wall_clock_ms, tell: Tell = untold
    ) -> ForecastRule:
        """With the models that lie in `folder`, on the chain that `rpc` serves."""
        return cls(lambda: open_watch(folder, RpcBlocks(rpc), clock, live=True, tell=tell))

    def __call__(self, moment: Moment) -> int:
        """The highest fee to pay now, tip included, wei a gas."""
        left_s = moment.last_call_s - moment.waited_s
        try:
            watch = self._watch = self._watch or self._open()
            watch.catch_up()
            plan = watch.plan(max(left_s, 2.0 * watch.models.block_time_s))
        except VeridictError as problem:
            _log.warning("forecast: %s: %s", problem.code, problem.message)
            return self._by_threshold(moment, left_s)
        self.answered_by = plan.by
        # The schedule compares what inclusion costs: the base fee and the tip of the moment.
        tip = max(0, moment.fee_wei - plan.fee_wei)
        return (plan.accepted_wei or 0) + tip

    def _by_threshold(self, moment: Moment, left_s: float) -> int:
        self.answered_by = "threshold"
        if self._watch is None:
            rule, block_time_s = Threshold(), 12
        else:
            rule, block_time_s = self._watch.planner.threshold, self._watch.models.block_time_s
        left = max(2, int(left_s / block_time_s))
        return rule.accepts(Ask(left, moment.fee_wei, moment.recent_wei))
