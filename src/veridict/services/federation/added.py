"""What a committee's posts come to: the step, and who was left out of it or lied."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from veridict.federated.rules.rule import Aggregate
from veridict.services.federation.outcome import Refusal


@dataclass(frozen=True, slots=True)
class Added:
    """What the committee's posts come to. `root`: its update, as it was called."""

    counted: frozenset[int]
    root: bytes
    aggregate: Aggregate
    refusals: tuple[Refusal, ...]

    @property
    def shares(self) -> dict[int, int]:
        return dict(zip(sorted(self.counted), self.aggregate.shares, strict=True))


def refusals_of(
    faults: Mapping[int, str], left: Collection[int], lied: Sequence[int]
) -> tuple[Refusal, ...]:
    """`faults`: member → why its update does not count. `left`: of whom it was not known in time.

    `lied`: members of the committee.
    """
    late = "what it dealt could not be established in time"
    return (
        *(Refusal(n, "committee.update", why) for n, why in sorted(faults.items())),
        *(Refusal(n, "committee.not-counted", late) for n in sorted(left)),
        *(Refusal(n, "committee.lied", "answered otherwise than two others") for n in lied),
    )
