"""What people see of a network: the fan, the load, the wait, the plan, and how well it was said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from veridict.control.horizons import LEVELS
from veridict.core.errors import BadInput, StorageFailed
from veridict.services.network.watch import NetworkWatch, PostingPlan

OUTLOOK = "outlook.json"
SHOWN_BLOCKS = 150
GWEI = 10**9


@dataclass(frozen=True, slots=True)
class FanView:
    """Fees in gwei of the block `horizon` after the head; loads over target until then."""

    horizon: int
    low: float
    point: float
    high: float
    load_low: float
    load: float
    load_high: float
    by_model: bool
    covered: float  # of 80 % intervals, lately
    shares: list[float]  # of fees at most each quantile, lately
    model_error: float
    formula_error: float


@dataclass(frozen=True, slots=True)
class InclusionView:
    cap_gwei: float
    likely_blocks: int | None
    sure_blocks: int | None


@dataclass(frozen=True, slots=True)
class PlanView:
    post: bool
    fee_gwei: float
    accepted_gwei: float | None
    left_blocks: int
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class OutlookView:
    """Plain values, ready for JSON. `recent`: fees in gwei of the last blocks, oldest first."""

    block: int
    time_s: int
    next_fee_gwei: float
    trusted: bool
    trained_to_block: int
    levels: list[float]
    recent: list[float]
    fans: list[FanView]
    inclusion: list[InclusionView]
    plan: PlanView | None
    findings: list[str]
    changes: list[str]


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


def keep(folder: Path, view: OutlookView) -> None:
    """Where the dashboard finds it. Raises StorageFailed."""
    partial = folder / f"{OUTLOOK}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(msgspec.json.encode(view))
        partial.replace(folder / OUTLOOK)
    except OSError as problem:
        raise StorageFailed(
            f"{folder} cannot be written: {problem.strerror}", remedy="free or choose a folder"
        ) from problem


def kept(folder: Path) -> OutlookView | None:
    """The outlook kept last; None where there is none. Raises BadInput if it is damaged."""
    path = folder / OUTLOOK
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=OutlookView)
    except msgspec.DecodeError as problem:
        raise BadInput(
            f"{path.name} is damaged: {problem}", remedy="run `veridict network forecast` again"
        ) from problem


def _gwei(wei: int) -> float:
    return round(wei / GWEI, 6)
