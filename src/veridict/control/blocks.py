"""Blocks as the forecaster sees them: one at a time, or a table of columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
NO_BID = float("nan")


@dataclass(frozen=True, slots=True)
class Block:
    """One header and what is known beside it; 0 gas limit or fee means that it was not told.

    `bid_gwei`: the winning MEV bid, NaN where there was none or it is not known.
    `hash` and `parent` are empty where the source has none.
    """

    number: int
    time_s: int
    base_fee_wei: int
    gas_used: int
    gas_limit: int
    n_tx: int = 0
    bid_gwei: float = NO_BID
    hash: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class BlockTable:
    """Blocks by column, oldest first; all columns of one length."""

    number: I64
    time_s: I64
    base_fee_wei: I64
    gas_used: I64
    gas_limit: I64
    n_tx: I64
    bid_gwei: F64

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, name)) for name in self.__slots__}
        if len(lengths) != 1:
            raise BadInput("columns differ in length", remedy="pass one value a block and column")

    def __len__(self) -> int:
        return len(self.number)

    def slice(self, start: int, stop: int) -> BlockTable:
        return BlockTable(*(getattr(self, name)[start:stop] for name in self.__slots__))

    def blocks(self) -> Iterator[Block]:
        columns = [getattr(self, name).tolist() for name in self.__slots__]
        for values in zip(*columns, strict=True):
            yield Block(*values)

    def digest(self) -> str:
        """SHA-256, in hex, of the columns: their names and their values, little-endian."""
        told = sha256()
        for name in self.__slots__:
            column = getattr(self, name)
            told.update(f"{name} {len(column)}\n".encode())
            told.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
        return told.hexdigest()

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> BlockTable:
        def ints(name: str) -> I64:
            return np.array([getattr(block, name) for block in blocks], dtype=np.int64)

        bids = np.array([block.bid_gwei for block in blocks], dtype=np.float64)
        number, time_s, fee, used, limit, n_tx = (ints(name) for name in cls.__slots__[:-1])
        return cls(number, time_s, fee, used, limit, n_tx, bids)

    @classmethod
    def joined(cls, parts: Sequence[BlockTable]) -> BlockTable:
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__))

    def need_order(self) -> None:
        """Raises BadInput unless numbers rise one by one and times do not fall."""
        if (np.diff(self.number) != 1).any() or (np.diff(self.time_s) < 0).any():
            raise BadInput(
                "blocks are not consecutive", remedy="take them through intake, which mends it"
            )
