#pragma version 0.4.3
"""
@title Merkle proofs of an append-only log
@license Apache-2.0
@notice Inclusion and consistency exactly as RFC 9162 §2.1.3.2 and §2.1.4.2 verify them:
        SHA-256, leaves under 0x00, nodes under 0x01. Every function returns a verdict;
        it is the caller who reverts.
"""

MAX_PROOF: constant(uint256) = 64
EMPTY_ROOT: constant(bytes32) = (
    0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  # SHA-256("")
)


@internal
@pure
def _node(left: bytes32, right: bytes32) -> bytes32:
    return sha256(concat(0x01, left, right))


@internal
@pure
def leaf_hash(record: bytes32[4]) -> bytes32:
    return sha256(concat(0x00, record[0], record[1], record[2], record[3]))


@internal
@pure
def includes(
    index: uint256,
    size: uint256,
    leaf: bytes32,
    proof: DynArray[bytes32, MAX_PROOF],
    root: bytes32,
) -> bool:
    """
    @notice Is `leaf` the hash at `index` among the `size` leaves under `root`?
    """
    if index >= size:
        return False

    fn: uint256 = index
    sn: uint256 = size - 1
    r: bytes32 = leaf
    for p: bytes32 in proof:
        if sn == 0:
            return False
        if fn & 1 == 1:
            r = self._node(p, r)
        elif fn == sn:
            # the right edge: climb the levels at which this subtree has no sibling
            r = self._node(p, r)
            lift: uint256 = self._trailing_zeros(fn)
            fn >>= lift
            sn >>= lift
        else:
            r = self._node(r, p)
        fn >>= 1
        sn >>= 1
    return sn == 0 and r == root


@internal
@pure
def extends(
    old_size: uint256,
    old_root: bytes32,
    new_size: uint256,
    new_root: bytes32,
    proof: DynArray[bytes32, MAX_PROOF],
) -> bool:
    """
    @notice Are the first `old_size` leaves under `new_root` those under `old_root`?
    @dev The empty log is extended by every log, with an empty proof; a log extends
         itself only when the roots are equal, with an empty proof.
    """
    if old_size == 0:
        return old_root == EMPTY_ROOT and len(proof) == 0 and new_size > 0
    if old_size == new_size:
        return old_root == new_root and len(proof) == 0
    if old_size > new_size:
        return False

    fn: uint256 = old_size - 1
    sn: uint256 = new_size - 1
    lift: uint256 = self._trailing_zeros(old_size)
    fn >>= lift
    sn >>= lift

    # When old_size is a power of two, its root is itself the first node of the path.
    fr: bytes32 = old_root
    sr: bytes32 = old_root
    start: uint256 = 0
    if fn != 0:
        if len(proof) == 0:
            return False
        fr = proof[0]
        sr = proof[0]
        start = 1

    for i: uint256 in range(start, len(proof), bound=MAX_PROOF):
        if sn == 0:
            return False
        c: bytes32 = proof[i]
        if fn & 1 == 1 or fn == sn:
            fr = self._node(c, fr)
            sr = self._node(c, sr)
            if fn & 1 == 0:
                lift = self._trailing_zeros(fn)
                fn >>= lift
                sn >>= lift
        else:
            sr = self._node(sr, c)
        fn >>= 1
        sn >>= 1
    return sn == 0 and fr == old_root and sr == new_root


@internal
@pure
def _trailing_zeros(x: uint256) -> uint256:
    """
    @dev 0 for 0: nothing is left to climb.
    """
    zeros: uint256 = 0
    rest: uint256 = x
    for _: uint256 in range(256):
        if rest & 1 == 1 or rest == 0:
            break
        rest >>= 1
        zeros += 1
    return zeros
