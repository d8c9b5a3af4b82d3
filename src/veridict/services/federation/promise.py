"""The privacy that a federation's rules promise: who is protected, by how much noise, at what cost.

Without joint statistics: in a private federation the common scale is public and stands in the
rules, so that rounds are spent on learning alone.
"""

from __future__ import annotations

import msgspec

from veridict.core.errors import BadInput
from veridict.federated.learners import Learner, Scale
from veridict.federated.privacy.accounting import epsilon_of
from veridict.federated.privacy.guard import Guard, Noise, Unit
from veridict.federated.privacy.private import Private


class PublicScale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of each feature, as decimal text: mean, deviation, and where histograms cut (ascending)."""

    means: tuple[str, ...]
    deviations: tuple[str, ...]
    cuts: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, scale: Scale) -> PublicScale:
        return cls(
            tuple(map(repr, scale.means)),
            tuple(map(repr, scale.deviations)),
            tuple(tuple(map(repr, cuts)) for cuts in scale.edges),
        )

    def scale(self, names: tuple[str, ...], rows_max: int) -> Scale:
        """Raises BadInput."""
        try:
            return Scale(
                names,
                tuple(map(float, self.means)),
                tuple(map(float, self.deviations)),
                tuple(tuple(map(float, cuts)) for cuts in self.cuts),
                rows_max,
            )
        except ValueError as error:
            raise BadInput(
                f"the public scale holds no number: {error}", remedy="write decimal text"
            ) from error


class PrivacyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As `Guard`, with decimals as text. `rows_min`: of the smallest party."""

    unit: Unit
    noise: Noise
    epsilon: str
    delta: str
    multiplier: str
    rows_min: int
    scale: PublicScale
    sharers: int = 1

    @property
    def guard(self) -> Guard:
        """Raises BadInput."""
        try:
            epsilon, delta = float(self.epsilon), float(self.delta)
            multiplier = float(self.multiplier)
        except ValueError as error:
            raise BadInput(
                f"the promise of privacy holds no number: {error}", remedy="write decimal text"
            ) from error
        return Guard(self.unit, self.noise, epsilon, delta, multiplier, self.rows_min, self.sharers)

    def over(self, learner: Learner, rows_max: int) -> Private:
        """Raises BadInput for what cannot be kept."""
        return Private(learner, self.guard, rows_max)


def cost(guard: Guard, releases: int) -> float:
    """The epsilon of so many updates of one party, at the promised delta."""
    return epsilon_of(guard.multiplier, releases, guard.delta)


def keeps(private: Private) -> None:
    """Raises BadInput unless all rounds together stay within the promised epsilon."""
    guard = private.guard
    found = cost(guard, private.rounds)
    if found > guard.epsilon * (1 + 1e-9):
        raise BadInput(
            f"{private.rounds} rounds cost epsilon {found:.3f}, and {guard.epsilon} is promised",
            remedy="raise the noise multiplier, or train fewer rounds",
            epsilon=f"{found:.6f}",
        )
