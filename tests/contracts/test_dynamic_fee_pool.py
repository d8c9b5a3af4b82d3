"""DynamicFeePool: its arithmetic against Python's, and that nobody drains it."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.contracts import account, deploy
from tests.support.parameters import ONE, Parameter
from veridict.control.parameter import Follower
from veridict.control.pool import Pool

LOTS = 2**100
FOREVER = 2**60


class Market:
    """A pool of two tokens whose fee begins at 3,000 millionths; everybody has lots of both."""

    def __init__(self) -> None:
        self.parameter = Parameter()
        self.tokens = [deploy("PaymentToken") for _ in range(2)]
        x, y = (token.address for token in self.tokens)
        self.pool: Any = deploy("DynamicFeePool", x, y, self.parameter.contract.address)
        self.people = [str(account(name).address) for name in ("provider", "trader", "third")]
        for person in self.people:
            for token in self.tokens:
                token.mint(person, LOTS)
                token.approve(self.pool.address, 2**256 - 1, sender=person)

    def provide(self, x: int, y: int, who: int = 0) -> int:
        return int(self.pool.provide(x, y, 0, FOREVER, sender=self.people[who]))

    def trade(self, pays_x: bool, paid: int, who: int = 1) -> int:
        return int(self.pool.trade(pays_x, paid, 0, FOREVER, sender=self.people[who]))

    @property
    def reserves(self) -> Pool:
        return Pool(self.pool.reserve_x(), self.pool.reserve_y())


@pytest.fixture
def market() -> Market:
    return Market()


def test_a_trade_is_what_python_says_and_follows_the_parameter(market: Market) -> None:
    market.provide(10**9, 4 * 10**9)
    for score, fee in ((0, 3_000), (ONE, 3_400), (2 * ONE, 3_800)):
        market.parameter.move(market.parameter.record(score))
        assert market.pool.fee() == fee
        expected, out = market.reserves.traded(True, 12_345_678, fee)
        assert market.pool.quote(True, 12_345_678) == out
        assert market.trade(True, 12_345_678) == out
        assert market.reserves == expected
        boa.env.time_travel(seconds=60)


def test_a_fee_beyond_the_pool_s_own_bound_is_cut(market: Market) -> None:
    high = Parameter(low=200_000, high=300_000, safe=250_000)
    x, y = (token.address for token in market.tokens)
    assert deploy("DynamicFeePool", x, y, high.contract.address).fee() == 100_000


def test_limits_of_the_caller_are_kept(market: Market) -> None:
    pool, provider, trader = market.pool, market.people[0], market.people[1]
    with boa.reverts("Pool: too little to begin with"):
        pool.provide(10, 10, 0, FOREVER, sender=provider)
    market.provide(10**6, 10**6)
    with boa.reverts("Pool: too late"):
        pool.trade(True, 1000, 0, boa.env.timestamp - 1, sender=trader)
    with boa.reverts("Pool: too little"):
        pool.trade(True, 1000, 1000, FOREVER, sender=trader)
    with boa.reverts("Pool: too little"):
        pool.trade(True, 0, 0, FOREVER, sender=trader)
    with boa.reverts("Pool: too few shares"):
        pool.provide(1000, 1000, 1001, FOREVER, sender=provider)
    with boa.reverts("Pool: not that many shares"):
        pool.withdraw(1, 0, 0, FOREVER, sender=trader)
    with boa.reverts("Pool: too little"):
        pool.withdraw(1000, 1001, 0, FOREVER, sender=provider)
    with boa.reverts("Pool: reserve is too large"):
        pool.trade(True, 2**112, 0, FOREVER, sender=trader)


@given(
    st.integers(10**6, 10**24),
    st.integers(10**6, 10**24),
    st.fractions(min_value="1/1000", max_value=1000),
    st.integers(0, 100_000),
)
@settings(deadline=None)
def test_arbitrage_takes_what_is_best_to_take(x: int, y: int, price: Fraction, fee: int) -> None:
    pool = Pool(x, y)
    numerator, denominator = price.numerator, price.denominator

    def gain(pays_x: bool, paid: int) -> int:
        """In units of y / denominator."""
        out = pool.quote(pays_x, paid, fee)
        if pays_x:
            return out * denominator - paid * numerator
        return out * numerator - paid * denominator

    pays_x, paid = pool.arbitrage(numerator, denominator, fee)
    best = gain(pays_x, paid)
    # Rounding costs a unit or so of either token.
    slack = 4 * (numerator + denominator)
    assert best >= -slack
    for side in (True, False):
        for other in (paid // 2, paid - paid // 100, paid + paid // 100, 2 * paid, x // 1000):
            assert gain(side, other) <= best + slack


class Trades(RuleBasedStateMachine):
    """Any deposits, withdrawals and trades: the pool's product per share never falls."""

    amounts = st.integers(1, 10**12)
    people = st.integers(0, 2)

    @initialize(x=st.integers(10**4, 10**12), y=st.integers(10**4, 10**12))
    def begin(self, x: int, y: int) -> None:
        self.scope = boa.env.anchor()
        self.scope.__enter__()
        self.market = Market()
        self.market.provide(x, y)
        self.worth = self.per_share()

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            self.scope.__exit__(None, None, None)

    def per_share(self) -> tuple[int, int]:
        pool = self.market.reserves
        return pool.x * pool.y, self.market.pool.total_shares() ** 2

    @rule(x=amounts, y=amounts, who=people)
    def provide(self, x: int, y: int, who: int) -> None:
        try:
            self.market.provide(x, y, who)
        except boa.BoaError:
            assert x * y < 10**26  # rounds to no share

    @rule(part=st.integers(1, 100), who=people)
    def withdraw(self, part: int, who: int) -> None:
        person = self.market.people[who]
        shares = self.market.pool.shares(person) * part // 100
        if shares:
            self.market.pool.withdraw(shares, 0, 0, FOREVER, sender=person)

    @rule(pays_x=st.booleans(), paid=amounts, who=people)
    def trade(self, pays_x: bool, paid: int, who: int) -> None:
        if self.market.pool.quote(pays_x, paid):
            self.market.trade(pays_x, paid, who)

    @rule(score=st.integers(-(2**63), 2**63 - 1))
    def move_the_fee(self, score: int) -> None:
        boa.env.time_travel(seconds=60)
        self.market.parameter.move(self.market.parameter.record(score))

    @invariant()
    def nobody_drains_it(self) -> None:
        if not hasattr(self, "market"):
            return
        product, shares2 = self.per_share()
        before, before2 = self.worth
        assert product * before2 >= before * shares2
        self.worth = product, shares2
        pool = self.market.reserves
        held = [token.balanceOf(self.market.pool.address) for token in self.market.tokens]
        assert held == [pool.x, pool.y]


TestTrades = Trades.TestCase
TestTrades.settings = settings(max_examples=4, stateful_step_count=12, deadline=None)


def test_a_simulated_hour_is_the_contracts_own(market: Market) -> None:
    """Bars, predictions and trades of control.market, done again by the contracts."""
    chance = Random(4)
    market.provide(10**9, 300 * 10**6)
    follower, now = Follower(market.parameter.limits), boa.env.timestamp
    for minute in range(60):
        score = round(chance.gauss(0, 3) * ONE)
        if minute % 5 == 0:
            assert follower.is_due(now)
            assert follower.follow(score, now) == market.parameter.move(
                market.parameter.record(score)
            )
        fee = follower.value(now)
        assert market.pool.fee() == fee
        price = round(3e5 * 1.01 ** chance.gauss(0, 1))
        pays_x, paid = market.reserves.arbitrage(price, 10**6, fee)
        if paid:
            after, _ = market.reserves.traded(pays_x, paid, fee)
            market.trade(pays_x, paid)
            assert market.reserves == after
        boa.env.time_travel(seconds=60)
        now = boa.env.timestamp
