"""The detectors by name, with what each needs to be made: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from veridict.watch.detectors import anomaly, drained, learned, listed, look_alike, rings, sudden
from veridict.watch.detectors.base import Detector
from veridict.watch.lists import shipped_lists

MODULES: tuple[ModuleType, ...] = (
    learned, anomaly, listed, look_alike, sudden, rings, drained,
)  # fmt: skip


def ready(listed_names: Mapping[str, str] | None = None) -> tuple[Detector, ...]:
    """Those that need neither labels nor a past; with the shipped lists, or the user's."""
    lists = shipped_lists() if listed_names is None else listed_names
    return (
        listed.Listed(lists),
        look_alike.LookAlike(),
        sudden.Sudden(),
        rings.Rings(),
        drained.Drained(),
    )
