"""Does a gas limit that follows forecast demand serve better than the best fixed one?

All are chosen on the earlier traces and tried on the later ones, under several seeds, and told
beside the fixed limit that would have been best there, known afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from veridict.control.blockspace import Control, Engine, Mined, run
from veridict.control.capacity import UNIT, Controller, Reactive, learn
from veridict.control.parameter import Limits
from veridict.core.progress import Progress, Step, silent

SEEDS = (1, 2, 3, 4, 5)
ROOM = (1.5, 2.0, 3.0, 4.0, 6.0)  # gas limit, by gas forecast
FIXED = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0)  # gas limit, by mean gas asked for
LOWEST, HIGHEST = 0.25, 40.0  # bounds, in the same measure
STEP_PART = 4  # of the range, a move at most
COOL_DOWN_BLOCKS, EXPIRY_BLOCKS = 2, 60

Trace = Sequence[int]  # transactions by second


@dataclass(frozen=True, slots=True)
class Tried:
    """Costs by seed on the later traces, in `Served.cost_s`; `chosen` tells the setting."""

    chosen: float
    costs: tuple[float, ...]

    @property
    def mean(self) -> float:
        return sum(self.costs) / len(self.costs)


@dataclass(frozen=True, slots=True)
class CapacityTrial:
    fixed: Tried
    hindsight: Tried
    reactive: Tried
    forecast: Tried

    def gain(self, over: Tried) -> tuple[float, float, float]:
        """How much less following the forecast costs, by share: mean, least, most of the seeds."""
        pairs = zip(over.costs, self.forecast.costs, strict=True)
        shares = [1.0 - own / other for other, own in pairs]
        return sum(shares) / len(shares), min(shares), max(shares)


def try_capacity(
    earlier: Sequence[Trace],
    later: Sequence[Trace],
    engine: Engine,
    price_s: float,
    *,
    seeds: Sequence[int] = SEEDS,
    progress: Progress = silent,
) -> CapacityTrial:
    """Learn and choose on `earlier`, try on `later`."""
    steps = iter(range(1_000_000))

    def cost(make: Callable[[float], Control], traces: Sequence[Trace], seed: int) -> float:
        progress(Step(None, "simulating", next(steps), None))
        total = 0.0
        for trace in traces:
            scale = _mean_gas(trace, engine) if traces is later else mean
            own = replace(engine, seed=seed, first_limit=int(mean * 2))
            total += run(trace, own, make(scale)).cost_s(own, price_s)
        return total / len(traces)

    mean = sum(_mean_gas(trace, engine) for trace in earlier) / len(earlier)
    limits = _limits(mean, engine)
    histories = [run(trace, engine, _fixed(3 * mean)).blocks for trace in earlier]
    model = learn(histories, engine.gas_each).model

    def fixed(size: float) -> Callable[[float], Control]:
        return lambda _: _fixed(size * mean)

    def hindsight(size: float) -> Callable[[float], Control]:
        return lambda scale: _fixed(size * scale)

    def followed(room: float) -> Callable[[float], Control]:
        own = replace(limits, slope=int(room * UNIT))
        return lambda _: Controller(model, own, engine.gas_each)

    def reactive(room: float) -> Callable[[float], Control]:
        own = replace(limits, slope=int(room * UNIT))
        return lambda _: Reactive(own, engine.gas_each)

    def best(maker: Callable[[float], Callable[[float], Control]], of: Sequence[float],
             traces: Sequence[Trace]) -> float:  # fmt: skip
        return min(of, key=lambda size: cost(maker(size), traces, seeds[0]))

    def tried(maker: Callable[[float], Callable[[float], Control]], size: float) -> Tried:
        return Tried(size, tuple(cost(maker(size), later, seed) for seed in seeds))

    return CapacityTrial(
        tried(fixed, best(fixed, FIXED, earlier)),
        tried(hindsight, best(hindsight, FIXED, later)),
        tried(reactive, best(reactive, ROOM, earlier)),
        tried(followed, best(followed, ROOM, earlier)),
    )


def _fixed(limit: float) -> Control:
    def control(_: Mined) -> int:
        return int(limit)

    return control


def _mean_gas(trace: Trace, engine: Engine) -> float:
    """Asked for by block."""
    return max(1.0, sum(trace) / len(trace)) * engine.slot_s * engine.gas_each


def _limits(mean: float, engine: Engine) -> Limits:
    low, high = int(LOWEST * mean), int(HIGHEST * mean)
    return Limits(
        low=low, high=high, safe=int(3 * mean), max_step=(high - low) // STEP_PART,
        cool_down_s=COOL_DOWN_BLOCKS * engine.slot_s, expiry_s=EXPIRY_BLOCKS * engine.slot_s,
        veto_s=3_600, base=low, slope=0,
    )  # fmt: skip
