"""All feature sets over payments: the one place that knows them."""

from __future__ import annotations

from collections.abc import Iterable

from veridict.watch.features.graph import GraphFeatures
from veridict.watch.features.habits import HabitFeatures
from veridict.watch.features.payments import PaymentFeatures
from veridict.watch.features.together import Together


def every_set(*, label_delay_s: int | None = None, labelled: Iterable[str] = ()) -> Together:
    """What rules and detectors may read. `labelled`: listed accounts, as in GraphFeatures."""
    return Together(
        [
            PaymentFeatures(label_delay_s=label_delay_s),
            HabitFeatures(label_delay_s=label_delay_s),
            GraphFeatures(labelled=labelled),
        ]
    )
