"""The first draft of a federation's rules, from tables."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np

from veridict.apps.federating.table import read_rows
from veridict.core.errors import BadInput
from veridict.services.federation.rules import FeatureRule, FederationRules, Mode, root_digest

_MARGIN = 0.1  # of a feature's range in the root batch, on both sides


def draft_rules(
    table: Path,
    label: str,
    root: Path,
    name: str,
    learner: str,
    mode: str,
    rule: str,
    rows_max: int | None,
) -> FederationRules:
    """Nothing of `table` enters but its columns and its number of rows. Raises BadStream."""
    names, rows = read_rows(table, label)
    _, public = read_rows(root, label, names)
    features = []
    for column, feature in zip(public.features.T, names, strict=True):
        low, high = (float(f(column)) for f in (np.nanmin, np.nanmax))
        if not np.isfinite(low) or not np.isfinite(high):
            raise BadInput(
                f"the root batch has no value of {feature}", remedy="use a root batch that has"
            )
        margin = _MARGIN * (high - low) or 1.0
        features.append(FeatureRule(feature, repr(low - margin), repr(high + margin)))
    made = FederationRules(
        name=name,
        label=label,
        features=tuple(features),
        rows_max=rows_max or 4 * len(rows),
        root=root_digest(public),
        learner=learner,
        mode=_mode(mode),
        rule=rule,
    )
    made.check()
    return made


def _mode(word: str) -> Mode:
    modes: tuple[Mode, ...] = get_args(Mode)
    return next((mode for mode in modes if mode == word), "masked")
