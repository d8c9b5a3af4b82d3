"""Which features and detectors a watcher needs: those of the model at work, and of who judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from veridict.core.errors import BadInput
from veridict.services.feeding.memory import Means
from veridict.watch.detectors.base import Detector
from veridict.watch.features.graph_names import GRAPH
from veridict.watch.features.habit_names import HABIT_RISKS, HABITS
from veridict.watch.features.names import FEATURES, RISK_FEATURES

_TOLD = {
    "payments": FEATURES + RISK_FEATURES,
    "habits": HABITS + HABIT_RISKS,
    "graph": GRAPH,
}


def means_of(
    model_features: Sequence[str],
    detectors: Callable[[], Sequence[Detector]],
    *,
    label_delay_s: int | None = None,
    labelled: Iterable[str] = (),
) -> Callable[[], Means]:
    """Makes them anew, as often as the watcher has to begin at the start of time.

    `label_delay_s`, `labelled`: as the feature sets take them. Raises BadInput where no set has
    what the model or a detector reads.
    """
    wanted = {*model_features, *(name for one in detectors() for name in one.needs)}
    known = {feature.name for features in _TOLD.values() for feature in features}
    strange = sorted(wanted - known)
    if strange:
        raise BadInput(
            f"no feature set of payments gives {strange[0]!r}",
            remedy="see `veridict rules features` for what there is",
            feature=strange[0],
        )
    names = [name for name, told in _TOLD.items() if wanted & {feature.name for feature in told}]
    listed = tuple(labelled)

    def make() -> Means:
        from veridict.watch.features.roster import sets_of  # Numba: not before needed

        features = sets_of(names or ["payments"], label_delay_s=label_delay_s, labelled=listed)
        return Means(features, tuple(detectors()))

    return make
