#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title Payment token for demonstrations and tests
@license Apache-2.0
@notice A plain ERC-20 with six decimals whose owner mints. Real deployments give the guard
        the token they pay in.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed

implements: IERC20
implements: IERC20Detailed


event OwnershipTransferred:
    previousOwner: indexed(address)
    newOwner: indexed(address)


name: public(constant(String[13])) = "Payment Token"
symbol: public(constant(String[3])) = "PAY"
decimals: public(constant(uint8)) = 6

owner: public(address)
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__():
    self.owner = msg.sender
    log OwnershipTransferred(previousOwner=empty(address), newOwner=msg.sender)


@external
def mint(to: address, amount: uint256):
    """
    @notice Create tokens; the owner alone.
    """
    assert msg.sender == self.owner, "PaymentToken: caller is not the owner"
    assert to != empty(address), "PaymentToken: receiver is nobody"
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=empty(address), receiver=to, value=amount)


@external
def transfer_ownership(new_owner: address):
    """
    @notice Hand over the right to mint.
    """
    assert msg.sender == self.owner, "PaymentToken: caller is not the owner"
    assert new_owner != empty(address), "PaymentToken: new owner is nobody"
    self.owner = new_owner
    log OwnershipTransferred(previousOwner=msg.sender, newOwner=new_owner)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice ERC-20: send tokens.
    """
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(sender: address, to: address, amount: uint256) -> bool:
    """
    @notice ERC-20: send `sender`'s tokens within its allowance; 2^256-1 is never used up.
    """
    allowed: uint256 = self.allowance[sender][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= amount, "PaymentToken: allowance is too small"
        self.allowance[sender][msg.sender] = allowed - amount
    self._move(sender, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice ERC-20: set what `spender` may send for the caller.
    """
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@internal
def _move(sender: address, to: address, amount: uint256):
    assert to != empty(address), "PaymentToken: receiver is nobody"
    assert self.balanceOf[sender] >= amount, "PaymentToken: balance is too small"
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=sender, receiver=to, value=amount)
