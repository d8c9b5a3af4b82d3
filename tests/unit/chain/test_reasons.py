"""Reasons of reverts: strings, panics, and the custom errors of tokens and of ABIs."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from tests.support.box import RICH
from veridict.chain.reasons import ERC_6093, CustomError, revert_reason

# Selectors as block explorers and wallets know them.
KNOWN = {
    "ERC20InsufficientBalance": "e450d38c",
    "ERC20InvalidReceiver": "ec442f05",
    "ERC20InsufficientAllowance": "fb8f41b2",
    "ERC721NonexistentToken": "7e273289",
}


def declared(name: str) -> CustomError:
    (line,) = (one for one in ERC_6093.splitlines() if one.startswith(f"{name}("))
    return CustomError.declared(line)


@pytest.mark.parametrize("name", KNOWN)
def test_selectors_are_those_of_the_standard(name: str) -> None:
    assert declared(name).selector.hex() == KNOWN[name]


def test_a_token_says_what_it_lacks() -> None:
    data = encode(["address", "uint256", "uint256"], [RICH.address, 5, 2**255])
    reason = revert_reason(bytes.fromhex("e450d38c") + data)
    assert reason == (
        f"ERC20InsufficientBalance(sender={RICH.address}, balance=5, needed={2**255})"
    )


def test_all_of_the_standard_are_told() -> None:
    lines = ERC_6093.strip().splitlines()
    assert len(lines) == 21
    for line in lines:
        error = CustomError.declared(line)
        words = b"".join(number.to_bytes(32, "big") for number in range(len(error.inputs)))
        told = revert_reason(error.selector + words)
        assert told is not None
        assert told.startswith(f"{error.name}(")


@pytest.mark.parametrize("cut", [0, 3, 4, 35, 99])
def test_what_is_cut_short_is_not_guessed(cut: int) -> None:
    data = encode(["address", "uint256", "uint256"], [RICH.address, 5, 7])
    assert revert_reason((bytes.fromhex("e450d38c") + data)[:cut]) is None


def test_errors_of_an_abi() -> None:
    abi: list[dict[str, object]] = [
        {"type": "error", "name": "TooLate", "inputs": [{"type": "bytes32", "name": "id"}]},
        {"type": "error", "name": "Odd", "inputs": [{"type": "tuple", "name": "pair"}]},
        {"type": "function", "name": "f", "inputs": []},
    ]
    (error,) = CustomError.of_abi(abi)
    assert error.told(b"\x07" * 32) == f"TooLate(id=0x{'07' * 32})"
