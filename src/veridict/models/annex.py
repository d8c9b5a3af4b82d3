"""The annex: what each node expects, as integers. Only explanations need it.

    annex  = "VRDA" │ version u8 = 1 │ 3 zero bytes │ n_values u32 │ model_id 32 B │ values i64 …

One value a node, trees in order, nodes in order: the mean of the training
rows' leaves below the node, in units of 2^-SCORE_BITS, rounded down. It is no
part of the model id, and has a digest of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from veridict.core.errors import BadModelBytes
from veridict.models.layout import Tree

MAGIC = b"VRDA"
VERSION = 1
_HEADER = struct.Struct(">4sB3xI32s")


@dataclass(frozen=True, slots=True)
class Annex:
    """Expected values of the nodes of each tree of the model `model_id`."""

    model_id: bytes
    expectations: tuple[tuple[int, ...], ...]

    def encode(self) -> bytes:
        values = [value for tree in self.expectations for value in tree]
        header = _HEADER.pack(MAGIC, VERSION, len(values), self.model_id)
        return header + struct.pack(f">{len(values)}q", *values)

    @property
    def digest(self) -> bytes:
        return sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes, model_id: bytes, trees: Sequence[Tree]) -> Annex:
        """Raises BadModelBytes unless `data` is the annex of a model with these trees."""
        sizes = [len(tree.nodes) for tree in trees]
        expected = _HEADER.pack(MAGIC, VERSION, sum(sizes), model_id)
        if data[: _HEADER.size] != expected or len(data) != _HEADER.size + 8 * sum(sizes):
            raise BadModelBytes(
                f"{len(data)} bytes are not the annex of model {model_id.hex()[:16]}…",
                remedy="pass the annex that was written with the model",
            )
        values = iter(struct.unpack_from(f">{sum(sizes)}q", data, _HEADER.size))
        return cls(model_id, tuple(tuple(next(values) for _ in range(n)) for n in sizes))
