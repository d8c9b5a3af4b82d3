"""One measured figure, beside the best peer that was measured in the same run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`name` is `subject.figure`, e.g. "demo.decisions_per_s"; `peer` is empty where none exists.

    `command` and `machine` are filled in by the runner if left empty.
    """

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    command: str = ""
    machine: str = ""
