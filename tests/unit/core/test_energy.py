"""Energy by activity: by the processor's counter, or by a model that says it is one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from veridict.core.energy import MODEL, RAPL, WATTS_PER_CORE, Counter, Meter
from veridict.core.errors import BadInput

TOP = 999_999


def work(cpu_s: float) -> None:
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        pass


def zone(root: Path, number: int, energy_uj: int) -> Path:
    place = root / f"intel-rapl:{number}"
    place.mkdir(parents=True, exist_ok=True)
    (place / "max_energy_range_uj").write_text(f"{TOP}\n")
    (place / "energy_uj").write_text(f"{energy_uj}\n")
    return place / "energy_uj"


def test_without_a_counter_a_model_prices_cpu_seconds(tmp_path: Path) -> None:
    meter = Meter({}, Counter(tmp_path))
    assert meter.source == MODEL
    with meter.spending("prediction", 64):
        work(0.02)
    work(0.02)  # on nobody's account
    (spent,) = meter.spent()
    assert (spent.activity, spent.count) == ("prediction", 64)
    assert spent.cpu_s >= 0.02
    assert spent.joules == pytest.approx(spent.cpu_s * WATTS_PER_CORE)


def test_activities_at_the_same_time_share(tmp_path: Path) -> None:
    meter = Meter({"VERIDICT_WATTS_PER_CORE": "5"}, Counter(tmp_path))
    with meter.spending("outer"), meter.spending("inner"):
        work(0.02)
    inner, outer = meter.spent()
    assert inner.cpu_s == pytest.approx(outer.cpu_s, rel=0.2)
    assert inner.joules == pytest.approx(5 * inner.cpu_s)


def test_what_fails_costs_and_is_not_done(tmp_path: Path) -> None:
    meter = Meter({}, Counter(tmp_path))

    def fail() -> None:
        with meter.spending("anchor"):
            work(0.01)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    (spent,) = meter.spent()
    assert (spent.count, spent.cpu_s >= 0.01) == (0, True)
    meter.done("anchor", 2)
    assert meter.spent()[0].count == 2


def test_counters_of_all_packages_add_up_and_start_again(tmp_path: Path) -> None:
    first, second = zone(tmp_path, 0, 900_000), zone(tmp_path, 1, 0)
    (tmp_path / "intel-rapl:2").mkdir()  # one that cannot be read
    counter = Counter(tmp_path)
    assert counter.joules() == 0
    first.write_text("100000\n")  # past its top
    second.write_text("300000\n")
    assert counter.joules() == pytest.approx(0.5)


def test_the_counter_prices_what_all_processes_used(tmp_path: Path) -> None:
    energy = zone(tmp_path, 0, 0)
    stat = tmp_path / "stat"
    stat.write_text("cpu 100 0 100 5000 50 0 0 0 0 0\ncpu0 1\n")
    meter = Meter({}, Counter(tmp_path), stat)
    assert meter.source == RAPL
    assert meter.price() == WATTS_PER_CORE  # nothing has run yet
    energy.write_text("900000\n")
    stat.write_text("cpu 250 0 150 9000 90 0 0 0 0 0\ncpu0 1\n")
    assert meter.price() == pytest.approx(0.9 / 2.0)  # 200 ticks of 10 ms


@pytest.mark.parametrize("watts", ["", "x", "0", "-3", "nan", "1e9"])
def test_watts_that_make_no_sense_are_refused(tmp_path: Path, watts: str) -> None:
    with pytest.raises(BadInput, match="VERIDICT_WATTS_PER_CORE"):
        Meter({"VERIDICT_WATTS_PER_CORE": watts}, Counter(tmp_path))
