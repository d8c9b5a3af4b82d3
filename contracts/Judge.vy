#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title Judge of disputes
@license Apache-2.0
@notice Runs a registered model on a row, and slashes the operator whose anchored record
        claims another score. It recomputes everything: the leaf's hash, the commitment to
        the inputs, the score. Nobody has to be believed, one honest watcher is enough.
@dev    The model is run by the scorer, hand-written in contracts/asm/Scorer.evm because it
        takes half the gas there; the judge accepts only one with the code it was written for.
        Pages are walked without being checked first: a model that is not canonical scores by
        its own nonsense or reverts, within bounded loops, and whoever relies on a model id has
        decoded its bytes before.
"""

from lib import merkle
from lib import model_header
from lib import record as records


interface Registry:
    def chunks(model_id: bytes32) -> DynArray[address, MAX_CHUNKS]: view


interface Anchor:
    def includes(
        log_id: bytes32,
        size: uint256,
        root: bytes32,
        time: uint256,
        index: uint256,
        leaf_hash: bytes32,
        proof: DynArray[bytes32, merkle.MAX_PROOF],
    ) -> bool: view


interface Scorer:
    def score(chunks: DynArray[address, MAX_CHUNKS], inputs: Bytes[MAX_INPUTS]) -> int256: view


interface Stakes:
    def bond(operator: address) -> uint256: view
    def slash(operator: address, challenger: address) -> uint256: nonpayable


event LieProven:
    modelId: indexed(bytes32)
    operator: indexed(address)
    challenger: indexed(address)
    leaf: bytes32
    claimed: int256
    actual: int256
    slashed: uint256


MAX_CHUNKS: constant(uint256) = 16
MAX_INPUTS: constant(uint256) = model_header.MAX_INPUTS

SCORER_CODE: constant(bytes32) = 0xdf9f0f30cfd656df293e7b021d8a9f8f5c7740c50a75d4d3cbe123fa3f7b22e7  # its codehash
NO_SCORE: constant(int256) = min_value(int256)  # of inputs that are no row of the model

registry: public(immutable(Registry))
anchor: public(immutable(Anchor))
stakes: public(immutable(Stakes))
scorer: public(immutable(Scorer))

# What a lie has cost its operator so far, in wei; 0 while it is not proven. Not just a mark: it
# would come for nothing to who has no bond yet, and then shield the lie once the bond is there.
proven: public(HashMap[address, HashMap[bytes32, uint256]])  # operator, leaf hash of the lie


@deploy
def __init__(registry_: address, anchor_: address, stakes_: address, scorer_: address):
    assert scorer_.codehash == SCORER_CODE, "Judge: not the scorer of this judge"
    registry = Registry(registry_)
    anchor = Anchor(anchor_)
    stakes = Stakes(stakes_)
    scorer = Scorer(scorer_)


@external
@nonreentrant
def challenge(
    operator: address,
    key: bytes32,
    size: uint256,
    root: bytes32,
    time: uint256,
    index: uint256,
    record: bytes32[4],
    inputs_salt: bytes32,
    inputs: Bytes[MAX_INPUTS],
    proof: DynArray[bytes32, merkle.MAX_PROOF],
):
    """
    @notice Prove that `operator` anchored a record whose score its model does not give.
            Whoever succeeds gets half of the operator's bond, the rest is burnt. A lie is
            punished again only where a larger bond stands behind it than it has cost so far.
            Inputs of another length than the model's have no score, so any score of them is
            false; LieProven then tells -2^255 as the actual one. Images that belong to no
            float are scored like all others: the format leaves no number without a score.
    @param operator Who anchored the log
    @param key SHA-256 of the log's note verifier key
    @param size Size of an anchored head that includes the record
    @param root Root of that head
    @param time When it was anchored, in seconds
    @param index The record's number in the log
    @param record The record's four words
    @param inputs_salt Opens the record's inputs commitment
    @param inputs The row the record is about: 8 bytes a feature
    @param proof RFC 9162 inclusion proof of the record under `root`
    """
    # 1. It is a prediction, and there is a bond to take that this lie has not cost yet.
    assert records.is_prediction(record), "Judge: not a prediction"
    leaf: bytes32 = merkle.leaf_hash(record)
    bond: uint256 = staticcall stakes.bond(operator)
    assert bond > 0, "Judge: nothing left to slash"
    assert bond > self.proven[operator][leaf], "Judge: lie is proven already"

    # 2. The operator anchored it.
    assert staticcall anchor.includes(
        keccak256(abi_encode(operator, key)), size, root, time, index, leaf, proof
    ), "Judge: record is not in the operator's log"

    # 3. It is about these inputs.
    assert sha256(concat(b"I", inputs_salt, inputs)) == record[records.INPUTS], (
        "Judge: inputs do not open the record"
    )

    # 4. Its model gives another score, or none.
    claimed: int256 = records.score(record)
    chunks: DynArray[address, MAX_CHUNKS] = staticcall registry.chunks(record[records.MODEL])
    actual: int256 = NO_SCORE
    if self._fits(chunks[0], inputs):
        actual = staticcall scorer.score(chunks, inputs)
    assert actual != claimed, "Judge: score is honest"

    # 5. The punishment; the mark first, for paying the challenger calls it.
    self.proven[operator][leaf] = bond
    slashed: uint256 = extcall stakes.slash(operator, msg.sender)
    log LieProven(
        modelId=record[records.MODEL],
        operator=operator,
        challenger=msg.sender,
        leaf=leaf,
        claimed=claimed,
        actual=actual,
        slashed=slashed,
    )


@external
@view
def score(model_id: bytes32, inputs: Bytes[MAX_INPUTS]) -> int256:
    """
    @notice What is recorded of one row: its score in units of 2^-32, or, of a model with
            several outputs, the number of the one with the highest score.
    @param model_id SHA-256 of the canonical model bytes
    @param inputs 8 bytes a feature, the order-preserving images of its floats
    """
    chunks: DynArray[address, MAX_CHUNKS] = staticcall registry.chunks(model_id)
    assert self._fits(chunks[0], inputs), "Judge: inputs do not fit the model"
    return staticcall scorer.score(chunks, inputs)


@internal
@view
def _fits(chunk: address, inputs: Bytes[MAX_INPUTS]) -> bool:
    """
    @notice Whether the inputs are as long as the model's, by the header in its first chunk.
            Reverts where that is no header of a model the scorer runs.
    """
    features: uint256 = model_header.features(chunk)
    assert features > 0, "Judge: not a model of this format"
    return len(inputs) == 8 * features
