"""What work costs in joules: measured where the processor tells (RAPL), else by a model.

    meter = Meter()
    with meter.spending("prediction", 64):
        …
    meter.spent()  # → Spent("prediction", count=64, cpu_s=0.003, joules=0.04)

CPU time is counted by activity, and priced. The processor's own counter gives the price: joules
of its package over the CPU seconds that all processes used meanwhile, so what an idle machine
draws is borne by what runs on it. Where no counter can be read, a CPU second costs
`VERIDICT_WATTS_PER_CORE` joules. `Meter.source` says which.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from veridict.core.errors import BadInput

RAPL, MODEL = "rapl", "cpu-time model"
WATTS_ENV = "VERIDICT_WATTS_PER_CORE"
WATTS_PER_CORE = 8.0  # a server core at work, with its share of the rest; set yours
_POWERCAP = Path("/sys/class/powercap")
_STAT = Path("/proc/stat")
_IDLE = (3, 4)  # columns idle and iowait of /proc/stat


@dataclass(frozen=True, slots=True)
class Spent:
    """Since the meter began: `count` things done in `cpu_s` CPU seconds."""

    activity: str
    count: int
    cpu_s: float
    joules: float


class Counter:
    """The packages' energy counters, which start again at zero now and then."""

    def __init__(self, root: Path = _POWERCAP) -> None:
        """Those that can be read: often none, for only root may, and no virtual machine has one."""
        self._zones: list[tuple[Path, int]] = []
        for zone in sorted(root.glob("intel-rapl:?")):
            try:
                _number(zone / "energy_uj")
                self._zones.append((zone / "energy_uj", _number(zone / "max_energy_range_uj")))
            except (OSError, ValueError):
                continue
        self._last = [_number(path) for path, _ in self._zones]
        self._total_uj = 0

    def __bool__(self) -> bool:
        return bool(self._zones)

    def joules(self) -> float:
        """Since it was made. Ask at least once a minute: a counter may start again twice."""
        for place, (path, most) in enumerate(self._zones):
            now = _number(path)
            self._total_uj += (now - self._last[place]) % (most + 1)
            self._last[place] = now
        return self._total_uj / 1e6


@dataclass(slots=True)
class _Tally:
    count: int = 0
    cpu_s: float = 0.0


@dataclass(slots=True)
class Meter:
    """Of one process. Thread-safe; activities at the same time share the CPU time equally."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    counter: Counter = field(default_factory=Counter)
    stat: Path = _STAT
    _tallies: dict[str, _Tally] = field(default_factory=dict)
    _active: list[str] = field(default_factory=list)
    _seen_s: float = 0.0
    _busy_before_s: float = 0.0
    _watts: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._watts = _watts(self.environment)
        self._busy_before_s = self._busy_s() if self.counter else 0.0

    @property
    def source(self) -> str:
        return RAPL if self.counter else MODEL

    @contextmanager
    def spending(self, activity: str, count: int = 1) -> Iterator[None]:
        """Books what runs inside on `activity`; `count` of it are done unless it raises."""
        with self._lock:
            self._share()
            self._active.append(activity)
        try:
            yield
            self.done(activity, count)
        finally:
            with self._lock:
                self._share()
                self._active.remove(activity)

    def done(self, activity: str, count: int = 1) -> None:
        """`count` more of `activity` are done, wherever their time was spent."""
        with self._lock:
            self._tally(activity).count += count

    def price(self) -> float:
        """Joules a CPU second."""
        if not self.counter:
            return self._watts
        busy = self._busy_s() - self._busy_before_s
        return self.counter.joules() / busy if busy > 0 else self._watts

    def spent(self) -> tuple[Spent, ...]:
        """By activity, in the order of their names."""
        price = self.price()
        with self._lock:
            self._share()
            return tuple(
                Spent(name, tally.count, tally.cpu_s, tally.cpu_s * price)
                for name, tally in sorted(self._tallies.items())
            )

    def _share(self) -> None:
        """Books the CPU time since the last call on what was going on."""
        now = time.process_time()
        for activity in self._active:
            self._tally(activity).cpu_s += (now - self._seen_s) / len(self._active)
        self._seen_s = now

    def _tally(self, activity: str) -> _Tally:
        return self._tallies.setdefault(activity, _Tally())

    def _busy_s(self) -> float:
        """CPU seconds of all processes since the machine started."""
        first = self.stat.read_text("ascii").partition("\n")[0].split()[1:9]
        ticks = sum(int(value) for column, value in enumerate(first) if column not in _IDLE)
        return ticks / os.sysconf("SC_CLK_TCK")


def _number(path: Path) -> int:
    return int(path.read_text("ascii"))


def _watts(environment: Mapping[str, str]) -> float:
    told = environment.get(WATTS_ENV)
    try:
        watts = WATTS_PER_CORE if told is None else float(told)
    except ValueError:
        watts = -1.0
    if not 0 < watts < 10_000:
        raise BadInput(f"{WATTS_ENV} is {told!r}", remedy="set it to watts above 0, for example 8")
    return watts
