#pragma version 0.4.3
"""
@title Drawing a committee, and sets of members as bits of a word
@license Apache-2.0
"""

DRAWN: constant(uint256) = 5
NOBODY: constant(uint256) = 255
TRIES: constant(uint256) = 128

M1: constant(uint256) = max_value(uint256) // 3
M2: constant(uint256) = max_value(uint256) // 5
M4: constant(uint256) = max_value(uint256) // 17
M8: constant(uint256) = max_value(uint256) // 257
H: constant(uint256) = max_value(uint256) // 65_535


@internal
@pure
def draw(beacon: bytes32, roster: uint256, span: uint256) -> uint256[DRAWN]:
    """
    @notice The first five different members that the words keccak256(beacon, 0), (beacon, 1) …
            hit, modulo `span`, the numbers ever given; NOBODY where there are fewer.
    """
    drawn: uint256[DRAWN] = [NOBODY, NOBODY, NOBODY, NOBODY, NOBODY]
    wanted: uint256 = min(DRAWN, self.size(roster))
    left: uint256 = roster
    found: uint256 = 0
    for i: uint256 in range(TRIES):
        if found == wanted:
            break
        number: uint256 = convert(keccak256(abi_encode(beacon, i)), uint256) % span
        if (left >> number) & 1 == 1:
            left ^= 1 << number
            drawn[found] = number
            found += 1
    return drawn


@internal
@pure
def size(members: uint256) -> uint256:
    """
    @notice How many bits are set.
    """
    # Bits counted in pairs, fours, eights, sixteens; then all sixteens are added at the top.
    x: uint256 = members
    x = (x & M1) + ((x >> 1) & M1)
    x = (x & M2) + ((x >> 2) & M2)
    x = (x & M4) + ((x >> 4) & M4)
    x = (x & M8) + ((x >> 8) & M8)
    return unsafe_mul(x, H) >> 240


@internal
@pure
def has(members: uint256, number: uint256) -> bool:
    return (members >> number) & 1 == 1
