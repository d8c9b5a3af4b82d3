#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title Verifier of inferences
@license Apache-2.0
@notice ERC-7992's verifier whose proof system is running the model again: the judge scores the
        inputs, and the claimed output must be that score. Nobody has to be believed.
@dev    Names, errors and the interface id are ERC-7992's; a model id is a uint256 here, the
        same 256 bits as everywhere else. Keeps nothing: whoever must not accept an inference
        twice remembers its input commitment, whose salt makes it unique.
"""

from lib import erc7992


interface Judge:
    def registry() -> address: view
    def score(model_id: bytes32, inputs: Bytes[MAX_INPUTS]) -> int256: view


interface Registry:
    def model(model_id: bytes32) -> Model: view


event InferenceVerified:
    modelId: indexed(uint256)
    inputCommitment: indexed(bytes32)
    output: Bytes[MAX_OUTPUT]
    caller: indexed(address)


struct Model:
    owner: address
    card: bytes32
    n_features: uint256
    registered_at_block: uint256
    deprecated_at_block: uint256


MAX_INPUTS: constant(uint256) = 2048  # the judge's
HEAD: constant(uint256) = 96  # of a proof: salt, offset of the inputs, their length
MAX_PROOF: constant(uint256) = HEAD + MAX_INPUTS
MAX_OUTPUT: constant(uint256) = 64  # one word, and room to refuse a longer one by name

# verifyInference(uint256,bytes32,bytes,bytes) ^ proofSystemOf(uint256) ^ registry()
VERIFIER: constant(bytes4) = 0x5df65472

judge: public(immutable(Judge))
registry: public(immutable(address))


@deploy
def __init__(judge_: address):
    judge = Judge(judge_)
    registry = staticcall Judge(judge_).registry()


@external
def verifyInference(
    modelId: uint256,
    inputCommitment: bytes32,
    output: Bytes[MAX_OUTPUT],
    proof: Bytes[MAX_PROOF],
):
    """
    @notice Reverts unless the model gives this output for the inputs behind the commitment.
    @param modelId SHA-256 of the canonical model bytes, as a number
    @param inputCommitment SHA-256("I" | salt | inputs), as in a prediction record
    @param output abi.encode(int256 score), the score as `Judge.score` tells it
    @param proof abi.encode(bytes32 salt, bytes inputs), the inputs as `Judge.score` takes them
    """
    self._verify(modelId, inputCommitment, output, proof)
    log InferenceVerified(
        modelId=modelId, inputCommitment=inputCommitment, output=output, caller=msg.sender
    )


@external
@view
def checkInference(
    modelId: uint256,
    inputCommitment: bytes32,
    output: Bytes[MAX_OUTPUT],
    proof: Bytes[MAX_PROOF],
):
    """
    @notice `verifyInference` for a call that leaves no event; the same reverts.
    """
    self._verify(modelId, inputCommitment, output, proof)


@external
@view
def proofSystemOf(modelId: uint256) -> bytes4:
    """
    @notice The first four bytes of keccak256("reexecution-veridict-v1"), of every model here.
    """
    self._known(modelId)
    return erc7992.PROOF_SYSTEM


@external
@pure
def supportsInterface(interface_id: bytes4) -> bool:
    """
    @notice ERC-165: itself, and ERC-7992's verifier.
    """
    return interface_id == erc7992.ERC165 or interface_id == VERIFIER


@internal
@view
def _verify(
    modelId: uint256,
    inputCommitment: bytes32,
    output: Bytes[MAX_OUTPUT],
    proof: Bytes[MAX_PROOF],
):
    # 1. The model is known, and at work.
    if self._known(modelId).deprecated_at_block != 0:
        erc7992.refuse_model(method_id("VerificationRefused_ModelDeprecated(uint256)"), modelId)

    # 2. The proof is a salt and inputs, to the byte.
    if len(proof) < HEAD or extract32(proof, 32, output_type=uint256) != 64:
        erc7992.refuse(method_id("InvalidProof()"))
    length: uint256 = extract32(proof, 64, output_type=uint256)
    if length > MAX_INPUTS or len(proof) != HEAD + (length + 31) // 32 * 32:
        erc7992.refuse(method_id("InvalidProof()"))
    inputs: Bytes[MAX_INPUTS] = convert(slice(proof, HEAD, length), Bytes[MAX_INPUTS])

    # 3. It is about these inputs.
    if sha256(concat(b"I", extract32(proof, 0), inputs)) != inputCommitment:
        erc7992.refuse(method_id("InputCommitmentMismatch()"))

    # 4. The model gives this output.
    score: int256 = staticcall judge.score(convert(modelId, bytes32), inputs)
    if len(output) != 32 or extract32(output, 0, output_type=int256) != score:
        erc7992.refuse(method_id("OutputMismatch()"))


@internal
@view
def _known(modelId: uint256) -> Model:
    entry: Model = staticcall Registry(registry).model(convert(modelId, bytes32))
    if entry.owner == empty(address):
        erc7992.refuse_model(method_id("ModelNotFound(uint256)"), modelId)
    return entry
