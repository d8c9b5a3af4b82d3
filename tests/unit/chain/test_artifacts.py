"""Shipped contracts are found by name; a damaged file is said to be one."""

from __future__ import annotations

import pytest

from veridict.chain.addresses import address_bytes, checksum, from_hex
from veridict.chain.artifacts import Artifact
from veridict.core.errors import BadInput, NotFound


@pytest.mark.parametrize("name", ["Nothing", "", "../core", "a/b"])
def test_a_contract_that_is_not_shipped(name: str) -> None:
    with pytest.raises(NotFound, match="no compiled contract"):
        Artifact.load(name)


def test_an_artifact_is_read() -> None:
    text = '{"name": "A", "abi": [], "bytecode": "0x6001", "compiler": "vyper 0.4.3"}'
    artifact = Artifact.parse(text)
    assert (artifact.name, artifact.bytecode, artifact.runtime) == ("A", b"\x60\x01", b"")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"name": "A", "abi": [], "bytecode": "xy"}']
)
def test_a_damaged_artifact(text: str) -> None:
    with pytest.raises(BadInput):
        Artifact.parse(text)


@pytest.mark.parametrize("text", ["", "12", "0x1", "0xzz", "0x" + "00" * 19, "0x" + "00" * 21])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadInput):
        address_bytes(text)


def test_an_address_in_eip_55() -> None:
    """The first example of EIP-55."""
    assert checksum("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed") == (
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    )
    assert from_hex("0x") == b""
