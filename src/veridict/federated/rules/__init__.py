"""Robust rules: from the parties' updates to one step, exactly.

    mean           the weighted mean; no protection, for parties that trust each other
    trust          norm clip and cosine trust to a public root update (default)
    multikrum      the mean of the m updates nearest to their neighbours
    trimmed-mean   per parameter, without the f smallest and the f largest
    median         per parameter
    bulyan         Krum chooses, a trimmed mean around the median joins

Updates are rows of an int64[n, d] of norm <= ONE each, weights int64[n]. A rule is a pure
function over integers: anyone who has the updates recomputes the step bit for bit. A step
has norm <= ONE as well.
"""

from __future__ import annotations

from veridict.core.errors import BadInput
from veridict.federated.rules.bulyan import Bulyan
from veridict.federated.rules.mean import Mean
from veridict.federated.rules.median import Median
from veridict.federated.rules.multikrum import MultiKrum
from veridict.federated.rules.rule import Aggregate, Rule
from veridict.federated.rules.trimmed_mean import TrimmedMean
from veridict.federated.rules.trust import Trust

__all__ = ["RULES", "Aggregate", "Rule", "rule_named"]

RULES: dict[str, type[Rule]] = {
    kind.name: kind for kind in (Trust, Mean, MultiKrum, TrimmedMean, Median, Bulyan)
}


def rule_named(name: str, faulty: int) -> Rule:
    """`faulty`: how many of the updates may be hostile. Raises BadInput for another name."""
    if name not in RULES:
        raise BadInput(f"there is no rule {name!r}", remedy=f"choose one of {', '.join(RULES)}")
    return RULES[name](faulty)
