"""Addresses and hex, as Ethereum writes them."""

from __future__ import annotations

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from veridict.core.errors import BadInput


def to_hex(data: bytes) -> str:
    return "0x" + data.hex()


def from_hex(text: str) -> bytes:
    """Raises BadInput unless `text` is 0x and whole bytes."""
    try:
        if not text.startswith("0x"):
            raise ValueError("no 0x in front")
        return bytes.fromhex(text[2:])
    except ValueError as error:
        raise BadInput(
            f"{text[:80]!r} is not hex data: {error}", remedy="pass 0x and two digits a byte"
        ) from error


def address_bytes(address: str) -> bytes:
    """The 20 bytes of `address`, in any letter case. Raises BadInput."""
    raw = from_hex(address)
    if len(raw) != 20:
        raise BadInput(
            f"{address[:80]!r} has {len(raw)} bytes, an address has 20",
            remedy="pass an address as 0x and 40 hex digits",
        )
    return raw


def checksum(address: bytes | str) -> str:
    """The address in EIP-55 letter case."""
    return to_checksum_address(address)


def keccak256(data: bytes) -> bytes:
    return keccak(data)
