#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title Stakes of operators
@license Apache-2.0
@notice The bond an operator loses when the judge proves a lie. Half of it goes to the
        challenger and half is burnt, so that challenging oneself first costs half as well.
        Leaving takes `unbonding_s`, during which the bond can still be slashed.
"""

event JudgeSet:
    judge: indexed(address)


event Deposited:
    operator: indexed(address)
    amount: uint256
    bond: uint256


event ExitRequested:
    operator: indexed(address)
    exitAt: uint256


event Withdrawn:
    operator: indexed(address)
    amount: uint256


event Slashed:
    operator: indexed(address)
    challenger: indexed(address)
    amount: uint256
    burnt: uint256


MAX_BOND: constant(uint256) = 2**128 - 1

deployer: public(immutable(address))
unbonding_s: public(immutable(uint256))

judge: public(address)
_stakes: HashMap[address, uint256]  # exit_at u128 << 128 | bond u128


@deploy
def __init__(unbonding: uint256):
    """
    @param unbonding Seconds between asking to leave and withdrawing; not less than the time
           within which guards act on a record, or lies can be told on the way out
    """
    assert unbonding < 2**64, "Stakes: unbonding is too long"
    deployer = msg.sender
    unbonding_s = unbonding


@external
def set_judge(judge: address):
    """
    @notice Name the only contract that may slash; the deployer, once.
    """
    assert msg.sender == deployer, "Stakes: caller is not the deployer"
    assert self.judge == empty(address), "Stakes: judge is set already"
    assert judge != empty(address), "Stakes: judge is nobody"
    self.judge = judge
    log JudgeSet(judge=judge)


@external
@payable
def deposit():
    """
    @notice Add to the caller's bond.
    """
    assert msg.value > 0, "Stakes: nothing deposited"
    bond: uint256 = self._bond(msg.sender) + msg.value
    assert self._exit_at(msg.sender) == 0, "Stakes: operator is leaving"
    assert bond <= MAX_BOND, "Stakes: bond is too large"
    self._stakes[msg.sender] = bond
    log Deposited(operator=msg.sender, amount=msg.value, bond=bond)


@external
def request_exit():
    """
    @notice Start to leave. The bond no longer backs new predictions (`standing`), and can be
            withdrawn after `unbonding_s`.
    """
    bond: uint256 = self._bond(msg.sender)
    assert bond > 0, "Stakes: no bond"
    assert self._exit_at(msg.sender) == 0, "Stakes: operator is leaving"
    at: uint256 = block.timestamp + unbonding_s
    self._stakes[msg.sender] = (at << 128) | bond
    log ExitRequested(operator=msg.sender, exitAt=at)


@external
@nonreentrant
def withdraw():
    """
    @notice Take the whole bond, once the exit is due.
    """
    bond: uint256 = self._bond(msg.sender)
    at: uint256 = self._exit_at(msg.sender)
    assert at > 0, "Stakes: no exit requested"
    assert block.timestamp >= at, "Stakes: exit is not due"
    self._stakes[msg.sender] = 0
    log Withdrawn(operator=msg.sender, amount=bond)
    self._pay(msg.sender, bond)


@external
@nonreentrant
def slash(operator: address, challenger: address) -> uint256:
    """
    @notice Take the operator's whole bond: half to the challenger, the rest burnt.
    @return What was taken; 0 if the operator has no bond (left). The judge asks for `bond`
            before, so that no lie counts as proven that cost nothing.
    """
    assert msg.sender == self.judge, "Stakes: caller is not the judge"
    bond: uint256 = self._bond(operator)
    if bond == 0:
        return 0
    reward: uint256 = bond // 2
    self._stakes[operator] = 0
    log Slashed(operator=operator, challenger=challenger, amount=bond, burnt=bond - reward)
    self._pay(challenger, reward)
    self._pay(empty(address), bond - reward)
    return bond


@external
@view
def bond(operator: address) -> uint256:
    """
    @notice What can be slashed, in wei.
    """
    return self._bond(operator)


@external
@view
def exit_at(operator: address) -> uint256:
    """
    @notice When the operator may withdraw, in seconds; 0 if it is not leaving.
    """
    return self._exit_at(operator)


@external
@view
def standing(operator: address) -> uint256:
    """
    @notice The bond that backs new predictions: all of it, or 0 once an exit is requested.
    """
    return self._bond(operator) if self._exit_at(operator) == 0 else 0


@internal
@view
def _bond(operator: address) -> uint256:
    return self._stakes[operator] & MAX_BOND


@internal
@view
def _exit_at(operator: address) -> uint256:
    return self._stakes[operator] >> 128


@internal
def _pay(to: address, amount: uint256):
    ok: bool = raw_call(to, b"", value=amount, revert_on_failure=False)
    assert ok, "Stakes: payment refused"
