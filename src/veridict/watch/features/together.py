"""Several feature sets as one: their features side by side, their states in one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from veridict.core.errors import BadInput
from veridict.watch.arrays import F64, I64
from veridict.watch.features.names import Feature
from veridict.watch.features.saved import pack, unpack
from veridict.watch.scenario import Extractor
from veridict.watch.stream import Table

_MAGIC = b"veridict feature sets 1\n"


class FeatureSet(Extractor[Any], Protocol):
    """An extractor that tells what its columns are."""

    @property
    def features(self) -> tuple[Feature, ...]: ...

    @property
    def memory_bytes(self) -> int: ...


class Together:
    """A `FeatureSet` of sets.

    Raises BadInput where two features have one name, or labels count after different delays.
    """

    def __init__(self, sets: Sequence[FeatureSet]) -> None:
        self._sets = tuple(sets)
        self.features = tuple(feature for one in self._sets for feature in one.features)
        names = [feature.name for feature in self.features]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise BadInput(
                f"two sets have a feature {twice[0]!r}", remedy="take each set once", name=twice[0]
            )

        delays = {one.label_delay_s for one in self._sets} - {None}
        if len(delays) > 1:
            raise BadInput(
                f"labels would count after {sorted(map(str, delays))} seconds",
                remedy="give every set the same label delay",
            )
        self.label_delay_s = delays.pop() if delays else None

    def batch(self, rows: Table[Any]) -> F64:
        return np.hstack([one.batch(rows) for one in self._sets])

    def learn(self, known: Table[Any], known_s: I64 | None = None) -> None:
        for one in self._sets:
            one.learn(known, known_s)

    @property
    def memory_bytes(self) -> int:
        return sum(one.memory_bytes for one in self._sets)

    def save(self) -> bytes:
        states = [np.frombuffer(one.save(), np.uint8) for one in self._sets]
        return pack(_MAGIC, {"features": [f.name for f in self.features]}, states)

    def restore(self, state: bytes) -> None:
        head = {"features": [f.name for f in self.features]}
        _, states = unpack(_MAGIC, state, head, [np.uint8] * len(self._sets))
        for one, saved in zip(self._sets, states, strict=True):
            one.restore(saved.tobytes())
