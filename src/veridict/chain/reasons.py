"""The reason in the data that a reverted call returns."""

from __future__ import annotations

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

_ERROR = bytes.fromhex("08c379a0")  # Error(string), which `assert cond, "reason"` raises
_PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)


def revert_reason(output: bytes) -> str | None:
    """The reason in words; None if there is none, or not one that every compiler knows."""
    try:
        if output.startswith(_ERROR):
            return str(decode(["string"], output[4:])[0])
        if output.startswith(_PANIC):
            return f"panic {decode(['uint256'], output[4:])[0]:#x}"
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return None
    return None
