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

from ethereum.ercs import IERC20

from lib import merkle
from lib import record as fields

# --- interfaces ---


interface Anchor:
    def check(log_id: bytes32, size: uint256, root: bytes32, time: uint256) -> bool: view


interface Stakes:
    def standing(operator: address) -> uint256: view


interface Registry:
    def is_active(model_id: bytes32) -> bool: view


# --- events ---


event PaymentOpened:
    id: indexed(uint256)
    payer: indexed(address)
    payee: indexed(address)
    amount: uint256


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


event PaymentReleased:
    id: indexed(uint256)


event PaymentRefused:
    id: indexed(uint256)


event PaymentReclaimed:
    id: indexed(uint256)


event ThresholdsProposed:
    review_at: int64
    hold_at: int64
    effective_at: uint256


event ThresholdsChanged:
    review_at: int64
    hold_at: int64


event Paused:
    human: indexed(address)


event Unpaused:
    human: indexed(address)


# --- types and constants ---


struct Payment:
    payer: address
    payee: address
    amount: uint256
    state: uint256
    opened_at: uint256


# States of a payment; from PAID on they are final.
UNKNOWN: constant(uint256) = 0
OPEN: constant(uint256) = 1
REVIEW: constant(uint256) = 2
HELD: constant(uint256) = 3
PAID: constant(uint256) = 4  # on a prediction
RELEASED: constant(uint256) = 5  # to the payee, by the human
REFUSED: constant(uint256) = 6  # back to the payer, by the human
RECLAIMED: constant(uint256) = 7  # back to the payer, by the payer

# Assurance tiers, weakest first.
SIGNED: constant(uint256) = 1
OPTIMISTIC: constant(uint256) = 3

MAX_AMOUNT: constant(uint256) = 2**96 - 1
MAX_SKEW_S: constant(uint256) = 60  # how far a prediction's clock may run ahead of the chain's
DAY_S: constant(uint256) = 86400
HALF_ORDER: constant(bytes32) = (
    0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0  # secp256k1 n/2, EIP-2
)

NAME: constant(String[8]) = "veridict"
VERSION: constant(String[1]) = "1"
DOMAIN_TYPEHASH: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
PREDICTION_TYPEHASH: constant(bytes32) = keccak256(
    "Prediction(bytes32 modelId,bytes32 request,bytes32 inputs,int64 score,uint64 sequence,uint64 timeMs,uint256 deadline)"
)

# --- what is fixed for ever ---

token: public(immutable(IERC20))
anchor: public(immutable(Anchor))
stakes: public(immutable(Stakes))
registry: public(immutable(Registry))
model_id: public(immutable(bytes32))
max_auto_amount: public(immutable(uint256))
min_bond: public(immutable(uint256))
human: public(immutable(address))
max_age_s: public(immutable(uint256))
max_auto_per_day: public(immutable(uint256))
review_ceiling: public(immutable(int64))
hold_ceiling: public(immutable(int64))
change_delay_s: public(immutable(uint256))
reclaim_after: public(immutable(uint256))
challenge_window_s: public(immutable(uint256))
min_assurance: public(immutable(uint256))

# --- state ---

review_at: public(int64)
hold_at: public(int64)
paused: public(bool)
payments: public(uint256)  # how many were opened; ids count from 1

_parties: HashMap[uint256, uint256]  # payer << 96 | opened_at u64 << 8 | state u8
_transfers: HashMap[uint256, uint256]  # payee << 96 | amount u96
_spent: uint256  # day << 128 | paid automatically on that day

_next_review_at: int64
_next_hold_at: int64
_next_effective_at: uint256


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
    assert token_.is_contract, "Guard: token is not a contract"
    assert stakes_.is_contract, "Guard: stakes is not a contract"
    assert anchor_.is_contract, "Guard: anchor is not a contract"
    assert human_ != empty(address), "Guard: human is nobody"
    assert review_at_ <= hold_at_, "Guard: review_at is above hold_at"
    assert review_at_ <= review_ceiling_, "Guard: review_at is above its ceiling"
    assert hold_at_ <= hold_ceiling_, "Guard: hold_at is above its ceiling"
    assert min_assurance_ in [SIGNED, OPTIMISTIC], "Guard: unknown assurance"
    assert challenge_window_s_ <= max_age_s_, "Guard: records expire before they count"

    token = IERC20(token_)
    anchor = Anchor(anchor_)
    stakes = Stakes(stakes_)
    registry = Registry(registry_)
    model_id = model_id_
    max_auto_amount = max_auto_amount_
    min_bond = min_bond_
    human = human_
    max_age_s = max_age_s_
    max_auto_per_day = max_auto_per_day_
    review_ceiling = review_ceiling_
    hold_ceiling = hold_ceiling_
    change_delay_s = change_delay_s_
    reclaim_after = reclaim_after_
    challenge_window_s = challenge_window_s_
    min_assurance = min_assurance_

    self.review_at = review_at_
    self.hold_at = hold_at_
    log ThresholdsChanged(review_at=review_at_, hold_at=hold_at_)


# --- the payer ---


@external
@nonreentrant
def open(payee: address, amount: uint256) -> uint256:
    """
    @notice Hand `amount` of the token to the guard, for `payee`.
    @return The payment's id
    """
    assert not self.paused, "Guard: paused"
    assert amount > 0, "Guard: amount is zero"
    assert amount <= MAX_AMOUNT, "Guard: amount is too large"
    assert payee != empty(address) and payee != self, "Guard: payee cannot be paid"

    id: uint256 = self.payments + 1
    self.payments = id
    self._parties[id] = self._pack_party(msg.sender, block.timestamp, OPEN)
    self._transfers[id] = (convert(payee, uint256) << 96) | amount
    log PaymentOpened(id=id, payer=msg.sender, payee=payee, amount=amount)
    self._pull(msg.sender, amount)
    return id


@external
@nonreentrant
def reclaim(id: uint256):
    """
    @notice Take back a payment that nothing and nobody decided within `reclaim_after` seconds.
    """
    payment: Payment = self._payment(id)
    self._assert_undecided(payment)
    assert msg.sender == payment.payer, "Guard: caller is not the payer"
    assert block.timestamp >= payment.opened_at + reclaim_after, "Guard: too early to reclaim"
    self._finish(id, payment, RECLAIMED)
    log PaymentReclaimed(id=id)
    self._push(payment.payer, payment.amount)


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
    payment: Payment = self._check(id, record, request_salt)

    # 5. the evidence: an operator's signature, in time
    assert min_assurance <= SIGNED, "Guard: no valid prediction, signed is not enough"
    assert block.timestamp <= deadline, "Guard: no valid prediction, deadline has passed"
    operator: address = self._signer(record, deadline, signature)

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
    payment: Payment = self._check(id, record, request_salt)

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


# --- the human ---


@external
@nonreentrant
def release(id: uint256):
    """
    @notice Pay an undecided payment to its payee.
    """
    self._only_human()
    payment: Payment = self._payment(id)
    self._assert_undecided(payment)
    self._finish(id, payment, RELEASED)
    log PaymentReleased(id=id)
    self._push(payment.payee, payment.amount)


@external
@nonreentrant
def refuse(id: uint256):
    """
    @notice Return an undecided payment to its payer.
    """
    self._only_human()
    payment: Payment = self._payment(id)
    self._assert_undecided(payment)
    self._finish(id, payment, REFUSED)
    log PaymentRefused(id=id)
    self._push(payment.payer, payment.amount)


@external
def pause():
    """
    @notice Stop new payments and all automatic ones. What is held stays within the human's
            and, later, the payer's reach.
    """
    self._only_human()
    assert not self.paused, "Guard: paused"
    self.paused = True
    log Paused(human=msg.sender)


@external
def unpause():
    """
    @notice Go on.
    """
    self._only_human()
    assert self.paused, "Guard: not paused"
    self.paused = False
    log Unpaused(human=msg.sender)


@external
def propose_thresholds(review_at: int64, hold_at: int64):
    """
    @notice Announce other thresholds, within the ceilings; `apply_thresholds` after the delay.
            Proposing again replaces the proposal and starts the delay anew.
    """
    self._only_human()
    assert review_at <= hold_at, "Guard: review_at is above hold_at"
    assert review_at <= review_ceiling, "Guard: review_at is above its ceiling"
    assert hold_at <= hold_ceiling, "Guard: hold_at is above its ceiling"
    effective_at: uint256 = block.timestamp + change_delay_s
    self._next_review_at = review_at
    self._next_hold_at = hold_at
    self._next_effective_at = effective_at
    log ThresholdsProposed(review_at=review_at, hold_at=hold_at, effective_at=effective_at)


@external
def apply_thresholds():
    """
    @notice Put the proposed thresholds into effect.
    """
    self._only_human()
    assert self._next_effective_at > 0, "Guard: nothing is proposed"
    assert block.timestamp >= self._next_effective_at, "Guard: change is cooling down"
    self._next_effective_at = 0
    self.review_at = self._next_review_at
    self.hold_at = self._next_hold_at
    log ThresholdsChanged(review_at=self.review_at, hold_at=self.hold_at)


# --- views ---


@external
@view
def payment(id: uint256) -> Payment:
    """
    @notice (payer, payee, amount, state, opened_at). States: 0 none, 1 open, 2 review, 3 held,
            4 paid, 5 released, 6 refused, 7 reclaimed.
    """
    return self._payment(id)


@external
@view
def auto_spent_today() -> uint256:
    """
    @notice What was paid without a human on this UTC day.
    """
    return self._spent_today()


@external
@view
def proposed_thresholds() -> (int64, int64, uint256):
    """
    @notice (review_at, hold_at, effective_at); effective_at is 0 when nothing is proposed.
    """
    return self._next_review_at, self._next_hold_at, self._next_effective_at


@external
@view
def request_content(id: uint256) -> Bytes[192]:
    """
    @notice The canonical bytes that a prediction about this payment is asked about.
    """
    return self._request_content(id, self._payment(id))


@external
@view
def eip712Domain() -> (
    bytes1, String[8], String[1], uint256, address, bytes32, DynArray[uint256, 1]
):
    """
    @notice ERC-5267: the domain of the signatures accepted here.
    """
    extensions: DynArray[uint256, 1] = []
    return 0x0f, NAME, VERSION, chain.id, self, empty(bytes32), extensions


# --- the argument, step by step ---


@internal
@view
def _check(id: uint256, record: bytes32[4], request_salt: bytes32) -> Payment:
    # 1. the payment waits for its first prediction
    assert not self.paused, "Guard: paused"
    payment: Payment = self._payment(id)
    assert payment.state != UNKNOWN, "Guard: unknown payment"
    assert payment.state == OPEN, "Guard: payment is settled already"

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
    id: uint256, payment: Payment, record: bytes32[4], operator: address, leaf: bytes32
):
    # 6. the operator has enough to lose, and is not leaving
    assert (
        staticcall stakes.standing(operator) >= min_bond
    ), "Guard: no valid prediction, bond is too small"

    # 7. the score decides, within the bounds
    score: int256 = fields.score(record)
    spent: uint256 = self._spent_today() + payment.amount
    if score >= convert(self.hold_at, int256):
        self._finish(id, payment, HELD)
        log PaymentHeld(id=id, operator=operator, leaf=leaf, score=score)
    elif (
        score >= convert(self.review_at, int256)
        or payment.amount > max_auto_amount
        or spent > max_auto_per_day
    ):
        self._finish(id, payment, REVIEW)
        log PaymentReviewed(id=id, operator=operator, leaf=leaf, score=score)
    else:
        self._spent = ((block.timestamp // DAY_S) << 128) | spent
        self._finish(id, payment, PAID)
        log PaymentAllowed(id=id, operator=operator, leaf=leaf, score=score)
        self._push(payment.payee, payment.amount)


# --- small parts ---


@internal
@view
def _only_human():
    assert msg.sender == human, "Guard: caller is not the human"


@internal
@pure
def _assert_undecided(payment: Payment):
    assert payment.state != UNKNOWN, "Guard: unknown payment"
    assert payment.state <= HELD, "Guard: payment is settled already"


@internal
def _finish(id: uint256, payment: Payment, state: uint256):
    self._parties[id] = self._pack_party(payment.payer, payment.opened_at, state)


@internal
@pure
def _pack_party(payer: address, opened_at: uint256, state: uint256) -> uint256:
    return (convert(payer, uint256) << 96) | (opened_at << 8) | state


@internal
@view
def _payment(id: uint256) -> Payment:
    party: uint256 = self._parties[id]
    transfer: uint256 = self._transfers[id]
    return Payment(
        payer=convert(party >> 96, address),
        payee=convert(transfer >> 96, address),
        amount=transfer & MAX_AMOUNT,
        state=party & 255,
        opened_at=(party >> 8) & (2**64 - 1),
    )


@internal
@view
def _request_content(id: uint256, payment: Payment) -> Bytes[192]:
    return abi_encode(chain.id, self, id, payment.payer, payment.payee, payment.amount)


@internal
@view
def _spent_today() -> uint256:
    if self._spent >> 128 != block.timestamp // DAY_S:
        return 0
    return self._spent & (2**128 - 1)


@internal
@view
def _signer(record: bytes32[4], deadline: uint256, signature: Bytes[65]) -> address:
    assert len(signature) == 65, "Guard: no valid prediction, bad signature"
    r: uint256 = extract32(signature, 0, output_type=uint256)
    s: uint256 = extract32(signature, 32, output_type=uint256)
    v: uint256 = convert(slice(signature, 64, 1), uint256)
    assert s <= convert(HALF_ORDER, uint256), "Guard: no valid prediction, bad signature"
    signer: address = ecrecover(self._digest(record, deadline), v, r, s)
    assert signer != empty(address), "Guard: no valid prediction, bad signature"
    return signer


@internal
@view
def _digest(record: bytes32[4], deadline: uint256) -> bytes32:
    domain: bytes32 = keccak256(
        abi_encode(DOMAIN_TYPEHASH, keccak256(NAME), keccak256(VERSION), chain.id, self)
    )
    prediction: bytes32 = keccak256(
        abi_encode(
            PREDICTION_TYPEHASH,
            record[fields.MODEL],
            record[fields.REQUEST],
            record[fields.INPUTS],
            fields.score(record),
            fields.sequence(record),
            fields.time_ms(record),
            deadline,
        )
    )
    return keccak256(concat(0x1901, domain, prediction))


@internal
def _pull(payer: address, amount: uint256):
    before: uint256 = staticcall token.balanceOf(self)
    assert extcall token.transferFrom(
        payer, self, amount, default_return_value=True
    ), "Guard: token refused the transfer"
    assert (
        staticcall token.balanceOf(self) == before + amount
    ), "Guard: token moved another amount"


@internal
def _push(to: address, amount: uint256):
    before: uint256 = staticcall token.balanceOf(self)
    assert extcall token.transfer(
        to, amount, default_return_value=True
    ), "Guard: token refused the transfer"
    assert (
        staticcall token.balanceOf(self) == before - amount
    ), "Guard: token moved another amount"
