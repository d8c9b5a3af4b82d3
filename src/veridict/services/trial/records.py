"""What the log says of trials and of drift; see `services.records`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class ChallengerRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="challenger"):
    """`began`: the model scores beside the one at work from now on; `ended`: no longer.

    `promoted`: it has been put to work, by the release on chain that its model record follows.
    """

    model_id: str
    event: Literal["began", "ended", "promoted"]
    card: dict[str, Any]
    time_ms: int


class DriftRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="drift"):
    """The rows of the predictions `first` to `last` (sequences) are unlike those learned from.

    `what`: a feature's name, or "score". Decimals as text: `psi` and `ks` as measured, and the
    limits that they had to pass; unchanged data pass them in a share `rate` of windows at most.
    """

    model_id: str
    what: str
    psi: str
    psi_limit: str
    ks: str
    ks_limit: str
    rate: str
    rows: int
    first: int
    last: int
    time_ms: int
