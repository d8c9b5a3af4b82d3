#pragma version 0.4.3
"""
@title Bytes kept as the code of a contract that returns them when called
@license Apache-2.0
@notice Runtime code is PREFIX | data. The prefix copies what stands behind it and returns it:
            PUSH1 11 CODESIZE SUB DUP1 PUSH1 11 PUSH0 CODECOPY PUSH0 RETURN
        `is_data` is what makes calling an unknown address safe: code that starts so can do
        nothing else, whatever follows.
"""

PREFIX: constant(bytes11) = 0x600b380380600b5f395ff3
PREFIX_BYTES: constant(uint256) = 11
MAX_DATA: constant(uint256) = 24565  # EIP-170's 24,576 bytes of code less the prefix


@internal
@view
def is_data(target: address) -> bool:
    if target.codesize <= PREFIX_BYTES:
        return False
    return convert(slice(target.code, 0, PREFIX_BYTES), bytes11) == PREFIX
