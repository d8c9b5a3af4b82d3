#pragma version 0.4.3
"""
@title The fields of a prediction record
@license Apache-2.0
@notice Four words, the leaf of the log:
            word 0  kind 1B | decision 1B | reasons 3 x u16 | sequence u64 | time_ms u64 | score i64
            word 1  model_id
            word 2  request commitment, SHA-256("R" | salt | content)
            word 3  inputs commitment, SHA-256("I" | salt | content)
"""

KIND: constant(uint256) = 1

MODEL: constant(uint256) = 1
REQUEST: constant(uint256) = 2
INPUTS: constant(uint256) = 3

_U64: constant(uint256) = 2**64 - 1


@internal
@pure
def is_prediction(record: bytes32[4]) -> bool:
    return convert(record[0], uint256) >> 248 == KIND


@internal
@pure
def sequence(record: bytes32[4]) -> uint256:
    return (convert(record[0], uint256) >> 128) & _U64


@internal
@pure
def time_ms(record: bytes32[4]) -> uint256:
    return (convert(record[0], uint256) >> 64) & _U64


@internal
@pure
def score(record: bytes32[4]) -> int256:
    """
    @dev Via bytes32: uint256 to int256 is range-checked, and the shift back is arithmetic.
    """
    return convert(convert(convert(record[0], uint256) << 192, bytes32), int256) >> 192
