#pragma version 0.4.3
"""
@title What makes a prediction count for a contract
@license Apache-2.0
@notice One model, in force; a fresh record; an answer to this contract's own question; and
        evidence of the tier asked for: a bonded operator's signature, or an anchored record that
        could be challenged for long enough.
"""

from . import eip712
from . import merkle
from . import record as fields


interface Anchor:
    def check(log_id: bytes32, size: uint256, root: bytes32, time: uint256) -> bool: view


interface Stakes:
    def standing(operator: address) -> uint256: view


interface Registry:
    def is_active(model_id: bytes32) -> bool: view


# Assurance tiers, weakest first.
SIGNED: constant(uint256) = 1
OPTIMISTIC: constant(uint256) = 3

MAX_SKEW_S: constant(uint256) = 60  # how far a prediction's clock may run ahead of the chain's

anchor: public(immutable(Anchor))
stakes: public(immutable(Stakes))
registry: public(immutable(Registry))
model_id: public(immutable(bytes32))
min_bond: public(immutable(uint256))  # wei
max_age_s: public(immutable(uint256))
challenge_window_s: public(immutable(uint256))
min_assurance: public(immutable(uint256))


@deploy
def __init__(
    anchor_: address,
    stakes_: address,
    registry_: address,
    model_id_: bytes32,
    min_bond_: uint256,
    max_age_s_: uint256,
    challenge_window_s_: uint256,
    min_assurance_: uint256,
):
    assert anchor_.is_contract, "Evidence: anchor is not a contract"
    assert stakes_.is_contract, "Evidence: stakes is not a contract"
    assert min_assurance_ in [SIGNED, OPTIMISTIC], "Evidence: unknown assurance"
    assert challenge_window_s_ <= max_age_s_, "Evidence: records expire before they count"
    anchor = Anchor(anchor_)
    stakes = Stakes(stakes_)
    registry = Registry(registry_)
    model_id = model_id_
    min_bond = min_bond_
    max_age_s = max_age_s_
    challenge_window_s = challenge_window_s_
    min_assurance = min_assurance_


@internal
@view
def signed(record: bytes32[4], deadline: uint256, signature: Bytes[65]) -> address:
    """
    @return The operator who signed the record, bonded; the caller checks the question.
    """
    self._fresh(record)
    assert min_assurance <= SIGNED, "Evidence: signed is not enough"
    assert block.timestamp <= deadline, "Evidence: deadline has passed"
    operator: address = eip712.signer(record, deadline, signature)
    assert operator != empty(address), "Evidence: bad signature"
    self._bonded(operator)
    return operator


@internal
@view
def anchored(
    record: bytes32[4],
    operator: address,
    key: bytes32,
    size: uint256,
    root: bytes32,
    time: uint256,
    index: uint256,
    proof: DynArray[bytes32, merkle.MAX_PROOF],
):
    """
    @notice The record is in the operator's log, anchored, and was open to challenge.
    """
    self._fresh(record)
    log_id: bytes32 = keccak256(abi_encode(operator, key))
    held: bool = staticcall anchor.check(log_id, size, root, time)
    assert held, "Evidence: head is not anchored"
    assert block.timestamp >= time + challenge_window_s, "Evidence: challenge window is open"
    leaf: bytes32 = merkle.leaf_hash(record)
    assert merkle.includes(index, size, leaf, proof, root), "Evidence: record is not in the log"
    self._bonded(operator)


@internal
@pure
def answers(record: bytes32[4], salt: bytes32, content: Bytes[96]) -> bool:
    """
    @notice Is the record's request commitment one to `content`?
    """
    return record[fields.REQUEST] == sha256(concat(b"R", salt, content))


@internal
@view
def _fresh(record: bytes32[4]):
    assert fields.is_prediction(record), "Evidence: not a prediction record"
    assert record[fields.MODEL] == model_id, "Evidence: another model"
    if registry.address != empty(address):
        active: bool = staticcall registry.is_active(model_id)
        assert active, "Evidence: model is not active"
    time_s: uint256 = fields.time_ms(record) // 1000
    assert time_s <= block.timestamp + MAX_SKEW_S, "Evidence: from the future"
    assert time_s + max_age_s >= block.timestamp, "Evidence: too old"


@internal
@view
def _bonded(operator: address):
    bond: uint256 = staticcall stakes.standing(operator)
    assert bond >= min_bond, "Evidence: bond is too small"
