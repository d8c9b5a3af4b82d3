"""What a node's work costs in joules, told to its log: by activity, since the last such record."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from veridict.core.energy import Meter, Spent
from veridict.services.views import ActivityView, EnergyView

PREDICTION, ANCHOR, ROUND = "prediction", "anchor", "federated-round"
MARK = b'{"kind":"energy",'  # how such a record begins in the log


class Use(msgspec.Struct, frozen=True):
    """`count` things done in `cpu_us` CPU microseconds for `energy_uj` microjoules."""

    count: int
    cpu_us: int
    energy_uj: int

    @property
    def joules_each(self) -> float:
        return self.energy_uj / 1e6 / self.count if self.count else 0.0


class EnergyRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="energy"):
    """`source`: "rapl" where the processor measured it, "cpu-time model" where it is estimated."""

    source: str
    used: dict[str, Use]
    time_ms: int


# By source, then by activity: measured and estimated joules are never added up.
Used = dict[str, dict[str, Use]]


@dataclass(slots=True)
class Account:
    """A meter, and what of it the log has been told."""

    meter: Meter = field(default_factory=Meter)
    _told: dict[str, Spent] = field(default_factory=dict)

    def view(self) -> EnergyView:
        return EnergyView(
            self.meter.source,
            [
                ActivityView(each.activity, each.count, each.cpu_s, each.joules)
                for each in self.meter.spent()
            ],
        )

    def record(self, time_ms: int) -> EnergyRecord | None:
        """What was used since the last record; None where nothing was done."""
        spent = {each.activity: each for each in self.meter.spent()}
        used = {name: _since(now, self._told.get(name)) for name, now in spent.items()}
        used = {name: use for name, use in used.items() if use.count}
        self._told = spent
        return EnergyRecord(self.meter.source, used, time_ms) if used else None


def add(used: Used, record: EnergyRecord) -> None:
    """Puts what a record tells to what is known."""
    by_activity = used.setdefault(record.source, {})
    for name, use in record.used.items():
        before = by_activity.get(name, Use(0, 0, 0))
        by_activity[name] = Use(
            before.count + use.count,
            before.cpu_us + use.cpu_us,
            before.energy_uj + use.energy_uj,
        )


def _since(now: Spent, before: Spent | None) -> Use:
    count, cpu_s, joules = (before.count, before.cpu_s, before.joules) if before else (0, 0.0, 0.0)
    # The price of a CPU second moves with the machine's load: what was told stays told.
    return Use(
        now.count - count,
        max(0, round((now.cpu_s - cpu_s) * 1e6)),
        max(0, round((now.joules - joules) * 1e6)),
    )
