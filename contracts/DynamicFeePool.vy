#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title A constant-product pool whose fee follows a parameter
@license Apache-2.0
@notice Two ERC-20 tokens without fees on transfer. The fee is read from an `AdaptiveParameter`
        at every trade, in millionths of what is paid in, and stays with the providers.
@dev    Out = floor(reserve_out · in' / (reserve_in + in')), in' = floor(in · (10^6 - fee) / 10^6);
        so the product of the reserves never falls in a trade.
"""

from ethereum.ercs import IERC20

interface Parameter:
    def value() -> uint256: view


event Provided:
    provider: indexed(address)
    x: uint256
    y: uint256
    shares: uint256


event Withdrawn:
    provider: indexed(address)
    x: uint256
    y: uint256
    shares: uint256


event Traded:
    trader: indexed(address)
    paysX: indexed(bool)
    paid: uint256
    received: uint256
    fee: uint256


MILLION: constant(uint256) = 1_000_000
MAX_FEE: constant(uint256) = 100_000  # millionths, whatever the parameter says
MAX_RESERVE: constant(uint256) = 2**112 - 1
LOCKED: constant(uint256) = 1_000  # shares that nobody owns: a pool is never emptied

token_x: public(immutable(IERC20))
token_y: public(immutable(IERC20))
parameter: public(immutable(Parameter))

reserve_x: public(uint256)
reserve_y: public(uint256)
total_shares: public(uint256)
shares: public(HashMap[address, uint256])


@deploy
def __init__(token_x_: address, token_y_: address, parameter_: address):
    assert token_x_ != token_y_, "Pool: the tokens are the same"
    for part: address in [token_x_, token_y_, parameter_]:
        assert part.is_contract, "Pool: a token or the parameter is not a contract"
    token_x = IERC20(token_x_)
    token_y = IERC20(token_y_)
    parameter = Parameter(parameter_)


@external
@nonreentrant
def provide(x: uint256, y: uint256, least: uint256, deadline: uint256) -> uint256:
    """
    @notice Add to both reserves in their proportion; of the token that is too much, less is taken.
    @param x Most of token x that is taken
    @param y Most of token y that is taken
    @param least Fewest shares to be satisfied with
    @return The caller's new shares
    """
    assert block.timestamp <= deadline, "Pool: too late"
    total: uint256 = self.total_shares
    taken_x: uint256 = x
    taken_y: uint256 = y
    made: uint256 = 0
    if total == 0:
        assert x <= MAX_RESERVE and y <= MAX_RESERVE, "Pool: reserve is too large"
        made = isqrt(x * y)
        assert made > LOCKED, "Pool: too little to begin with"
        self.total_shares = made
        made -= LOCKED
    else:
        wanted: uint256 = x * self.reserve_y // self.reserve_x
        if wanted <= y:
            taken_y = wanted
        else:
            taken_x = y * self.reserve_x // self.reserve_y
        made = min(taken_x * total // self.reserve_x, taken_y * total // self.reserve_y)
        self.total_shares = total + made
    assert made > 0 and made >= least, "Pool: too few shares"
    self.shares[msg.sender] += made
    self.reserve_x += taken_x
    self.reserve_y += taken_y
    assert self.reserve_x <= MAX_RESERVE and self.reserve_y <= MAX_RESERVE, "Pool: reserve is too large"
    log Provided(provider=msg.sender, x=taken_x, y=taken_y, shares=made)
    self._pull(token_x, taken_x)
    self._pull(token_y, taken_y)
    return made


@external
@nonreentrant
def withdraw(
    shares: uint256, least_x: uint256, least_y: uint256, deadline: uint256
) -> (uint256, uint256):
    """
    @notice Give shares back for their part of both reserves.
    """
    assert block.timestamp <= deadline, "Pool: too late"
    assert shares > 0 and shares <= self.shares[msg.sender], "Pool: not that many shares"
    total: uint256 = self.total_shares
    x: uint256 = shares * self.reserve_x // total
    y: uint256 = shares * self.reserve_y // total
    assert x >= least_x and y >= least_y, "Pool: too little"
    self.shares[msg.sender] -= shares
    self.total_shares = total - shares
    self.reserve_x -= x
    self.reserve_y -= y
    log Withdrawn(provider=msg.sender, x=x, y=y, shares=shares)
    self._push(token_x, x)
    self._push(token_y, y)
    return x, y


@external
@nonreentrant
def trade(pays_x: bool, paid: uint256, least: uint256, deadline: uint256) -> uint256:
    """
    @notice Pay one token in and receive the other.
    @param pays_x Token x is paid in; otherwise token y
    @param least What to be satisfied with
    @return What was received
    """
    assert block.timestamp <= deadline, "Pool: too late"
    fee: uint256 = self._fee()
    received: uint256 = self._quote(pays_x, paid, fee)
    assert received > 0 and received >= least, "Pool: too little"
    if pays_x:
        self.reserve_x += paid
        self.reserve_y -= received
    else:
        self.reserve_y += paid
        self.reserve_x -= received
    assert self.reserve_x <= MAX_RESERVE and self.reserve_y <= MAX_RESERVE, "Pool: reserve is too large"
    log Traded(trader=msg.sender, paysX=pays_x, paid=paid, received=received, fee=fee)
    self._pull(token_x if pays_x else token_y, paid)
    self._push(token_y if pays_x else token_x, received)
    return received


@external
@view
def fee() -> uint256:
    """
    @notice Of the next trade, in millionths.
    """
    return self._fee()


@external
@view
def quote(pays_x: bool, paid: uint256) -> uint256:
    """
    @notice What a trade would bring now.
    """
    return self._quote(pays_x, paid, self._fee())


@internal
@view
def _fee() -> uint256:
    return min(staticcall parameter.value(), MAX_FEE)


@internal
@view
def _quote(pays_x: bool, paid: uint256, fee: uint256) -> uint256:
    assert paid <= MAX_RESERVE, "Pool: reserve is too large"
    into: uint256 = self.reserve_x if pays_x else self.reserve_y
    out: uint256 = self.reserve_y if pays_x else self.reserve_x
    counted: uint256 = paid * (MILLION - fee) // MILLION
    return out * counted // (into + counted) if into > 0 else 0


@internal
def _pull(token: IERC20, amount: uint256):
    ok: bool = extcall token.transferFrom(
        msg.sender, self, amount, default_return_value=True
    )
    assert ok, "Pool: payment failed"


@internal
def _push(token: IERC20, amount: uint256):
    if amount > 0:
        ok: bool = extcall token.transfer(msg.sender, amount, default_return_value=True)
        assert ok, "Pool: payment failed"
