#pragma version 0.4.3
"""
@title An update's bytes, as far as a contract must read them
@license Apache-2.0
@notice weight u32 and then values i32, big-endian; Σ values² <= (weight · 2^11)².
"""

MAX_UPDATE: constant(uint256) = 4_100  # bytes
MAX_WEIGHT: constant(uint256) = 65_536
NORM_SHIFT: constant(uint256) = 11  # a weight of 2^16 allows a norm of 2^27


@internal
@pure
def is_well_formed(update: Bytes[MAX_UPDATE]) -> bool:
    size: uint256 = len(update)
    if size < 8 or size % 4 != 0:
        return False
    weight: uint256 = convert(slice(update, 0, 4), uint256)
    if weight == 0 or weight > MAX_WEIGHT:
        return False
    bound: uint256 = weight << NORM_SHIFT
    total: uint256 = 0
    for i: uint256 in range(1, MAX_UPDATE // 4):
        if 4 * i >= size:
            break
        value: uint256 = convert(slice(update, 4 * i, 4), uint256)
        if value >= 2**31:
            value = 2**32 - value
        total += value * value
    return total <= bound * bound
