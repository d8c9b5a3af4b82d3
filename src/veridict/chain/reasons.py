"""The reason in the data that a reverted call returns.

Error(string)     what `assert condition, "reason"` raises
Panic(uint256)    what compilers raise by themselves
custom errors     of tokens (ERC-6093), and of the contracts that are shipped
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from veridict.chain.addresses import checksum, keccak256, to_hex

_ERROR = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")

# https://eips.ethereum.org/EIPS/eip-6093
ERC_6093 = """
ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)
ERC20InvalidSender(address sender)
ERC20InvalidReceiver(address receiver)
ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)
ERC20InvalidApprover(address approver)
ERC20InvalidSpender(address spender)
ERC721InvalidOwner(address owner)
ERC721NonexistentToken(uint256 tokenId)
ERC721IncorrectOwner(address sender, uint256 tokenId, address owner)
ERC721InvalidSender(address sender)
ERC721InvalidReceiver(address receiver)
ERC721InsufficientApproval(address operator, uint256 tokenId)
ERC721InvalidApprover(address approver)
ERC721InvalidOperator(address operator)
ERC1155InsufficientBalance(address sender, uint256 balance, uint256 needed, uint256 tokenId)
ERC1155InvalidSender(address sender)
ERC1155InvalidReceiver(address receiver)
ERC1155MissingApprovalForAll(address operator, address owner)
ERC1155InvalidApprover(address approver)
ERC1155InvalidOperator(address operator)
ERC1155InvalidArrayLength(uint256 idsLength, uint256 valuesLength)
"""


@dataclass(frozen=True, slots=True)
class CustomError:
    """An error of a contract's interface; `inputs` are (type, name)."""

    name: str
    inputs: tuple[tuple[str, str], ...]

    @property
    def selector(self) -> bytes:
        return keccak256(f"{self.name}({','.join(kind for kind, _ in self.inputs)})".encode())[:4]

    @classmethod
    def declared(cls, line: str) -> CustomError:
        """From its declaration: `Name(type name, …)`."""
        name, _, rest = line.strip().rstrip(")").partition("(")
        words = [part.split() for part in rest.split(",") if part.strip()]
        return cls(name, tuple((kind, argument) for kind, argument in words))

    @classmethod
    def of_abi(cls, entries: Iterable[Mapping[str, Any]]) -> list[CustomError]:
        """The errors of a JSON ABI, but those that take tuples."""
        found = []
        for entry in entries:
            inputs = tuple((item["type"], item["name"]) for item in entry.get("inputs", ()))
            if entry["type"] == "error" and not any(k.startswith("tuple") for k, _ in inputs):
                found.append(cls(entry["name"], inputs))
        return found

    def told(self, data: bytes) -> str:
        """`Name(argument=value, …)`. Raises DecodingError."""
        values = decode([kind for kind, _ in self.inputs], data)
        named = zip(self.inputs, values, strict=True)
        return f"{self.name}({', '.join(f'{name}={_word(k, v)}' for (k, name), v in named)})"


def revert_reason(output: bytes) -> str | None:
    """The reason in words; None if there is none, or not one that is known here."""
    try:
        if output.startswith(_ERROR):
            return str(decode(["string"], output[4:])[0])
        if output.startswith(_PANIC):
            return f"panic {decode(['uint256'], output[4:])[0]:#x}"
        custom = _known().get(output[:4])
        return custom.told(output[4:]) if custom is not None else None
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return None


@cache
def _known() -> dict[bytes, CustomError]:
    """By selector: the standard's, and those of the contracts that are shipped."""
    from veridict.chain.artifacts import Artifact

    errors = [CustomError.declared(line) for line in ERC_6093.strip().splitlines()]
    for path in (files("veridict.chain") / "artifacts").iterdir():
        if path.name.endswith(".json"):
            errors += CustomError.of_abi(Artifact.parse(path.read_bytes()).abi)
    return {error.selector: error for error in errors}


def _word(kind: str, value: Any) -> str:
    if kind == "address":
        return checksum(value)
    return to_hex(value) if isinstance(value, bytes) else str(value)
