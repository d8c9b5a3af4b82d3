"""All feature sets over payments: the one place that knows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from veridict.core.errors import BadInput
from veridict.watch.features.graph import GraphFeatures
from veridict.watch.features.habits import HabitFeatures
from veridict.watch.features.names import Feature
from veridict.watch.features.payments import PaymentFeatures
from veridict.watch.features.places import COLUMNS, PlaceFeatures
from veridict.watch.features.together import FeatureSet, Together
from veridict.watch.lists import shipped_lists
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table

SETS = ("payments", "habits", "graph")


def every_set(
    *, label_delay_s: int | None = None, labelled: Iterable[str] = (), placed: bool = False
) -> Together:
    """What rules and detectors may read. `labelled`: listed accounts, as in GraphFeatures.

    `placed`: of rows that tell where a payment was made (`tells_places`).
    """
    names = (*SETS, "places") if placed else SETS
    return Together([_set(name, label_delay_s, labelled) for name in names])


def tells_places(rows: Table[Any]) -> bool:
    return all(name in rows.shape.names for name in COLUMNS)


def chosen_sets(names: Sequence[str], *, label_delay_s: int | None = None) -> FeatureSet:
    """The set of that name, or several as one, in the order given. Raises BadInput."""
    return sets_of(names, label_delay_s=label_delay_s)


def sets_of(
    names: Sequence[str], *, label_delay_s: int | None = None, labelled: Iterable[str] = ()
) -> FeatureSet:
    """As `chosen_sets`, with the listed accounts that the graph is told of."""
    for name in names:
        if name not in (*SETS, "places"):
            raise BadInput(
                f"there is no feature set {name!r}", remedy=f"choose of {(*SETS, 'places')}"
            )
    made = [_set(name, label_delay_s, labelled) for name in names]
    return made[0] if len(made) == 1 else Together(made)


def sets_for(
    names: Iterable[str], scenario: Scenario[Any], *, label_delay_s: int | None
) -> FeatureSet:
    """The fewest sets that have all these features. Raises BadInput for a name none has."""
    if scenario.name != "payments":
        return _Named(scenario)
    wanted, chosen = set(names), []
    placed = all(name in scenario.shape.names for name in COLUMNS)
    for name in (*SETS, "places") if placed else SETS:
        made = _set(name, label_delay_s, shipped_lists() if name == "graph" else ())
        had = {feature.name for feature in made.features}
        if wanted & had:
            chosen.append(made)
            wanted -= had
    if wanted:
        raise BadInput(
            f"no feature set has {min(wanted)!r}", remedy="see `veridict rules features`"
        )
    return Together(chosen or [_set("payments", label_delay_s, ())])


class _Named:
    """A scenario's own extractor, its columns named by the scenario."""

    def __init__(self, scenario: Scenario[Any]) -> None:
        self._own = scenario.extractor()
        self.features = tuple(
            Feature(name, f"{name} is {{v:g}}") for name in scenario.feature_names
        )
        self.label_delay_s = self._own.label_delay_s
        self.batch, self.learn = self._own.batch, self._own.learn
        self.save, self.restore = self._own.save, self._own.restore

    memory_bytes = 0


def _set(name: str, label_delay_s: int | None, labelled: Iterable[str]) -> FeatureSet:
    if name == "graph":
        return GraphFeatures(labelled=labelled)
    if name == "places":
        return PlaceFeatures()
    kind = PaymentFeatures if name == "payments" else HabitFeatures
    return kind(label_delay_s=label_delay_s)
