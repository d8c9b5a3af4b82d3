"""All feature sets over payments: the one place that knows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from veridict.core.errors import BadInput
from veridict.watch.features.graph import GraphFeatures
from veridict.watch.features.habits import HabitFeatures
from veridict.watch.features.payments import PaymentFeatures
from veridict.watch.features.together import FeatureSet, Together

SETS = ("payments", "habits", "graph")


def every_set(*, label_delay_s: int | None = None, labelled: Iterable[str] = ()) -> Together:
    """What rules and detectors may read. `labelled`: listed accounts, as in GraphFeatures."""
    return Together([_set(name, label_delay_s, labelled) for name in SETS])


def chosen_sets(names: Sequence[str], *, label_delay_s: int | None = None) -> FeatureSet:
    """The set of that name, or several as one, in the order given. Raises BadInput."""
    return sets_of(names, label_delay_s=label_delay_s)


def sets_of(
    names: Sequence[str], *, label_delay_s: int | None = None, labelled: Iterable[str] = ()
) -> FeatureSet:
    """As `chosen_sets`, with the listed accounts that the graph is told of."""
    for name in names:
        if name not in SETS:
            raise BadInput(f"there is no feature set {name!r}", remedy=f"choose of {SETS}")
    made = [_set(name, label_delay_s, labelled) for name in names]
    return made[0] if len(made) == 1 else Together(made)


def _set(name: str, label_delay_s: int | None, labelled: Iterable[str]) -> FeatureSet:
    if name == "graph":
        return GraphFeatures(labelled=labelled)
    kind = PaymentFeatures if name == "payments" else HabitFeatures
    return kind(label_delay_s=label_delay_s)
