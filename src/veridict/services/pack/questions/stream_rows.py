"""The rows that were decided, held to the data that the auditor brought.

The features of every row are drawn again, in the order of the data, by an extractor that has
seen the rows before it and nothing later; what the log says the model was shown must be that.
Only digests are kept of the log's rows, so that a million of them are cheap.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from veridict.core.errors import VeridictError
from veridict.core.nouns import Finding, PredictionRecord
from veridict.core.progress import Progress, Step, silent
from veridict.models.image import image, pack
from veridict.services.audit.walk import Notes, Row
from veridict.services.pack.answers import Case, Data
from veridict.services.records import ModelRecord
from veridict.watch.stream import Table
from veridict.watch.training import BATCH_ROWS

_DIGEST = 32


class StreamRows:
    """Shown the log once, then `compare`d. `matched` rows are in the data, `strange` ones not."""

    def __init__(self, case: Case) -> None:
        self._data = case.data
        self._places = (
            {} if case.data is None else {name: n for n, name in enumerate(case.data.rows.ids)}
        )
        self._fitting: set[bytes] = set()
        self._rows, self._indices = array("q"), array("q")
        self._contents, self._inputs = bytearray(), bytearray()
        self._strange: list[tuple[int, bytes]] = []
        self.features: list[Finding] = []
        self.contents: list[Finding] = []
        self.unfitting = 0
        self.repeated_inputs = 0

    @property
    def matched(self) -> int:
        return len(self._rows)

    @property
    def strange(self) -> int:
        return len(self._strange)

    def see(self, rows: Sequence[Row]) -> None:
        if self._data is None:
            return
        for row in rows:
            if isinstance(row.record, ModelRecord):
                self._registered(row.record, self._data)
            elif isinstance(row.record, PredictionRecord) and row.payload is not None:
                inputs = sha256(row.payload.inputs).digest()
                place = self._places.get(row.payload.request.id)
                if place is None:
                    self._strange.append((row.index, inputs))
                elif row.record.model_id not in self._fitting:
                    self.unfitting += 1
                else:
                    self._rows.append(place)
                    self._indices.append(row.index)
                    self._contents += sha256(row.payload.request.content).digest()
                    self._inputs += inputs

    def compare(self, progress: Progress = silent) -> None:
        """Draw the features again; fills `features`, `contents` and `repeated_inputs`."""
        if self._data is None or not self._rows:
            return
        places = np.frombuffer(self._rows, np.int64)
        order = np.argsort(places, kind="stable")
        table, first, stop = self._data.rows, int(places[order[0]]), int(places[order[-1]]) + 1
        extractor = self._data.scenario.extractor()
        # Labels come along: where they are features at all, they count when the delay is over.
        for batch in table.slice(0, first).batches(BATCH_ROWS):
            extractor.batch(batch)
        features, contents, seen = Notes(), Notes(), 0
        for start in range(first, stop, BATCH_ROWS):
            batch = table.slice(start, min(stop, start + BATCH_ROWS))
            shown = _digests(image(extractor.batch(batch)))
            asked = self._asked(batch)
            while seen < len(order) and places[order[seen]] < start + len(batch):
                at, seen = int(order[seen]), seen + 1
                place = int(places[at]) - start
                where = f"record {self._indices[at]}"
                if self._contents[at * _DIGEST : (at + 1) * _DIGEST] != asked[place]:
                    told = f"row {places[at]} of the data"
                    contents.wrong("request.other", where, told, "another content")
                if self._inputs[at * _DIGEST : (at + 1) * _DIGEST] != shown[place]:
                    due = "the features that the rows before it give"
                    features.wrong("features.other", where, due, "others")
            progress(
                Step(None, "features of the decided rows", start + len(batch) - first, stop - first)
            )
        self.features, self.contents = list(features.verdict()[1]), list(contents.verdict()[1])
        self._compare_strange()

    def _compare_strange(self) -> None:
        """A payment in a guard has no row; its inputs may be those of a row that has."""
        size = len(self._inputs)
        known = {bytes(self._inputs[at : at + _DIGEST]) for at in range(0, size, _DIGEST)}
        self.repeated_inputs = sum(inputs in known for _, inputs in self._strange)

    def _registered(self, record: ModelRecord, data: Data) -> None:
        """Only a model over the scenario's own features can be shown them again."""
        try:
            features = record.model_card().features
            model_id = bytes.fromhex(record.model_id)
        except (VeridictError, ValueError):
            return  # the audit's check of models names it
        if features == data.scenario.feature_names:
            self._fitting.add(model_id)

    def _asked(self, batch: Table[object]) -> list[bytes]:
        return [sha256(example.request.content).digest() for example in batch.examples()]


def _digests(images: np.ndarray[tuple[int, ...], np.dtype[np.uint64]]) -> list[bytes]:
    width, packed = 8 * images.shape[1], pack(images)
    return [sha256(packed[at : at + width]).digest() for at in range(0, len(packed), width)]
