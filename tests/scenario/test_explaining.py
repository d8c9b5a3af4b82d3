"""`veridict explain` for models of each kind: to the last bit, of the output asked."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPRegressor

import veridict
from tests.support.cli import run
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.core.nouns import Request
from veridict.models.card import ModelCard
from veridict.models.image import image
from veridict.solutions.finance.credit import Credit

CREDIT = Credit()
Matrix = NDArray[np.float64]


def _classes(x: Matrix) -> NDArray[np.int64]:
    return np.digitize(x[:, 0], np.quantile(x[:, 0], (0.3, 0.7))).astype(np.int64)


def _linear(x: Matrix) -> Any:
    return LinearRegression().fit(x, x @ np.linspace(-1, 1, x.shape[1]))


def _linear_classes(x: Matrix) -> Any:
    return LogisticRegression(max_iter=20).fit(x, _classes(x))


def _tree_classes(x: Matrix) -> Any:
    return LGBMClassifier(n_estimators=4, num_leaves=5, verbose=-1, n_jobs=1).fit(x, _classes(x))


def _network(x: Matrix) -> Any:
    return MLPRegressor(hidden_layer_sizes=(6,), max_iter=30, random_state=1).fit(x, x[:, 0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("make", [_linear, _linear_classes, _tree_classes, _network])
def test_a_score_of_each_kind_is_explained(
    make: Callable[[Matrix], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(300, len(CREDIT.feature_names)))
    compiled = veridict.compile(make(x), feature_names=CREDIT.feature_names, rows=x)
    card = ModelCard(
        compiled.model.id.hex(), compiled.annex.digest.hex(), "t", "00" * 32, "d", 0, 1,
        CREDIT.feature_names, (), (), "0", "1",
    )  # fmt: skip
    requests = [Request(f"r{n}", "one", 1_700_000_000, b"{}") for n in range(9)]
    with open_node(Settings(tmp_path), CREDIT) as node:
        node.register(compiled.working, card)
        last = node.predict(x[:9], requests)[-1]
    (scores,) = compiled.model.scores(image(x[8:9])).tolist()
    winner = scores.index(max(scores))
    assert last.record.score == (scores[0] if len(scores) == 1 else winner)
    command = ["explain", str(last.index), "--home", str(tmp_path)]
    best = run(capsys, *command, "--json").json
    assert best["output"] == winner
    assert best["features"][0]["feature"] in run(capsys, *command).out
    for output, score in enumerate(scores):
        found = run(capsys, *command, "--output", str(output), "--json").json
        parts = [Fraction(part["worth"]) for part in found["features"]]
        assert Fraction(found["base"]) + sum(parts) == int(found["score"]) == score
        assert found["background"] == 8
        assert found["method"] == ("path" if make is _network else "shapley")
    refused = run(capsys, *command, "--output", str(len(scores)), "--json")
    assert (refused.status, refused.json["error"]) == (2, "input.bad")
