#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title A parameter that follows predictions, within its owner's limits
@license Apache-2.0
@notice A fee, a rate, a capacity target. Predictions say where it should stand; whatever they
        say, it stays between two bounds, moves one step at most, waits between moves, and falls
        back to a safe value when predictions stop, when the human vetoes, or while it is paused.
        All limits are fixed for ever; every move is an event.
@dev    target = base + score · slope / 2^32, rounded down. The question that a record must
        answer is abi.encode(chain id, this contract, question()), and no question is asked twice.
"""

from lib import control
from lib import eip712
from lib import evidence
from lib import merkle
from lib import record as fields

initializes: control
initializes: evidence

exports: (
    control.pause,
    control.unpause,
    control.paused,
    control.human,
    eip712.eip712Domain,
    evidence.anchor,
    evidence.stakes,
    evidence.registry,
    evidence.model_id,
    evidence.min_bond,
    evidence.max_age_s,
    evidence.challenge_window_s,
    evidence.min_assurance,
)


event Moved:
    leaf: indexed(bytes32)
    operator: indexed(address)
    score: int256
    target: uint256
    before: uint256
    after: uint256


event Vetoed:
    human: indexed(address)
    before: uint256
    until: uint256


struct Limits:
    low: uint256
    high: uint256
    safe: uint256  # the value without predictions
    max_step: uint256  # a move, at most
    cool_down_s: uint256  # between moves
    expiry_s: uint256  # after a move without another, back to safe
    veto_s: uint256  # after a veto, no moves
    base: int256  # the target at score 0
    slope: int256  # of the target, by 2^32 of score


struct Evidence:
    anchor: address
    stakes: address
    registry: address  # nobody: whether the model is active is not asked
    model_id: bytes32
    min_bond: uint256
    max_age_s: uint256
    challenge_window_s: uint256
    min_assurance: uint256  # 1 signed, 3 optimistic


MAX_VALUE: constant(uint256) = 2**128 - 1
MAX_SLOPE: constant(int256) = 2**128
MAX_TIME_S: constant(uint256) = 10 * 366 * 86_400

limits: public(immutable(Limits))

moved_at: public(uint256)  # seconds; 0 before the first move and after a veto
vetoed_until: public(uint256)  # seconds
question: public(uint256)  # the number of the one asked now; a move or a veto asks the next
_value: uint256


@deploy
def __init__(limits_: Limits, evidence_: Evidence, human_: address):
    assert limits_.low <= limits_.safe and limits_.safe <= limits_.high, "Parameter: safe value is out of bounds"
    assert limits_.high <= MAX_VALUE, "Parameter: upper bound is too large"
    assert limits_.max_step > 0, "Parameter: it could never move"
    assert abs(limits_.base) <= MAX_SLOPE and abs(limits_.slope) <= MAX_SLOPE, "Parameter: base or slope is too large"
    for duration: uint256 in [limits_.cool_down_s, limits_.expiry_s, limits_.veto_s]:
        assert duration > 0 and duration <= MAX_TIME_S, "Parameter: duration out of range"
    limits = limits_
    control.__init__(human_)
    evidence.__init__(
        evidence_.anchor,
        evidence_.stakes,
        evidence_.registry,
        evidence_.model_id,
        evidence_.min_bond,
        evidence_.max_age_s,
        evidence_.challenge_window_s,
        evidence_.min_assurance,
    )


@external
@view
def value() -> uint256:
    """
    @notice The parameter as it stands now. Contracts that use it read this.
    """
    return self._now()


@external
def move_signed(
    record: bytes32[4], salt: bytes32, deadline: uint256, signature: Bytes[65]
) -> uint256:
    """
    @notice Follow a prediction signed by a bonded operator.
    @param salt Opens the record's request commitment
    @return The new value
    """
    self._may_move(record, salt)
    operator: address = evidence.signed(record, deadline, signature)
    return self._move(record, operator)


@external
def move_anchored(
    record: bytes32[4],
    salt: bytes32,
    operator: address,
    key: bytes32,
    size: uint256,
    root: bytes32,
    time: uint256,
    index: uint256,
    proof: DynArray[bytes32, merkle.MAX_PROOF],
) -> uint256:
    """
    @notice Follow a prediction in a bonded operator's anchored log, once it could be challenged.
    """
    self._may_move(record, salt)
    evidence.anchored(record, operator, key, size, root, time, index, proof)
    return self._move(record, operator)


@external
def veto():
    """
    @notice Back to the safe value, and no moves for `veto_s`. By the human.
    """
    control.only_human()
    before: uint256 = self._now()
    self.moved_at = 0
    self.question += 1
    self.vetoed_until = block.timestamp + limits.veto_s
    log Vetoed(human=msg.sender, before=before, until=self.vetoed_until)


@external
@view
def request_content() -> Bytes[96]:
    """
    @notice The canonical bytes that the next prediction for this contract answers.
    """
    return self._asked()


@external
@view
def preview(score: int64) -> uint256:
    """
    @notice Where a prediction of this score would move it now, were it due.
    """
    return self._step(self._now(), self._target(convert(score, int256)))


@internal
@view
def _now() -> uint256:
    moved_at: uint256 = self.moved_at
    if moved_at == 0 or control.paused or block.timestamp >= moved_at + limits.expiry_s:
        return limits.safe
    return self._value


@internal
@view
def _may_move(record: bytes32[4], salt: bytes32):
    control.not_paused()
    assert block.timestamp >= self.vetoed_until, "Parameter: vetoed"
    assert block.timestamp >= self.moved_at + limits.cool_down_s, "Parameter: cooling down"
    assert evidence.answers(record, salt, self._asked()), "Parameter: about another question"


@internal
@view
def _asked() -> Bytes[96]:
    return abi_encode(chain.id, self, self.question)


@internal
def _move(record: bytes32[4], operator: address) -> uint256:
    before: uint256 = self._now()
    score: int256 = fields.score(record)
    target: uint256 = self._target(score)
    after: uint256 = self._step(before, target)
    self._value = after
    self.moved_at = block.timestamp
    self.question += 1
    log Moved(
        leaf=merkle.leaf_hash(record),
        operator=operator,
        score=score,
        target=target,
        before=before,
        after=after,
    )
    return after


@internal
@view
def _target(score: int256) -> uint256:
    """
    @notice Where the prediction says it should stand, within the bounds.
    """
    target: int256 = limits.base + ((score * limits.slope) >> 32)
    if target <= convert(limits.low, int256):
        return limits.low
    if target >= convert(limits.high, int256):
        return limits.high
    return convert(target, uint256)


@internal
@view
def _step(before: uint256, target: uint256) -> uint256:
    if target > before:
        return min(target, before + limits.max_step)
    return max(target, before - min(before, limits.max_step))
