#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title Anchor of append-only logs
@license Apache-2.0
@notice Stores the heads of logs, and refuses one that does not extend the last: the keeper
        of a log can neither rewrite what was anchored nor show two histories here.
        Nobody has to be trusted for that; whether the records are true is another matter.
@dev    A log belongs to who anchors it: its id binds the sender, and `key` names the log's
        note verifier key. A head is one packed slot, an anchor one commitment slot.
"""

from lib import merkle


event Anchored:
    logId: indexed(bytes32)
    owner: indexed(address)
    key: bytes32
    size: uint256
    root: bytes32
    time: uint256
    count: uint256


struct Head:
    size: uint256
    time: uint256
    count: uint256


MAX_SIZE: constant(uint256) = 2**64 - 1
_U64: constant(uint256) = 2**64 - 1

_heads: HashMap[bytes32, uint256]  # size u64 << 128 | time u64 << 64 | count u64
commitment: public(HashMap[bytes32, HashMap[uint256, bytes32]])  # keccak256(abi(root, time))


@external
def anchor(
    key: bytes32,
    old_size: uint256,
    old_root: bytes32,
    new_size: uint256,
    new_root: bytes32,
    proof: DynArray[bytes32, merkle.MAX_PROOF],
) -> bytes32:
    """
    @notice Store the next head of the caller's log `key`.
    @param key SHA-256 of the log's note verifier key
    @param old_size Size of the head stored last, 0 for the first
    @param old_root Its root; that of the empty log, SHA-256(""), for the first
    @param new_size Size of the head to store, larger than `old_size`
    @param new_root Its root
    @param proof RFC 9162 consistency proof from the old head to the new; empty for the first
    @return The log's id
    """
    log_id: bytes32 = self._log_id(msg.sender, key)
    head: Head = self._unpack(self._heads[log_id])

    assert old_size == head.size, "Anchor: old head differs"
    if old_size > 0:
        known: bytes32 = self.commitment[log_id][old_size]
        assert known == self._commit(old_root, head.time), "Anchor: old head differs"
    assert new_size > old_size, "Anchor: size does not grow"
    assert new_size <= MAX_SIZE, "Anchor: size is too large"
    assert merkle.extends(
        old_size, old_root, new_size, new_root, proof
    ), "Anchor: not an extension"

    count: uint256 = head.count + 1
    self._heads[log_id] = (new_size << 128) | (block.timestamp << 64) | count
    self.commitment[log_id][new_size] = self._commit(new_root, block.timestamp)
    log Anchored(
        logId=log_id,
        owner=msg.sender,
        key=key,
        size=new_size,
        root=new_root,
        time=block.timestamp,
        count=count,
    )
    return log_id


@external
@view
def head(log_id: bytes32) -> Head:
    """
    @notice (size, time, count) of the head stored last; zeros for an unknown log.
    """
    return self._unpack(self._heads[log_id])


@external
@view
def check(log_id: bytes32, size: uint256, root: bytes32, time: uint256) -> bool:
    """
    @notice Was `root` of the first `size` records anchored at `time` (seconds)?
    """
    return self._anchored(log_id, size, root, time)


@external
@view
def includes(
    log_id: bytes32,
    size: uint256,
    root: bytes32,
    time: uint256,
    index: uint256,
    leaf_hash: bytes32,
    proof: DynArray[bytes32, merkle.MAX_PROOF],
) -> bool:
    """
    @notice Does an anchored head hold the record with `leaf_hash` at `index`?
    @param proof RFC 9162 inclusion proof
    """
    return self._anchored(log_id, size, root, time) and merkle.includes(
        index, size, leaf_hash, proof, root
    )


@external
@pure
def log_id(owner: address, key: bytes32) -> bytes32:
    """
    @notice The id of the log `key` that `owner` anchors.
    """
    return self._log_id(owner, key)


@internal
@pure
def _log_id(owner: address, key: bytes32) -> bytes32:
    return keccak256(abi_encode(owner, key))


@internal
@pure
def _commit(root: bytes32, time: uint256) -> bytes32:
    return keccak256(abi_encode(root, time))


@internal
@view
def _anchored(log_id: bytes32, size: uint256, root: bytes32, time: uint256) -> bool:
    return self.commitment[log_id][size] == self._commit(root, time)


@internal
@pure
def _unpack(packed: uint256) -> Head:
    return Head(size=packed >> 128, time=(packed >> 64) & _U64, count=packed & _U64)
