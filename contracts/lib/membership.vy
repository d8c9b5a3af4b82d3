#pragma version 0.4.3
"""
@title Members of a federation, what they stake, and the pot
@license Apache-2.0
@notice Members are numbered from 0 as they join, and keep their number for ever. One that has
        its stake and does not leave is standing, and takes part in rounds.
"""

event Joined:
    member: indexed(uint256)
    owner: indexed(address)
    key: bytes32


event Leaving:
    member: indexed(uint256)
    exitAt: uint256


event Left:
    member: indexed(uint256)
    amount: uint256


event Funded:
    by: indexed(address)
    amount: uint256


event Punished:
    member: indexed(uint256)
    round: indexed(uint256)
    reason: String[16]
    amount: uint256


struct Member:
    owner: address
    key: bytes32  # Ed25519
    stake: uint256  # wei
    exit_at: uint256  # seconds; 0 while it stays


MAX_MEMBERS: constant(uint256) = 255

stake: public(immutable(uint256))  # wei that a member deposits, and that a challenge costs
fine: public(immutable(uint256))  # wei for a commitment that is not revealed
exit_delay: public(immutable(uint256))  # seconds

count: public(uint256)
members: public(HashMap[uint256, Member])
pot: public(uint256)
active: uint256  # those standing: a bit for each
_number: HashMap[address, uint256]  # one more than the member's


@deploy
def __init__(stake_: uint256, fine_: uint256, exit_delay_: uint256):
    assert stake_ > 0 and fine_ <= stake_, "Federation: stake or fine out of range"
    stake = stake_
    fine = fine_
    exit_delay = exit_delay_


@external
@payable
def join(key: bytes32) -> uint256:
    """
    @notice Become a member from the next round on.
    @param key The Ed25519 key under which the member's messages are signed
    @return The member's number
    """
    assert msg.value >= stake, "Federation: stake is too small"
    assert self._number[msg.sender] == 0, "Federation: caller is a member already"
    assert key != empty(bytes32), "Federation: key is missing"
    number: uint256 = self.count
    assert number < MAX_MEMBERS, "Federation: it is full"
    self.members[number] = Member(owner=msg.sender, key=key, stake=msg.value, exit_at=0)
    self._number[msg.sender] = number + 1
    self.count = number + 1
    self.active |= 1 << number
    log Joined(member=number, owner=msg.sender, key=key)
    return number


@external
def leave():
    """
    @notice Start to leave. The stake can be slashed until `exit_delay` is over.
    """
    number: uint256 = self.number()
    assert self.members[number].exit_at == 0, "Federation: member is leaving"
    at: uint256 = block.timestamp + exit_delay
    self.members[number].exit_at = at
    self.active &= ~(1 << number)
    log Leaving(member=number, exitAt=at)


@external
@payable
def fund():
    """
    @notice Add to the pot that rewards are paid from.
    """
    self.pot += msg.value
    log Funded(by=msg.sender, amount=msg.value)


@external
@view
def number_of(owner: address) -> uint256:
    """
    @notice The number of a member; reverts for others.
    """
    assert self._number[owner] > 0, "Federation: not a member"
    return self._number[owner] - 1


@external
@view
def standing(number: uint256) -> bool:
    """
    @notice Whether a member takes part in rounds that are opened now.
    """
    return (self.active >> number) & 1 == 1


@internal
@view
def number() -> uint256:
    """
    @notice The caller's.
    """
    number: uint256 = self._number[msg.sender]
    assert number > 0, "Federation: caller is not a member"
    return number - 1


@internal
def depart(number: uint256):
    """
    @notice Pay the stake back, once the exit is due.
    """
    at: uint256 = self.members[number].exit_at
    assert at > 0 and block.timestamp >= at, "Federation: exit is not due"
    amount: uint256 = self.members[number].stake
    self.members[number].stake = 0
    self._number[msg.sender] = 0
    log Left(member=number, amount=amount)
    self.pay(msg.sender, amount)


@internal
def slash(number: uint256, amount: uint256, round: uint256, by: address, reason: String[16]):
    """
    @notice Half to who showed it, the rest to the pot; all to the pot where nobody did.
    """
    self.members[number].stake -= amount
    if self.members[number].stake < stake - fine:
        self.active &= ~(1 << number)
    reward: uint256 = 0
    if by != empty(address):
        reward = amount // 2
    self.pot += amount - reward
    log Punished(member=number, round=round, reason=reason, amount=amount)
    self.offer(by, reward)


@internal
def offer(to: address, amount: uint256):
    """
    @notice Pay, or keep it in the pot where the receiver refuses: nobody can stop a judgement
            by refusing what it brings.
    """
    if amount > 0 and not raw_call(to, b"", value=amount, gas=50_000, revert_on_failure=False):
        self.pot += amount


@internal
def pay(to: address, amount: uint256):
    if amount > 0:
        ok: bool = raw_call(to, b"", value=amount, revert_on_failure=False)
        assert ok, "Federation: payment refused"
