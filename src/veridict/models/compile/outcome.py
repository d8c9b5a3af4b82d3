"""What every compiler returns, and the fixed-point rule they share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import isfinite

from veridict.core.errors import UnsupportedModel
from veridict.core.nouns import SCORE_BITS
from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel
from veridict.models.working import WorkingModel

FLOAT64, FLOAT32 = 2.0**-52, 2.0**-23  # what one operation may lose, relatively


class Link(Enum):
    """How the source's own answer follows from the raw score (or scores)."""

    IDENTITY = "identity"
    LOGIT = "logit"  # probability = 1 / (1 + exp(-score))
    LOG = "log"  # mean = exp(score)
    SOFTMAX = "softmax"  # probability of class k = exp(score k) / the sum of exp(score j)
    ONE_VS_REST = "one-vs-rest"  # of class k: 1 / (1 + exp(-score k)), divided by their sum
    ANOMALY = "anomaly"  # IsolationForest.score_samples = -2^score


@dataclass(frozen=True, slots=True)
class Compiled:
    """A canonical model, its annex, and what is known of its source.

    `error_bound`: in units of 2^-SCORE_BITS; canonical and exact real sum of
    the source's leaves differ by at most this, on any input. `source_loss`: what the
    source's own float arithmetic may lose when it adds them up, in raw score. `ranges`:
    of a quantised model, where each feature must lie for the bound to hold.
    """

    model: CanonicalModel
    annex: Annex
    feature_names: tuple[str, ...]
    link: Link
    source: str
    error_bound: float
    source_loss: float
    ranges: tuple[tuple[float, float], ...] = ()

    @property
    def working(self) -> WorkingModel:
        return WorkingModel(self.model, self.annex)

    @property
    def model_bytes(self) -> bytes:
        return self.model.bytes


def to_fixed(value: float, what: str) -> int:
    """`value` in units of 2^-SCORE_BITS, rounded half to even; exact but for that rounding.

    Raises UnsupportedModel where it is not finite. `what` names it in the message.
    """
    if not isfinite(value):
        raise UnsupportedModel(f"{what} is {value}", remedy="train again without it")
    numerator, denominator = value.as_integer_ratio()
    scaled = numerator << SCORE_BITS
    quotient, rest = divmod(scaled, denominator)
    twice = 2 * rest
    return quotient + (twice > denominator or (twice == denominator and quotient & 1))
