"""What a member's log says of a federation; see `services.records`."""

from __future__ import annotations

from typing import Literal

import msgspec


class PrivacyRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="privacy"):
    """An update of `member` is about to leave: what it and all before it cost this data owner.

    `releases`: updates so far. Decimals as text: `epsilon` at `delta` spent, `budget` allowed.
    """

    federation: str
    member: int
    round: int
    releases: int
    unit: Literal["row", "party"]
    noise: Literal["local", "shared"]
    epsilon: str
    delta: str
    budget: str
    time_ms: int
