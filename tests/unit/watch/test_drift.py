"""Drift: what is promised about false alarms holds, also where rows hang together."""

from __future__ import annotations

import numpy as np
import pytest

from veridict.core.errors import BadInput
from veridict.models.image import image
from veridict.watch.arrays import F64, I64
from veridict.watch.drift import U64, Reference, chi_square, columns

WINDOW, RATE = 200, 0.05
NAMES = ("even", "skewed", "counts", "rare", "fixed", "clustered")


def rows(n: int, seed: int, *, cluster: int = 1) -> tuple[F64, I64]:
    """Six features of different kinds; the last hangs together in runs of `cluster` rows."""
    generator = np.random.default_rng(seed)
    rare = np.where(generator.random(n) < 0.97, np.nan, generator.random(n))
    level = np.repeat(generator.normal(size=n // cluster + 1), cluster)[:n]
    x = np.column_stack(
        [
            generator.random(n),
            np.exp(generator.normal(size=n)),
            generator.poisson(2.0, n).astype(float),
            rare,
            np.ones(n),
            level + 0.3 * generator.normal(size=n),
        ]
    )
    return x, (1e9 * (x[:, 0] + level)).astype(np.int64)


def reference(least: tuple[float, float] = (0.0, 0.0), *, cluster: int = 1) -> Reference:
    x, scores = rows(40 * WINDOW, seed=1, cluster=cluster)
    return Reference.of(NAMES, image(x), scores, window=WINDOW, rate=RATE, least=least)


def windows(count: int, *, cluster: int = 1) -> list[U64]:
    x, scores = rows(count * WINDOW, seed=2, cluster=cluster)
    whole = columns(image(x), scores)
    return [whole[i * WINDOW : (i + 1) * WINDOW] for i in range(count)]


@pytest.mark.parametrize("cluster", [1, 10], ids=["independent", "in runs of ten"])
def test_unchanged_data_raise_no_more_alarms_than_promised(cluster: int) -> None:
    """At 5 % a window, 400 windows have 37 false alarms or more with a chance below 1 in 1,000."""
    known = reference(cluster=cluster)
    alarms = sum(bool(known.drifted(window)) for window in windows(400, cluster=cluster))
    assert alarms < 37


def test_the_promise_is_not_kept_by_never_raising_an_alarm() -> None:
    """Limits stand where chance ends: every column comes half as far, by one of its measures."""
    known = reference()
    seen = np.stack([known.measure(window) for window in windows(400)]).max(axis=0)
    moving = [i for i, name in enumerate(known.names) if name != "fixed"]
    assert ((seen / known.limits).max(axis=1)[moving] > 0.5).all()


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("even", lambda v: v * 0.7 + 0.3),
        ("skewed", lambda v: v * 1.8),
        ("counts", lambda v: v + (np.arange(len(v)) % 2)),
        ("rare", lambda v: np.where(np.arange(len(v)) % 5 == 0, 0.5, v)),
        ("fixed", lambda v: v + (np.arange(len(v)) % 4 == 0)),
    ],
)
def test_a_change_is_named_by_its_column(what: str, change: object) -> None:
    assert callable(change)
    known = reference(least=(0.1, 0.1))
    x, scores = rows(WINDOW, seed=3)
    assert known.drifted(columns(image(x), scores)) == []
    x[:, NAMES.index(what)] = change(x[:, NAMES.index(what)])
    found = known.drifted(columns(image(x), scores))
    assert found[0].what == what
    assert found[0].psi > found[0].psi_limit or found[0].ks > found[0].ks_limit


def test_scores_drift_too() -> None:
    known = reference(least=(0.1, 0.1))
    x, scores = rows(WINDOW, seed=3)
    assert [d.what for d in known.drifted(columns(image(x), scores + 10**9))] == ["score"]


def test_what_is_small_is_no_alarm_however_certain() -> None:
    x, scores = rows(200_000, seed=4)
    known = Reference.of(NAMES, image(x[:100_000]), scores[:100_000], window=20_000)
    later = x[100_000:120_000].copy()
    later[:, 0] = later[:, 0] * 0.95 + 0.025
    assert known.measure(columns(image(later), scores[:20_000]))[0, 0] > 0.005  # seen
    assert known.drifted(columns(image(later), scores[:20_000])) == []


def test_a_reference_is_kept_in_a_file_and_too_little_of_it_is_refused() -> None:
    known = reference()
    again = Reference.load(known.save())
    window = windows(1)[0]
    assert again.names == known.names
    assert (again.measure(window) == known.measure(window)).all()
    assert (again.limits == known.limits).all()
    with pytest.raises(BadInput, match="damaged"):
        Reference.load(known.save()[:-1])
    x, scores = rows(4 * WINDOW, seed=1)
    with pytest.raises(BadInput, match="too few"):
        Reference.of(NAMES, image(x), scores, window=WINDOW)


def test_the_quantile_is_that_of_chi_square() -> None:
    """Against tables: 0.95 and 0.999 at 1, 5 and 9 degrees of freedom."""
    table = ((0.95, 9, 16.92), (0.999, 9, 27.88), (0.95, 5, 11.07), (0.95, 1, 3.84))
    for share, degrees, due in table:
        assert chi_square(share, degrees) == pytest.approx(due, rel=0.03)
