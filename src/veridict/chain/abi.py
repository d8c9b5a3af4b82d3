"""The ABI of one contract: names to selectors, Python values to bytes and back.

Python values: int, bool, str, bytes; an address is an EIP-55 string; a list is a
list; a struct is a tuple.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.grammar import ABIType, BasicType, TupleType, parse

from veridict.chain.addresses import checksum, keccak256
from veridict.core.errors import BadInput, NotFound, RpcUnavailable


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    selector: bytes

    def encode(self, args: Sequence[Any]) -> bytes:
        return self.selector + encode_arguments(self.name, self.inputs, args)

    def decode(self, output: bytes) -> Any:
        """One value, or a tuple if there are several; None if there are none."""
        values = decode_values(self.name, self.outputs, output)
        if not values:
            return None
        return values[0] if len(values) == 1 else tuple(values)


@dataclass(frozen=True, slots=True)
class EventSpec:
    """`inputs` are (name, type, indexed), in the order of the source."""

    name: str
    topic: bytes
    inputs: tuple[tuple[str, str, bool], ...]

    def topics(self, wanted: Mapping[str, Any]) -> list[bytes | None]:
        """The filter for logs whose indexed arguments have the values `wanted`."""
        indexed = [(name, kind) for name, kind, is_indexed in self.inputs if is_indexed]
        unknown = set(wanted) - {name for name, _ in indexed}
        if unknown:
            raise BadInput(
                f"{self.name} has no indexed argument {sorted(unknown)[0]!r}",
                remedy=f"filter by one of {', '.join(name for name, _ in indexed) or 'none'}",
            )
        found: list[bytes | None] = [self.topic]
        for name, kind in indexed:
            given = name in wanted
            found.append(encode_arguments(name, [kind], [wanted[name]]) if given else None)
        return found

    def decode(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Arguments by name. An indexed string or array is its Keccak-256 (as EVM logs it)."""
        plain = [(name, kind) for name, kind, is_indexed in self.inputs if not is_indexed]
        values = decode_values(self.name, [kind for _, kind in plain], data)
        unindexed = dict(zip((name for name, _ in plain), values, strict=True))
        words = iter(topics[1:])
        args: dict[str, Any] = {}
        for name, kind, is_indexed in self.inputs:
            if not is_indexed:
                args[name] = unindexed[name]
                continue
            word = next(words, b"")
            hashed = kind.endswith("]") or kind in ("string", "bytes") or kind.startswith("(")
            args[name] = word if hashed else decode_values(self.name, [kind], word)[0]
        return args


class Abi:
    def __init__(self, name: str, entries: Sequence[Mapping[str, Any]]) -> None:
        self.name = name
        self.functions: dict[str, dict[int, Function]] = {}  # by the number of arguments
        self.events: dict[str, EventSpec] = {}
        self.constructor: tuple[str, ...] = ()
        for entry in entries:
            inputs = tuple(_type(item) for item in entry.get("inputs", ()))
            if entry["type"] == "constructor":
                self.constructor = inputs
            elif entry["type"] == "function":
                outputs = tuple(_type(item) for item in entry.get("outputs", ()))
                selector = _signature_hash(entry["name"], inputs)[:4]
                function = Function(entry["name"], inputs, outputs, selector)
                self.functions.setdefault(function.name, {})[len(inputs)] = function
            elif entry["type"] == "event":
                named = tuple((i["name"], _type(i), bool(i["indexed"])) for i in entry["inputs"])
                topic = _signature_hash(entry["name"], inputs)
                self.events[entry["name"]] = EventSpec(entry["name"], topic, named)

    def function(self, name: str, arguments: int | None = None) -> Function:
        """By name, and by the number of arguments where some have defaults. Raises NotFound."""
        forms = self.functions.get(name)
        if forms is None:
            raise self._unknown("function", name, self.functions)
        longest = forms[max(forms)]
        return longest if arguments is None else forms.get(arguments, longest)

    def event(self, name: str) -> EventSpec:
        """Raises NotFound."""
        if name not in self.events:
            raise self._unknown("event", name, self.events)
        return self.events[name]

    def _unknown(self, kind: str, name: str, known: Iterable[str]) -> NotFound:
        return NotFound(
            f"{self.name} has no {kind} {name!r}",
            remedy=f"use one of {', '.join(sorted(known))}",
            contract=self.name,
        )


def encode_arguments(what: str, types: Sequence[str], args: Sequence[Any]) -> bytes:
    if len(args) != len(types):
        raise BadInput(
            f"{what} takes {len(types)} arguments, not {len(args)}",
            remedy=f"pass ({', '.join(types)})",
        )
    try:
        return encode(types, args)
    except (EncodingError, TypeError, ValueError, OverflowError) as error:
        raise BadInput(
            f"the arguments of {what} do not fit ({', '.join(types)}): {error}",
            remedy="pass int, bool, bytes, str or lists of them as the types say",
        ) from error


def decode_values(what: str, types: Sequence[str], output: bytes) -> list[Any]:
    if types and not output:
        raise NotFound(
            f"{what} returned nothing: there is no such contract at this address",
            remedy="check the address, and that it is of this chain",
        )
    try:
        values = decode(types, output)
        return [_pretty(parse(kind), value) for kind, value in zip(types, values, strict=True)]
    except (DecodingError, OverflowError, ValueError) as error:
        raise RpcUnavailable(
            f"{what} returned {len(output)} bytes that are no ({', '.join(types)}): {error}",
            remedy="check that the address holds this contract, in this version",
        ) from error


def _pretty(kind: ABIType, value: Any) -> Any:
    """eth-abi's values with EIP-55 addresses, and lists for arrays."""
    if kind.is_array:
        return [_pretty(kind.item_type, item) for item in value]
    if isinstance(kind, TupleType):
        return tuple(_pretty(part, v) for part, v in zip(kind.components, value, strict=True))
    is_address = isinstance(kind, BasicType) and kind.base == "address"
    return checksum(value) if is_address else value


def _type(item: Mapping[str, Any]) -> str:
    """The canonical type, a struct as its tuple of types."""
    kind = str(item["type"])
    if kind.startswith("tuple"):
        inner = ",".join(_type(part) for part in item["components"])
        return f"({inner}){kind[5:]}"
    return kind


def _signature_hash(name: str, inputs: Sequence[str]) -> bytes:
    return keccak256(f"{name}({','.join(inputs)})".encode())
