"""A chain under load, block by block: who gets in, who waits, what the block space costs.

Driven by a trace of arrivals a second, in SimPy's time. The base fee is the engine's own integer
formula (`base_fee`); a builder takes the highest bids that pay it until the block is full; who
has waited for longer than their patience gives up. Whoever controls the gas limit is asked
after every block, and the engine moves to what it is told as real engines do: by a 1,024th a
block (geth, Besu), or at once (an L2's system contract, anvil).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from math import log
from random import Random
from typing import TYPE_CHECKING

from veridict.control.base_fee import MAINNET, FeeRule

if TYPE_CHECKING:
    from simpy import Environment, Event

GWEI = 10**9
FORGET_EVERY = 8  # blocks


@dataclass(frozen=True, slots=True)
class Engine:
    """`moves`: a block's limit differs from the one before by this part of it at most; 0: any.

    Bids are log-normal around `bid` times the first fee, by `spread`: some pay anything.
    """

    slot_s: int = 2
    gas_each: int = 21_000
    first_limit: int = 15_000_000
    first_fee_wei: int = GWEI
    moves: int = 0
    patience_s: int = 120
    bid: float = 7.0
    spread: float = 1.5
    rule: FeeRule = MAINNET
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Mined:
    """A block, and what stood around it: `arrived` since the last one, `waiting` after it."""

    number: int
    time_s: int
    base_fee_wei: int
    gas_used: int
    gas_limit: int
    arrived: int
    waiting: int


@dataclass(slots=True)
class Served:
    """What a run came to. Who gave up, or still waits at the end, has waited in vain."""

    blocks: list[Mined] = field(default_factory=list)
    arrived: int = 0
    included: int = 0
    waited_s: int = 0
    in_vain: int = 0

    def cost_s(self, engine: Engine, price_s: float) -> float:
        """Seconds waited by a transaction, and `price_s` for each gas of limit by gas asked for."""
        if not self.arrived:
            return 0.0
        space = sum(block.gas_limit for block in self.blocks) / (self.arrived * engine.gas_each)
        lost_s = self.in_vain * engine.patience_s
        return (self.waited_s + lost_s) / self.arrived + price_s * space


# Told every block; answers the gas limit it wants from the next block on.
Control = Callable[[Mined], int]


def run(arrivals: Sequence[int], engine: Engine, control: Control) -> Served:
    """`arrivals[s]` transactions come in second s. Every control meets the same ones."""
    import simpy  # for who simulates, not for who runs a node

    env = simpy.Environment()
    chain = _Chain(engine, control)
    env.process(_mining(env, len(arrivals), chain))  # first: a block holds what came before it
    env.process(_arriving(env, arrivals, chain))
    env.run()
    chain.served.in_vain += len(chain.pool)
    return chain.served


def _arriving(
    env: Environment, arrivals: Sequence[int], chain: _Chain
) -> Generator[Event, None, None]:
    for second, count in enumerate(arrivals):
        chain.arrive(count, second)
        yield env.timeout(1)


def _mining(env: Environment, seconds: int, chain: _Chain) -> Generator[Event, None, None]:
    while chain.now_s + chain.engine.slot_s <= seconds:
        yield env.timeout(chain.engine.slot_s)
        chain.mine()


class _Chain:
    def __init__(self, engine: Engine, control: Control) -> None:
        self.engine, self.served, self.now_s = engine, Served(), 0
        self.pool: list[tuple[int, int, int]] = []  # (minus the bid, number, second it came)
        self._control, self._chance = control, Random(engine.seed)
        self._fee, self._limit, self._wanted = (
            engine.first_fee_wei, engine.first_limit, engine.first_limit
        )  # fmt: skip
        self._fresh = 0

    def arrive(self, count: int, second: int) -> None:
        middle = log(self.engine.bid * self.engine.first_fee_wei)
        for _ in range(count):
            bid = int(self._chance.lognormvariate(middle, self.engine.spread))
            heapq.heappush(self.pool, (-bid, self.served.arrived, second))
            self.served.arrived += 1
        self._fresh += count

    def mine(self) -> None:
        self.now_s += self.engine.slot_s
        each, used = self.engine.gas_each, 0
        while self.pool and used + each <= self._limit and -self.pool[0][0] >= self._fee:
            _, _, came_s = heapq.heappop(self.pool)
            if self.now_s - came_s > self.engine.patience_s:
                self.served.in_vain += 1
                continue
            used += each
            self.served.included += 1
            self.served.waited_s += self.now_s - came_s
        if len(self.served.blocks) % FORGET_EVERY == 0:
            self._forget()
        block = Mined(
            len(self.served.blocks), self.now_s, self._fee, used, self._limit,
            self._fresh, len(self.pool),
        )  # fmt: skip
        self.served.blocks.append(block)
        self._fresh = 0
        self._fee = self.engine.rule.next(self._fee, used, self._limit)
        self._wanted = self._control(block)
        self._limit = self._moved()

    def _forget(self) -> None:
        """Who gave up leaves the pool."""
        oldest = self.now_s - self.engine.patience_s
        kept = [entry for entry in self.pool if entry[2] >= oldest]
        self.served.in_vain += len(self.pool) - len(kept)
        heapq.heapify(kept)
        self.pool = kept

    def _moved(self) -> int:
        if not self.engine.moves:
            return self._wanted
        most = self._limit // self.engine.moves - 1  # as geth: strictly less than its part
        return self._limit + max(-most, min(most, self._wanted - self._limit))
