"""Progress is data handed to a callback: the CLI draws it, the web streams it, tests compare it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from veridict.core.nouns import Stage


@dataclass(frozen=True, slots=True)
class Step:
    """`done` of `total` (None where unknown) units of work called `title` in `stage`.

    `stage` is None before the first prediction, while its model is made.
    """

    stage: Stage | None
    title: str
    done: int = 0
    total: int | None = None
    facts: dict[str, str | int | float] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        return self.total is not None and self.done >= self.total


Progress = Callable[[Step], None]


def silent(step: Step) -> None:
    """The progress that shows nothing."""
