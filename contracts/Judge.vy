#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title Judge of disputes
@license Apache-2.0
@notice Runs a registered model on a row, and slashes the operator whose anchored record
        claims another score. It recomputes everything: the leaf's hash, the commitment to
        the inputs, the score. Nobody has to be believed, one honest watcher is enough.
@dev    Model bytes as docs/reference/canonical-model.md lays them down. They are walked
        without being checked first: a model that is not canonical scores by its own
        nonsense or reverts, within bounded loops, and whoever relies on a model id has
        decoded its bytes before.
"""

from lib import data_contract
from lib import merkle
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
MAX_INPUTS: constant(uint256) = 2048  # 256 features of 8 bytes
MAX_SLOTS: constant(uint256) = 512  # two a feature: missing goes left, missing goes right
MAX_DEPTH: constant(uint256) = 255
MAX_TREES: constant(uint256) = 371  # in a page; a node of 14 and a leaf of 8 bytes at least
MAX_PAGES: constant(uint256) = 12  # in a chunk

# magic "VRDT", version 1, kind 1 (trees), 32 score bits, a zero
FORMAT: constant(uint256) = 6220109162936868864  # 0x5652445401012000
SMALL_PAGE: constant(uint256) = 2047
PAGE: constant(uint256) = 8188
HEADER_BYTES: constant(uint256) = 32
COUNTS_BYTES: constant(uint256) = 6
NODE_BYTES: constant(uint256) = 14

U16: constant(uint256) = 2**16 - 1
U32: constant(uint256) = 2**32 - 1
U64: constant(uint256) = 2**64 - 1

registry: public(immutable(Registry))
anchor: public(immutable(Anchor))
stakes: public(immutable(Stakes))

# What a lie has cost its operator so far, in wei; 0 while it is not proven. Not just a mark: it
# would come for nothing to who has no bond yet, and then shield the lie once the bond is there.
proven: public(HashMap[address, HashMap[bytes32, uint256]])  # operator, leaf hash of the lie


@deploy
def __init__(registry_: address, anchor_: address, stakes_: address):
    registry = Registry(registry_)
    anchor = Anchor(anchor_)
    stakes = Stakes(stakes_)


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

    # 4. Its model gives another score.
    claimed: int256 = records.score(record)
    actual: int256 = self._score(record[records.MODEL], inputs)
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
    @notice The score of one row by a registered model, in units of 2^-32.
    @param model_id SHA-256 of the canonical model bytes
    @param inputs 8 bytes a feature, the order-preserving images of its floats
    """
    return self._score(model_id, inputs)


@internal
@view
def _score(model_id: bytes32, inputs: Bytes[MAX_INPUTS]) -> int256:
    chunks: DynArray[address, MAX_CHUNKS] = staticcall registry.chunks(model_id)
    header: uint256 = convert(
        slice(chunks[0].code, data_contract.PREFIX_BYTES, HEADER_BYTES), uint256
    )
    features: uint256 = (header >> 176) & U16
    page_bytes: uint256 = (header >> 160) & U16
    assert header >> 192 == FORMAT, "Judge: not a model of this format"
    assert page_bytes == PAGE or page_bytes == SMALL_PAGE, "Judge: not a model of this format"
    assert len(inputs) == 8 * features, "Judge: inputs do not fit the model"

    # A key is slot u16 | value u64 | zeros. Key 2f sends missing (0) left; key 2f + 1 has
    # value - 1 modulo 2^64, so that missing is larger than every threshold and goes right.
    padded: Bytes[MAX_INPUTS + 24] = concat(empty(bytes24), inputs)
    keys: uint256[MAX_SLOTS] = empty(uint256[MAX_SLOTS])
    slot: uint256 = 0
    for f: uint256 in range(features, bound=MAX_INPUTS // 8):
        value: uint256 = extract32(padded, slot << 2, output_type=uint256) & U64
        keys[slot] = (slot << 240) | (value << 176)
        slot = unsafe_add(slot, 1)
        keys[slot] = (slot << 240) | ((unsafe_sub(value, 1) & U64) << 176)
        slot = unsafe_add(slot, 1)

    total: uint256 = 0  # of leaves, each stored 2^63 too large
    at: uint256 = HEADER_BYTES
    page: Bytes[PAGE] = b""
    for chunk: address in chunks:
        start: uint256 = data_contract.PREFIX_BYTES
        end: uint256 = chunk.codesize
        for _p: uint256 in range(MAX_PAGES):
            if start == end:
                break
            if page_bytes == PAGE:
                page = slice(chunk.code, start, PAGE)
            else:
                page = slice(chunk.code, start, SMALL_PAGE)
            start = unsafe_add(start, page_bytes)

            counts: uint256 = extract32(page, at, output_type=uint256)
            root: uint256 = unsafe_add(at, COUNTS_BYTES)
            leaves: uint256 = unsafe_add(root, NODE_BYTES * ((counts >> 224) & U16))
            for _t: uint256 in range(counts >> 240, bound=MAX_TREES):
                at = root
                # slot u16 | threshold u64 | right u16 | left u16 | what stands behind: a key is
                # larger than the whole word exactly when its value is above the threshold.
                # Four steps a turn, because a turn of the loop costs a sixth of a step.
                for _d: uint256 in range(MAX_DEPTH // 4 + 1):
                    na: uint256 = extract32(page, at, output_type=uint256)
                    at = (na >> unsafe_add(144, convert(keys[na >> 240] > na, uint256) << 4)) & U16
                    if at >= leaves:
                        break
                    nb: uint256 = extract32(page, at, output_type=uint256)
                    at = (nb >> unsafe_add(144, convert(keys[nb >> 240] > nb, uint256) << 4)) & U16
                    if at >= leaves:
                        break
                    nc: uint256 = extract32(page, at, output_type=uint256)
                    at = (nc >> unsafe_add(144, convert(keys[nc >> 240] > nc, uint256) << 4)) & U16
                    if at >= leaves:
                        break
                    nd: uint256 = extract32(page, at, output_type=uint256)
                    at = (nd >> unsafe_add(144, convert(keys[nd >> 240] > nd, uint256) << 4)) & U16
                    if at >= leaves:
                        break
                total = unsafe_add(total, extract32(page, at, output_type=uint256) >> 192)
                root = unsafe_add(root, NODE_BYTES)
            at = 0  # only the first page has a header

    base: int256 = convert(convert(header << 160, bytes32), int256) >> 192
    return base + convert(total, int256) - convert(((header >> 96) & U32) << 63, int256)
