"""Train a scenario's model strictly by time: fit on the past, choose on what follows, test last.

    rows in the order of time   |---- train 60 % ----|-- validation 20 % --|-- test 20 % --|

The test rows are the live replay: nothing is fitted to them or chosen on them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput
from veridict.core.nouns import SCORE_ONE, Policy
from veridict.core.progress import Progress, Step, silent
from veridict.watch.arrays import F64, I8, I64
from veridict.watch.metrics import Metrics, measure
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table
from veridict.watch.thresholds import choose

if TYPE_CHECKING:
    import lightgbm

TRAIN_TENTHS, VALIDATION_TENTHS = 6, 2
BATCH_ROWS = 8192
BUCKETS = 6
MIN_ROWS = 500


@dataclass(frozen=True, slots=True)
class Size:
    """The model's size: 100 × 15 leaves stay well below the judge's 300k gas a call."""

    trees: int = 100
    leaves: int = 15


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers and times: train is rows [0, train), validation [train, test), test the rest."""

    train: int
    test: int
    rows: int
    starts_s: int
    validation_starts_s: int
    test_starts_s: int
    ends_s: int


@dataclass(frozen=True, slots=True)
class Trained:
    """A model with everything its card tells.

    `validation_features`: float64[rows, n] of the validation rows, to compare a compiled model
    on; `validation_scores` what the booster says of them.
    `state`: the extractor's after the validation rows: where the live replay continues.
    `data_digest`: SHA-256 of the rows fitted to and chosen on (Table.digest);
    `features_digest`: of their features (shape as JSON, then float64 little-endian).
    """

    booster: lightgbm.Booster
    feature_names: tuple[str, ...]
    validation_features: F64
    validation_scores: I64
    state: bytes
    split: Split
    policy: Policy
    data_digest: bytes
    features_digest: bytes
    validation: Metrics
    test: Metrics
    by_time: tuple[Metrics, ...]
    by_group: tuple[Metrics, ...]
    seed: int


def train(
    scenario: Scenario[Any],
    data: Table[Any] | None = None,
    *,
    seed: int = 1,
    size: Size | None = None,
    threads: int = 1,
    progress: Progress = silent,
) -> Trained:
    """Same data, seed, size and library versions: same model text, on one kind of processor.

    Raises BadInput where the stream is too short or has no labels to learn from.
    """
    data = scenario.load() if data is None else data
    split = split_by_time(data)
    features, state = _features(scenario, data, split, progress)
    labels = data.labels
    booster = _fit(scenario, features, labels, split, size or Size(), seed, threads, progress)
    scores = raw_scores(booster, features[split.train :], threads)
    chosen, later = slice(split.train, split.test), slice(split.test, split.rows)
    checked = split.test - split.train
    policy = choose(scores[:checked], labels[chosen], scenario.costs)
    test, test_scores = data.slice(split.test, split.rows), scores[checked:]
    return Trained(
        booster=booster,
        feature_names=scenario.feature_names,
        validation_features=features[chosen].copy(),
        validation_scores=scores[:checked],
        state=state,
        split=split,
        policy=policy,
        data_digest=data.slice(0, split.test).digest(),
        features_digest=_digest(features[: split.test]),
        validation=measure("validation", scores[:checked], labels[chosen], policy),
        test=measure("test", test_scores, labels[later], policy),
        by_time=by_time(test.times_s, test_scores, test.labels, policy),
        by_group=by_group(scenario, test, test_scores, policy),
        seed=seed,
    )


def split_by_time(data: Table[Any]) -> Split:
    """60/20/20 of the rows, moved so that rows of one time stay together."""
    if len(data) < MIN_ROWS:
        raise BadInput(
            f"{len(data)} rows are too few to train and test on",
            remedy=f"pass a stream of at least {MIN_ROWS} rows",
        )
    times_s = data.times_s
    n = len(times_s)
    train_end = int(np.searchsorted(times_s, times_s[n * TRAIN_TENTHS // 10], side="left"))
    later = times_s[n * (TRAIN_TENTHS + VALIDATION_TENTHS) // 10]
    test_start = int(np.searchsorted(times_s, later, side="left"))
    if not 0 < train_end < test_start < n:
        raise BadInput(
            "the times leave no earlier and later part to train and test on",
            remedy="pass a stream that spreads over time",
        )
    marks = (0, train_end, test_start, n - 1)
    return Split(train_end, test_start, n, *(int(times_s[m]) for m in marks))


def raw_scores(booster: lightgbm.Booster, features: F64, threads: int = 1) -> I64:
    """int64[n]: the model's raw output in units of 2^-SCORE_BITS, rounded to nearest."""
    raw = booster.predict(features, raw_score=True, num_threads=threads)
    return np.asarray(np.rint(np.asarray(raw) * SCORE_ONE), dtype=np.int64)


def by_time(
    times_s: I64, scores: I64, labels: I8, policy: Policy, buckets: int = BUCKETS
) -> tuple[Metrics, ...]:
    """Metrics of equal spans of time, named by their first day or minute; empty spans left out."""
    edges = np.linspace(int(times_s[0]), int(times_s[-1]) + 1, buckets + 1).astype(np.int64)
    marks = np.searchsorted(times_s, edges, side="left")
    days = int(times_s[-1]) - int(times_s[0]) > buckets * 86_400
    parts = []
    for start, stop, edge in zip(marks[:-1], marks[1:], edges.tolist(), strict=False):
        if stop > start:
            moment = datetime.fromtimestamp(edge, UTC)
            where = f"from {moment:%Y-%m-%d}" if days else f"from {moment:%Y-%m-%d %H:%M}"
            parts.append(measure(where, scores[start:stop], labels[start:stop], policy))
    return tuple(parts)


def by_group(
    scenario: Scenario[Any], rows: Table[Any], scores: I64, policy: Policy
) -> tuple[Metrics, ...]:
    """Metrics of every group that `scenario.groups` names, in alphabetical order."""
    members: dict[str, list[int]] = {}
    for index, example in enumerate(rows.examples()):
        for group in scenario.groups(example.fields):
            members.setdefault(group, []).append(index)
    labels = rows.labels
    return tuple(
        measure(group, scores[members[group]], labels[members[group]], policy)
        for group in sorted(members)
    )


def _features(
    scenario: Scenario[Any], data: Table[Any], split: Split, progress: Progress
) -> tuple[F64, bytes]:
    extractor = scenario.extractor()
    features = np.empty((len(data), len(scenario.feature_names)))
    state, done = b"", 0
    title = f"features of {scenario.words.subjects}"
    for part in (data.slice(0, split.test), data.slice(split.test, split.rows)):
        for rows in part.batches(BATCH_ROWS):
            features[done : done + len(rows)] = extractor.batch(rows)
            done += len(rows)
            progress(Step(None, title, done, len(data)))
        state = state or extractor.save()
    return features, state


def _fit(
    scenario: Scenario[Any], features: F64, labels: I8, split: Split, size: Size, seed: int,
    threads: int, progress: Progress,
) -> lightgbm.Booster:  # fmt: skip
    import lightgbm  # with scikit-learn and SciPy: seconds, and only training needs it

    known = np.flatnonzero(labels[: split.train] >= 0)
    events = int(labels[known].sum())
    if not 0 < events < len(known):
        raise BadInput(
            f"the earlier part has {len(known)} labelled rows, {events} of them events",
            remedy="pass a stream with labels of both kinds, or check the label's column",
        )
    rows = lightgbm.Dataset(
        features[known],
        labels[known],
        feature_name=list(scenario.feature_names),
        params={"verbose": -1, "max_bin": 255},
        free_raw_data=True,
    )
    title = "training the model"
    return lightgbm.train(
        _settings(size, seed, threads), rows, size.trees, callbacks=[_told(title, progress)]
    )


def _settings(size: Size, seed: int, threads: int) -> dict[str, Any]:
    return {
        "objective": "binary",
        "num_leaves": size.leaves,
        "learning_rate": 0.07,
        "min_data_in_leaf": 40,
        "lambda_l2": 5.0,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        # the same model from the same rows
        "deterministic": True,
        "force_row_wise": True,
        "seed": seed,
        "num_threads": threads,
        "verbose": -1,
    }


def _told(title: str, progress: Progress) -> Callable[[Any], None]:
    def tell(env: Any) -> None:
        progress(Step(None, title, env.iteration + 1, env.end_iteration))

    return tell


def _digest(features: F64) -> bytes:
    head = canonical_json(["float64", *features.shape])
    return sha256(head + features.astype("<f8").tobytes()).digest()
