"""A federation's rounds as the dashboard shows them, kept in a member's folder as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from veridict.core.errors import BadInput

FILE = "rounds.json"


@dataclass(frozen=True, slots=True)
class RefusalView:
    member: int
    finding: str
    text: str


@dataclass(frozen=True, slots=True)
class PartView:
    """`part` of the step, 0 to 1; of a masked group all have the group's. `paid`: wei."""

    member: int
    part: float
    paid: str


@dataclass(frozen=True, slots=True)
class RoundView:
    """`loss`: mean log loss on the root batch; None while nothing is learned, or without one."""

    number: int
    outcome: str  # under way, final, failed
    phase: str
    committed: list[int]
    revealed: list[int]
    parts: list[PartView]
    refusals: list[RefusalView]
    loss: float | None


@dataclass(frozen=True, slots=True)
class MemberView:
    """`epsilon`: spent, as the member's own record says; None where none is counted."""

    number: int
    owner: str
    stake: str
    stands: bool
    punished: list[str]
    epsilon: str | None


@dataclass(frozen=True, slots=True)
class FederationView:
    name: str
    contract: str
    learner: str
    mode: str
    rule: str
    member: int
    finished: bool
    budget: str | None
    members: list[MemberView]
    rounds: list[RoundView]  # the newest first


def kept_at(path: Path) -> FederationView | None:
    """None where there is none. Raises BadInput if it is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=FederationView)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInput(f"{path} is damaged: {error}", remedy="remove it") from error


def kept(home: Path) -> list[FederationView]:
    """Of all federations that this home has joined."""
    found = [kept_at(path) for path in sorted((home / "federation").glob(f"*/{FILE}"))]
    return [view for view in found if view is not None]
