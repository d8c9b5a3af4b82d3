"""What people see of a network: plain values, kept as JSON where the dashboard finds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from veridict.core.errors import BadInput, StorageFailed

FOLDER = "network"  # of a home
OUTLOOK = "outlook.json"


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
