"""Compiled contracts, as they are shipped: one JSON file each in `artifacts/`.

`tools/compile_contracts.py` writes them.

name           "Anchor"
abi            the JSON ABI
bytecode       creation code, 0x hex
runtime        deployed code without immutables, 0x hex
source_sha256  of the Vyper source, hex
compiler       "0.4.3+commit..."
integrity      Vyper's integrity sum of the source and all its imports
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from veridict.chain.addresses import from_hex
from veridict.core.errors import BadInput, NotFound


@dataclass(frozen=True, slots=True)
class Artifact:
    """`abi` is the JSON ABI as parsed; treat it as frozen."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    runtime: bytes = b""
    compiler: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    integrity: str = ""

    @classmethod
    def load(cls, name: str) -> Artifact:
        """The shipped contract `name`. Raises NotFound."""
        return _load(name)

    @classmethod
    def parse(cls, text: str | bytes) -> Artifact:
        """From the JSON of an artifact file. Raises BadInput."""
        try:
            fields = json.loads(text)
            return cls(
                name=fields["name"],
                abi=tuple(fields["abi"]),
                bytecode=from_hex(fields["bytecode"]),
                runtime=from_hex(fields.get("runtime", "0x")),
                compiler=fields.get("compiler", ""),
                sources=dict(fields.get("sources", {})),
                integrity=fields.get("integrity", ""),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(
                f"this is not a contract artifact: {error}",
                remedy="compile the contracts again with `make contracts`",
            ) from error


@cache
def _load(name: str) -> Artifact:
    path = files("veridict.chain") / "artifacts" / f"{name}.json"
    if not name.isidentifier() or not path.is_file():
        raise NotFound(
            f"there is no compiled contract {name!r}",
            remedy="use the name of a contract that veridict ships, or run `make contracts`",
            name=name,
        )
    return Artifact.parse(path.read_bytes())
