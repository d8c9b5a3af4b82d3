"""Labels that may be turned round: the event is the usual case, or what should rise with it falls.

Needs to be told what rises with the event (`--rises age`): data alone cannot know which side is
which, but a physician does.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from veridict.watch.checks.base import Data, Severity, Suspicion

NAME = "direction"


def check(data: Data) -> Iterator[Suspicion]:
    labels = data.labels
    if labels is None:
        return
    known = labels >= 0
    share = float((labels[known] == 1).mean())
    if share > 0.5:
        yield Suspicion(
            NAME, Severity.WARN, data.label,
            f"the event is the usual case ({share:.0%}): 0 and 1 may be turned",
            "find out what 1 means; tell what rises with the event: --rises COLUMN",
        )  # fmt: skip
    for name in data.rises:
        values = data.numbers(name)
        if values is None:
            continue
        both = known & ~np.isnan(values)
        if values[both & (labels == 1)].mean() < values[both & (labels == 0)].mean():
            yield Suspicion(
                NAME, Severity.LEAK, data.label, f"{name} is lower where the label is 1",
                "the label is turned round, or the column is: compare with the source",
            )  # fmt: skip
