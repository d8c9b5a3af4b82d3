#pragma version 0.4.3
"""
@title Signatures of predictions
@license Apache-2.0
@notice EIP-712 typed data in the domain of the contract that includes this module, told by
        ERC-5267. `signer` returns nobody for a malformed signature; it is the caller who reverts.
"""

from . import record as fields

NAME: constant(String[8]) = "veridict"
VERSION: constant(String[1]) = "1"
DOMAIN_TYPEHASH: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
PREDICTION_TYPEHASH: constant(bytes32) = keccak256(
    "Prediction(bytes32 modelId,bytes32 request,bytes32 inputs,int64 score,uint64 sequence,uint64 timeMs,uint256 deadline)"
)
HALF_ORDER: constant(bytes32) = (
    0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0  # secp256k1 n/2, EIP-2
)


@external
@view
def eip712Domain() -> (
    bytes1, String[8], String[1], uint256, address, bytes32, DynArray[uint256, 1]
):
    """
    @notice ERC-5267: the domain of the signatures accepted here.
    """
    extensions: DynArray[uint256, 1] = []
    return 0x0f, NAME, VERSION, chain.id, self, empty(bytes32), extensions


@internal
@view
def signer(record: bytes32[4], deadline: uint256, signature: Bytes[65]) -> address:
    """
    @notice Who signed this record to count until `deadline`; r | s | v, the low s only.
    """
    if len(signature) != 65:
        return empty(address)
    r: uint256 = extract32(signature, 0, output_type=uint256)
    s: uint256 = extract32(signature, 32, output_type=uint256)
    v: uint256 = convert(slice(signature, 64, 1), uint256)
    if s > convert(HALF_ORDER, uint256):
        return empty(address)
    return ecrecover(self._digest(record, deadline), v, r, s)


@internal
@view
def _digest(record: bytes32[4], deadline: uint256) -> bytes32:
    domain: bytes32 = keccak256(
        abi_encode(DOMAIN_TYPEHASH, keccak256(NAME), keccak256(VERSION), chain.id, self)
    )
    prediction: bytes32 = keccak256(
        abi_encode(
            PREDICTION_TYPEHASH,
            record[fields.MODEL],
            record[fields.REQUEST],
            record[fields.INPUTS],
            fields.score(record),
            fields.sequence(record),
            fields.time_ms(record),
            deadline,
        )
    )
    return keccak256(concat(0x1901, domain, prediction))
