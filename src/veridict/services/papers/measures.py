"""The metrics of a card: told once when it is written, and again when it is audited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veridict.core.nouns import Policy
from veridict.models.card import Metric
from veridict.models.segments import RowPolicy
from veridict.watch.fairness import Attribute, fairness
from veridict.watch.metrics import Metrics, exact, measure
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table

Named = tuple[str, Decimal | None]


def card_metrics(
    scenario: Scenario[Any],
    rows: Table[Any],
    scores: NDArray[np.int64],
    policy: Policy | RowPolicy,
) -> tuple[Metric, ...]:
    """Of all `rows` and of every group that the scenario names.

    `scores`: int64 [len(rows)], the canonical model's.
    """
    groups = [scenario.groups(example.fields) for example in rows.examples()]
    return grouped_metrics(groups, scores, rows.labels, policy)


def grouped_metrics(
    groups: Sequence[tuple[str, ...]],
    scores: NDArray[np.int64],
    labels: NDArray[np.int8],
    policy: Policy | RowPolicy,
) -> tuple[Metric, ...]:
    """Of all rows, of every group, and how far the groups of each attribute lie apart.

    A measure without a value is left out.
    """
    members: dict[str, list[int]] = {}
    for row, names in enumerate(groups):
        for name in names:
            members.setdefault(name, []).append(row)
    parts = [
        measure(name, scores[members[name]], labels[members[name]], _of(policy, members[name]))
        for name in sorted(members)
    ]
    return (
        *(
            metric
            for measured in (measure("", scores, labels, policy), *parts)
            for metric in _measured_metrics(measured)
        ),
        *(
            metric
            for attribute in fairness(groups, scores, labels, policy)
            for metric in _fairness_metrics(attribute)
        ),
    )


def _of(policy: Policy | RowPolicy, rows: Sequence[int]) -> Policy | RowPolicy:
    return policy.of(rows) if isinstance(policy, RowPolicy) else policy


def _measured_metrics(measured: Metrics) -> list[Metric]:
    named = (
        ("average precision", measured.ap),
        ("recall at 1 % false alarms", measured.recall_at_1pct),
        ("precision of review or hold", measured.precision_flagged),
        ("recall of review or hold", measured.recall_flagged),
        ("share of events", measured.event_share),
    )
    return _metrics(named, measured.where, measured.rows)


def _fairness_metrics(attribute: Attribute) -> list[Metric]:
    told = []
    for group in attribute.groups:
        rates = (
            ("selection rate", group.selection),
            ("true positive rate", group.true_positive),
            ("false positive rate", group.false_positive),
        )
        exactly = [(name, None if rate is None else exact(rate)) for name, rate in rates]
        told += _metrics(exactly, group.group, group.rows)
    differences = (
        ("demographic parity difference", attribute.demographic_parity_difference),
        ("equalized odds difference", attribute.equalized_odds_difference),
    )
    return told + _metrics(differences, attribute.name, attribute.rows)


def _metrics(named: Iterable[Named], group: str, rows: int) -> list[Metric]:
    return [Metric(name, f"{value:f}", group, rows) for name, value in named if value is not None]
