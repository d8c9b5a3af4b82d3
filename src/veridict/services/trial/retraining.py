"""A new model from what has become known: cases decided, outcomes told, labels that were late."""

from __future__ import annotations

from typing import Any

import numpy as np

from veridict.core.nouns import PredictionRecord
from veridict.core.progress import Progress, silent
from veridict.models.card import ModelCard
from veridict.models.working import WorkingModel
from veridict.services.demo.learn import card_of, compiled_and_compared, reference_of
from veridict.services.node import Node
from veridict.services.records import decode
from veridict.services.trial.comparing import labels_of
from veridict.watch.scenario import Scenario
from veridict.watch.stream import UNKNOWN, Table
from veridict.watch.training import train


def retrain(
    node: Node,
    scenario: Scenario[Any],
    rows: Table[Any],
    *,
    known_by_s: int | None = None,
    seed: int = 1,
    progress: Progress = silent,
) -> tuple[WorkingModel, ModelCard]:
    """Trained strictly by time on the rows whose label is known; raises what training raises.

    A label is what the log says of a row that this node decided, else the rows' own; with
    `known_by_s`, rows from then on are left out, and those whose delay is not over by then have
    no label of their own.
    """
    known = with_feedback(node, rows)
    if known_by_s is not None:
        known = known.slice(0, int(np.searchsorted(known.times_s, known_by_s)))
        late = int(np.searchsorted(known.times_s, known_by_s - (scenario.label_delay_s or 0)))
        labels = np.append(known.labels[:late], told(node, known)[late:])
        known = known.labelled(labels)
    last = int(np.flatnonzero(known.labels >= 0)[-1]) + 1 if (known.labels >= 0).any() else 0
    known = known.slice(0, last)
    trained = train(scenario, known, seed=seed, progress=progress)
    compiled, _ = compiled_and_compared(trained, progress)
    reference = reference_of(trained, compiled)
    if reference is not None:
        node.parts.shelf.put_reference(compiled.model.id, reference.save())
    return compiled.working, card_of(scenario, known, trained, compiled)


def with_feedback(node: Node, rows: Table[Any]) -> Table[Any]:
    """`rows` with the labels that the log knows of them, where it knows any."""
    heard = told(node, rows)
    return rows.labelled(np.where(heard != UNKNOWN, heard, rows.labels))


def told(node: Node, rows: Table[Any]) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    """int8[rows]: what the log says of each, UNKNOWN where it says nothing."""
    known = labels_of(node.log)
    labels = np.full(len(rows), UNKNOWN, np.int8)
    for row, index in enumerate(node.log.find_requests(rows.ids) if known else ()):
        record = None if index is None else decode(node.log.body(index))
        if isinstance(record, PredictionRecord):
            labels[row] = known.get(record.sequence, UNKNOWN)
    return labels
