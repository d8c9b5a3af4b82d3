#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title Guard of payments
@license Apache-2.0
@notice Holds each payment until a prediction about it exists, and acts on that prediction
        within hard bounds: at most `max_auto_amount` a payment and `max_auto_per_day` a day
        are paid without a human; whatever scores higher or does not fit waits for the human,
        who may also stop everything. What nobody decides goes back to the payer.
@dev    Every prediction is checked by the same numbered steps, `_check` then `_settle`; the two
        ways in differ only in the evidence for it (step 5). The decision is derived from the
        score by this contract's thresholds, never from the record's decision byte.
"""

from lib import allowance
from lib import control
from lib import eip712
from lib import escrow
from lib import merkle
from lib import record as fields
from lib import thresholds

initializes: allowance
initializes: control
initializes: escrow[control := control]
initializes: thresholds[control := control]

# --- contents ---

exports: (  # the payer's
    escrow.open,
    escrow.reclaim,
)
exports: (  # the human's; settle_signed and settle_anchored, below, are anyone's
    escrow.release,
    escrow.refuse,
    control.pause,
    control.unpause,
    thresholds.propose_thresholds,
    thresholds.apply_thresholds,
)
exports: (  # views
    escrow.token,
    escrow.reclaim_after,
    escrow.payments,
    escrow.payment,
    control.human,
    control.paused,
    allowance.max_auto_amount,
    allowance.max_auto_per_day,
    allowance.auto_spent_today,
    thresholds.review_at,
    thresholds.hold_at,
    thresholds.review_ceiling,
    thresholds.hold_ceiling,
    thresholds.change_delay_s,
    thresholds.proposed_thresholds,
    eip712.eip712Domain,
)

# --- interfaces ---


interface Anchor:
    def check(log_id: bytes32, size: uint256, root: bytes32, time: uint256) -> bool: view


interface Stakes:
    def standing(operator: address) -> uint256: view


interface Registry:
    def is_active(model_id: bytes32) -> bool: view


# --- events ---


event PaymentAllowed:
    id: indexed(uint256)
    operator: indexed(address)
    leaf: bytes32
    score: int256


event PaymentReviewed:
    id: indexed(uint256)
    operator: indexed(address)
    leaf: bytes32
    score: int256


event PaymentHeld:
    id: indexed(uint256)
    operator: indexed(address)
    leaf: bytes32
    score: int256


# --- constants ---

# Assurance tiers, weakest first.
SIGNED: constant(uint256) = 1
OPTIMISTIC: constant(uint256) = 3

MAX_SKEW_S: constant(uint256) = 60  # how far a prediction's clock may run ahead of the chain's

# --- what is fixed for ever ---

anchor: public(immutable(Anchor))
stakes: public(immutable(Stakes))
registry: public(immutable(Registry))
model_id: public(immutable(bytes32))
min_bond: public(immutable(uint256))
max_age_s: public(immutable(uint256))
challenge_window_s: public(immutable(uint256))
min_assurance: public(immutable(uint256))


@deploy
def __init__(
    token_: address,
    anchor_: address,
    stakes_: address,
    registry_: address,
    model_id_: bytes32,
    review_at_: int64,
    hold_at_: int64,
    max_auto_amount_: uint256,
    min_bond_: uint256,
    human_: address,
    max_age_s_: uint256,
    max_auto_per_day_: uint256,
    review_ceiling_: int64,
    hold_ceiling_: int64,
    change_delay_s_: uint256,
    reclaim_after_: uint256,
    challenge_window_s_: uint256,
    min_assurance_: uint256,
):
    """
    @param token_ ERC-20 that is paid in; without fees on transfer
    @param anchor_ Where logs are anchored
    @param stakes_ Where operators are bonded
    @param registry_ Where the model must be active; the zero address to not ask
    @param model_id_ The only model whose predictions count
    @param review_at_ Scores from here on wait for the human; units of 2^-32
    @param hold_at_ Scores from here on are held
    @param max_auto_amount_ Largest payment made without a human
    @param min_bond_ Least standing bond of an operator, wei
    @param human_ Who releases, refuses, pauses and changes thresholds
    @param max_age_s_ How old a prediction may be
    @param max_auto_per_day_ Most that is paid without a human in one UTC day
    @param review_ceiling_ Highest `review_at` the human can ever set
    @param hold_ceiling_ Highest `hold_at` the human can ever set
    @param change_delay_s_ Seconds between proposing thresholds and their effect
    @param reclaim_after_ Seconds after which the payer may take an undecided payment back
    @param challenge_window_s_ How long a record must have been anchored before it counts
    @param min_assurance_ Weakest tier accepted: 1 signed, 3 optimistic
    """
    assert stakes_.is_contract, "Guard: stakes is not a contract"
    assert anchor_.is_contract, "Guard: anchor is not a contract"
    assert min_assurance_ in [SIGNED, OPTIMISTIC], "Guard: unknown assurance"
    assert challenge_window_s_ <= max_age_s_, "Guard: records expire before they count"
    control.__init__(human_)
    allowance.__init__(max_auto_amount_, max_auto_per_day_)
    escrow.__init__(token_, reclaim_after_)
    thresholds.__init__(review_at_, hold_at_, review_ceiling_, hold_ceiling_, change_delay_s_)

    anchor = Anchor(anchor_)
    stakes = Stakes(stakes_)
    registry = Registry(registry_)
    model_id = model_id_
    min_bond = min_bond_
    max_age_s = max_age_s_
    challenge_window_s = challenge_window_s_
    min_assurance = min_assurance_


# --- anyone, with a prediction ---


@external
@nonreentrant
def settle_signed(
    id: uint256,
    record: bytes32[4],
    request_salt: bytes32,
    deadline: uint256,
    signature: Bytes[65],
):
    """
    @notice Act on a prediction signed by a bonded operator.
    @param record The prediction's four words
    @param request_salt Opens the record's request commitment
    @param deadline Until when the signature counts, seconds
    @param signature EIP-712 over Prediction, r | s | v
    """
    payment: escrow.Payment = self._check(id, record, request_salt)

    # 5. the evidence: an operator's signature, in time
    assert min_assurance <= SIGNED, "Guard: no valid prediction, signed is not enough"
    assert block.timestamp <= deadline, "Guard: no valid prediction, deadline has passed"
    operator: address = eip712.signer(record, deadline, signature)
    assert operator != empty(address), "Guard: no valid prediction, bad signature"

    self._settle(id, payment, record, operator, merkle.leaf_hash(record))


@external
@nonreentrant
def settle_anchored(
    id: uint256,
    record: bytes32[4],
    request_salt: bytes32,
    operator: address,
    key: bytes32,
    size: uint256,
    root: bytes32,
    time: uint256,
    index: uint256,
    proof: DynArray[bytes32, merkle.MAX_PROOF],
):
    """
    @notice Act on a prediction in a bonded operator's anchored log, once it could be challenged.
    @param record The prediction's four words
    @param request_salt Opens the record's request commitment
    @param operator Who anchored the log
    @param key SHA-256 of the log's note verifier key
    @param size Size of the anchored head
    @param root Its root
    @param time When it was anchored, seconds
    @param index The record's place in the log
    @param proof RFC 9162 inclusion proof
    """
    payment: escrow.Payment = self._check(id, record, request_salt)

    # 5. the evidence: inclusion under an anchored head, open to challenge for long enough
    leaf: bytes32 = merkle.leaf_hash(record)
    log_id: bytes32 = keccak256(abi_encode(operator, key))
    assert staticcall anchor.check(
        log_id, size, root, time
    ), "Guard: no valid prediction, head is not anchored"
    assert (
        block.timestamp >= time + challenge_window_s
    ), "Guard: no valid prediction, challenge window is open"
    assert merkle.includes(
        index, size, leaf, proof, root
    ), "Guard: no valid prediction, record is not in the log"

    self._settle(id, payment, record, operator, leaf)


# --- views ---


@external
@view
def request_content(id: uint256) -> Bytes[192]:
    """
    @notice The canonical bytes that a prediction about this payment is asked about.
    """
    return self._request_content(id, escrow.get(id))


# --- the argument, step by step ---


@internal
@view
def _check(id: uint256, record: bytes32[4], request_salt: bytes32) -> escrow.Payment:
    # 1. the payment waits for its first prediction
    control.not_paused()
    payment: escrow.Payment = escrow.get(id)
    assert payment.state != escrow.UNKNOWN, "Guard: unknown payment"
    assert payment.state == escrow.OPEN, "Guard: payment is settled already"

    # 2. the record is a prediction of this guard's model, which is in force
    assert fields.is_prediction(record), "Guard: no valid prediction, not a prediction record"
    assert record[fields.MODEL] == model_id, "Guard: no valid prediction, another model"
    if registry.address != empty(address):
        assert staticcall registry.is_active(
            model_id
        ), "Guard: no valid prediction, model is not active"

    # 3. it is about this payment and no other, here and nowhere else
    content: Bytes[192] = self._request_content(id, payment)
    assert record[fields.REQUEST] == sha256(
        concat(b"R", request_salt, content)
    ), "Guard: no valid prediction, about another request"

    # 4. it is fresh
    time_s: uint256 = fields.time_ms(record) // 1000
    assert time_s <= block.timestamp + MAX_SKEW_S, "Guard: no valid prediction, from the future"
    assert time_s + max_age_s >= block.timestamp, "Guard: no valid prediction, too old"
    return payment


@internal
def _settle(
    id: uint256, payment: escrow.Payment, record: bytes32[4], operator: address, leaf: bytes32
):
    # 6. the operator has enough to lose, and is not leaving
    assert (
        staticcall stakes.standing(operator) >= min_bond
    ), "Guard: no valid prediction, bond is too small"

    # 7. the score decides, within the bounds
    score: int256 = fields.score(record)
    if score >= convert(thresholds.hold_at, int256):
        escrow.enter(id, payment, escrow.HELD)
        log PaymentHeld(id=id, operator=operator, leaf=leaf, score=score)
    elif score < convert(thresholds.review_at, int256) and allowance.spend(payment.amount):
        escrow.enter(id, payment, escrow.PAID)
        log PaymentAllowed(id=id, operator=operator, leaf=leaf, score=score)
        escrow.push(payment.payee, payment.amount)
    else:
        escrow.enter(id, payment, escrow.REVIEW)
        log PaymentReviewed(id=id, operator=operator, leaf=leaf, score=score)


# --- small parts ---


@internal
@view
def _request_content(id: uint256, payment: escrow.Payment) -> Bytes[192]:
    return abi_encode(chain.id, self, id, payment.payer, payment.payee, payment.amount)
