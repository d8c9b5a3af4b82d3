"""The detectors by name, with what each needs to be made: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from veridict.watch.detectors import anomaly, drained, learned, listed, look_alike, rings, sudden
from veridict.watch.detectors.base import Detector
from veridict.watch.lists import shipped_lists

MODULES: tuple[ModuleType, ...] = (
    learned, anomaly, listed, look_alike, sudden, rings, drained,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What a detector's own file tells of it. `needs`: what it must be given, "" if nothing."""

    name: str
    title: str
    scenario: str
    remedy: str
    needs: str


NEEDS = {"learned": "a model trained on labelled payments", "anomaly": "payments of the past"}


def told(module: ModuleType) -> Told:
    name, text = module.__name__.rpartition(".")[2], module.__doc__ or ""
    scenario, _, remedy = text.partition("Scenario:")[2].partition("Remedy:")
    title = text.split("\n\n")[0].rstrip(".")
    return Told(name, _line(title), _line(scenario), _line(remedy), NEEDS.get(name, ""))


def _line(text: str) -> str:
    return " ".join(text.split())


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
