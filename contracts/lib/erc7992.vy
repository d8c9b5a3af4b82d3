#pragma version 0.4.3
"""
@title Words of ERC-7992
@license Apache-2.0
@notice What the registry and the verifier share: the proof system's id, and reverting with the
        standard's errors, which Vyper cannot declare.
"""

# First four bytes of keccak256("reexecution-veridict-v1")
PROOF_SYSTEM: constant(bytes4) = 0xfc0ffa52
ERC165: constant(bytes4) = 0x01ffc9a7  # supportsInterface(bytes4)


@internal
@pure
def refuse(error: Bytes[4]):
    """
    @notice Revert with an error that has no arguments.
    """
    raw_revert(error)


@internal
@pure
def refuse_model(error: Bytes[4], model_id: uint256):
    """
    @notice Revert with an error about a model.
    """
    raw_revert(concat(error, convert(model_id, bytes32)))
