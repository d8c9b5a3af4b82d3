"""From a network in view to what people see: fan, load, wait, plan, and how well it was said."""

from __future__ import annotations

from veridict.control.horizons import LEVELS
from veridict.services.network.views import FanView, InclusionView, OutlookView, PlanView
from veridict.services.network.watch import NetworkWatch, PostingPlan

SHOWN_BLOCKS = 150
GWEI = 10**9


def outlook(
    watch: NetworkWatch, *, caps_gwei: tuple[float, ...] = (), deadline_s: float | None = None
) -> OutlookView:
    """As of the last block that `watch` has seen. Raises NotFound before the first."""
    forecast, forecaster = watch.forecast(), watch.forecaster
    loads = {load.horizon: load for load in forecast.loads()}
    fans = []
    for fan in forecast.fans:
        held, load = forecaster.calibrations[fan.horizon], loads[fan.horizon]
        fees = (_gwei(wei) for wei in (fan.low_wei, fan.point_wei, fan.high_wei))
        low, point, high = fees
        fans.append(
            FanView(
                fan.horizon, low, point, high,
                round(load.low, 4), round(load.point, 4), round(load.high, 4), fan.by_model,
                round(held.covered, 4), [round(share, 4) for share in held.shares],
                round(held.model_error, 5), round(held.formula_error, 5),
            )
        )  # fmt: skip
    waits = (forecast.inclusion(round(cap * GWEI)) for cap in caps_gwei)
    return OutlookView(
        block=forecast.number,
        time_s=forecast.time_s,
        next_fee_gwei=_gwei(forecast.next_fee_wei),
        trusted=forecast.trusted,
        trained_to_block=watch.models.last,
        levels=list(LEVELS),
        recent=[_gwei(fee) for fee in forecaster.recent_fees()[-SHOWN_BLOCKS:]],
        fans=fans,
        inclusion=[
            InclusionView(_gwei(wait.cap_wei), wait.likely_blocks, wait.sure_blocks)
            for wait in waits
        ],
        plan=None if deadline_s is None else plan_view(watch.plan(deadline_s)),
        findings=[finding.sentence() for finding in forecaster.findings][-20:],
        changes=[change.sentence() for change in forecaster.changes][-20:],
    )


def plan_view(plan: PostingPlan) -> PlanView:
    accepted = None if plan.accepted_wei is None else _gwei(plan.accepted_wei)
    return PlanView(plan.post, _gwei(plan.fee_wei), accepted, plan.left_blocks, plan.by, plan.why)


def _gwei(wei: int) -> float:
    return round(wei / GWEI, 6)
