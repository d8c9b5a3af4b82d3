"""Inference: ERC-7992's verifier, whose proof is the row, and whose proof system is the judge."""

from __future__ import annotations

from typing import Any

import boa
import pytest
from boa import BoaError
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.support.contracts import SALT, deploy
from tests.support.court import INPUTS, TRUE_SCORE, Court
from veridict.core.codec import TAG_INPUTS, commit

COMMITMENT = commit(TAG_INPUTS, SALT, INPUTS)
OUTPUT = encode(["int256"], [TRUE_SCORE])
PROOF = encode(["bytes32", "bytes"], [SALT, INPUTS])


@pytest.fixture
def inference(court: Court) -> Any:
    return deploy("Inference", court.judge.address)


@pytest.fixture
def number(court: Court) -> int:
    return int.from_bytes(court.model_id, "big")


def error_of(inference: Any, *args: Any) -> bytes:
    """What both forms revert with."""
    outputs = []
    for name in ("verifyInference", "checkInference"):
        with pytest.raises(BoaError):
            getattr(inference, name)(*args)
        outputs.append(bytes(inference._computation.output))
    assert outputs[0] == outputs[1]
    return outputs[0]


def error(signature: str, *numbers: int) -> bytes:
    return keccak(text=signature)[:4] + encode(["uint256"] * len(numbers), numbers)


def test_a_true_output_is_verified(inference: Any, number: int) -> None:
    inference.verifyInference(number, COMMITMENT, OUTPUT, PROOF)
    (event,) = inference.get_logs()
    assert (event.modelId, event.inputCommitment, event.output, event.caller) == (
        number,
        COMMITMENT,
        OUTPUT,
        boa.env.eoa,
    )
    inference.checkInference(number, COMMITMENT, OUTPUT, PROOF)
    assert inference.get_logs() == []


@pytest.mark.parametrize(
    "output",
    [encode(["int256"], [TRUE_SCORE - 1]), b"", OUTPUT[1:], OUTPUT + b"\0", b"\0" + OUTPUT],
    ids=["a lie", "empty", "short", "longer", "shifted"],
)
def test_another_output_is_not(inference: Any, number: int, output: bytes) -> None:
    assert error_of(inference, number, COMMITMENT, output, PROOF) == error("OutputMismatch()")


@pytest.mark.parametrize(
    "proof",
    [encode(["bytes32", "bytes"], [b"t" * 32, INPUTS]), PROOF[:-17] + b"\1" + PROOF[-16:]],
    ids=["another salt", "another row"],
)
def test_another_row_is_not(inference: Any, number: int, proof: bytes) -> None:
    told = error_of(inference, number, COMMITMENT, OUTPUT, proof)
    assert told == error("InputCommitmentMismatch()")


@pytest.mark.parametrize(
    "proof",
    [
        b"",
        PROOF[:95],
        PROOF[:-1],
        PROOF + b"\0",
        SALT + encode(["uint256"], [96]) + PROOF[64:],
        PROOF[:64] + encode(["uint256"], [2**256 - 1]) + PROOF[96:],
        PROOF[:64] + encode(["uint256"], [len(INPUTS) + 32]) + PROOF[96:],
    ],
    ids=["empty", "no head", "short", "long", "offset", "huge length", "length"],
)
def test_what_is_no_proof_is_refused(inference: Any, number: int, proof: bytes) -> None:
    assert error_of(inference, number, COMMITMENT, OUTPUT, proof) == error("InvalidProof()")


def test_inputs_that_are_no_row_are_refused_by_the_judge(inference: Any, number: int) -> None:
    proof, commitment = encode(["bytes32", "bytes"], [SALT, b""]), commit(TAG_INPUTS, SALT, b"")
    with boa.reverts("Judge: inputs do not fit the model"):
        inference.verifyInference(number, commitment, OUTPUT, proof)


def test_unknown_and_deprecated_models_are_refused(
    court: Court, inference: Any, number: int
) -> None:
    args = (COMMITMENT, OUTPUT, PROOF)
    assert error_of(inference, 7, *args) == error("ModelNotFound(uint256)", 7)
    with pytest.raises(BoaError):
        inference.proofSystemOf(7)
    court.registry.deprecate(court.model_id)
    told = error_of(inference, number, *args)
    assert told == error("VerificationRefused_ModelDeprecated(uint256)", number)


def test_it_says_what_it_is(court: Court, inference: Any, number: int) -> None:
    assert inference.proofSystemOf(number) == keccak(text="reexecution-veridict-v1")[:4]
    assert inference.registry() == court.registry.address
    ids = [
        keccak(text=signature)[:4]
        for signature in (
            "verifyInference(uint256,bytes32,bytes,bytes)",
            "proofSystemOf(uint256)",
            "registry()",
        )
    ]
    verifier = bytes(a ^ b ^ c for a, b, c in zip(*ids, strict=True))
    assert inference.supportsInterface(verifier)
    assert inference.supportsInterface(keccak(text="supportsInterface(bytes4)")[:4])
    assert not inference.supportsInterface(b"\xff" * 4)
