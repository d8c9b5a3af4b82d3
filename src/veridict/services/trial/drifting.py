"""Predictions are held to what their model learned from; a change is an alarm, which is a record.

The reference is the model's own, made of the rows on which its thresholds were chosen; where there
is none, it is made of the first rows that the model predicted here.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from veridict.models.image import unpack
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.trial.records import DriftRecord
from veridict.watch.drift import WINDOW, WINDOWS, Drifted, Reference, columns

FIRST_ROWS = 2 * WINDOWS * WINDOW  # of a reference made here


@dataclass(slots=True)
class _Seen:
    """Rows of one model that wait until they are a window, or a reference."""

    reference: Reference | None
    features: int
    inputs: list[bytes] = field(default_factory=list)
    scores: list[int] = field(default_factory=list)
    first: int = 0
    alarmed: set[str] = field(default_factory=set)


class DriftAlarms:
    """A listener of `node`. What stays changed is told once; told again after it was well."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._models: dict[bytes, _Seen] = {}
        self._lock = threading.Lock()

    def __call__(self, made: Sequence[Prediction]) -> None:
        with self._lock:
            for prediction in made:
                self._see(prediction)

    def _see(self, prediction: Prediction) -> None:
        record, inputs = prediction.record, prediction.payload.inputs
        seen = self._models.get(record.model_id)
        if seen is None:
            seen = self._models[record.model_id] = self._begin(record.model_id, len(inputs) // 8)
        if len(inputs) != 8 * seen.features:
            return
        if not seen.inputs:
            seen.first = record.sequence
        seen.inputs.append(inputs)
        seen.scores.append(record.score)
        if seen.reference is None:
            if len(seen.inputs) == FIRST_ROWS:
                self._learn(record.model_id, seen)
        elif len(seen.inputs) == seen.reference.window:
            self._judge(record.model_id, seen, seen.reference, record.sequence)

    def _begin(self, model_id: bytes, features: int) -> _Seen:
        saved = self._node.parts.shelf.reference(model_id)
        return _Seen(None if saved is None else Reference.load(saved), features)

    def _learn(self, model_id: bytes, seen: _Seen) -> None:
        names = self._node.feature_names(model_id) or tuple(map(str, range(seen.features)))
        images = unpack(b"".join(seen.inputs), seen.features)
        seen.reference = Reference.of(names, images, np.array(seen.scores, np.int64))
        self._node.parts.shelf.put_reference(model_id, seen.reference.save())
        seen.inputs, seen.scores = [], []

    def _judge(self, model_id: bytes, seen: _Seen, reference: Reference, last: int) -> None:
        images = unpack(b"".join(seen.inputs), seen.features)
        found = reference.drifted(columns(images, np.array(seen.scores, np.int64)))
        seen.inputs, seen.scores = [], []
        for one in found:
            if one.what not in seen.alarmed:
                self._alarm(model_id, one, reference, seen.first, last)
        seen.alarmed = {one.what for one in found}

    def _alarm(
        self, model_id: bytes, one: Drifted, reference: Reference, first: int, last: int
    ) -> None:
        record = DriftRecord(
            model_id=model_id.hex(),
            what=one.what,
            psi=f"{one.psi:.6f}",
            psi_limit=f"{one.psi_limit:.6f}",
            ks=f"{one.ks:.6f}",
            ks_limit=f"{one.ks_limit:.6f}",
            rate=repr(reference.rate),
            rows=reference.window,
            first=first,
            last=last,
            time_ms=self._node.parts.clock(),
        )
        self._node.append(record)
        self._node.bus.publish("drift", record)
