"""Flower's ClientApps, as its own templates write them, train unchanged in a federation.

They run in an environment that has flwr: that of `make flower`, or the interpreter that
VERIDICT_FLOWER names.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from tests.support.federated_members import Village, rules_of
from tests.support.missing import missing
from veridict.apps.federating.flower import ClientAppAt, FlowerTrainer, settings_in
from veridict.core.errors import BadInput, MissingPart
from veridict.federated.learners.arrays import Arrays, arrays_of

APPS = Path(__file__).parents[1] / "support" / "flower"
SETTINGS: dict[str, int | str] = {"arrays": "coef:1x4,intercept:1", "rounds": 2, "norm": "4"}
PYTHON = Path(os.environ.get("VERIDICT_FLOWER", ".flower/bin/python")).absolute()


@pytest.fixture(scope="module")
def python() -> Path:
    if shutil.which(str(PYTHON)) is None:
        missing("Flower", "make flower", installable=False)
    return PYTHON


def learner() -> Arrays:
    return arrays_of(SETTINGS, 120)


@pytest.fixture
def closing() -> Iterator[list[FlowerTrainer]]:
    made: list[FlowerTrainer] = []
    yield made
    for each in made:
        each.close()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["open", "masked", "committee"])
def test_client_apps_train_one_model(
    tmp_path: Path, python: Path, closing: list[FlowerTrainer], mode: str
) -> None:
    """Three write a client_fn, one a function over messages."""
    rules = rules_of(
        learner="arrays", settings=SETTINGS, rule="mean", mode=mode, features=(), root=""
    )
    rules.check()
    it = Village(tmp_path, rules, 4)
    try:
        for i, member in enumerate(it.members):
            app = "messages:app" if i == 3 else "quickstart:app"
            where = ClientAppAt(app, APPS, python, {"partition-id": i}, {"local-epochs": 20})
            closing.append(FlowerTrainer(learner(), where))
            member._rows = closing[-1]
        it.until_final(2)
        (state,) = it.states()
    finally:
        it.close()
    assert state is not None
    arrays = learner().arrays(state)
    assert arrays["coef"].shape == (1, 4)
    expected = np.array([1.5, -1.0, 0.8, 0.0])  # what all of them drew their labels by
    assert np.corrcoef(arrays["coef"][0], expected)[0, 1] > 0.9
    assert learner().finished(state)


@pytest.mark.slow
def test_an_app_that_fails_is_told_as_the_app_s(python: Path, closing: list[FlowerTrainer]) -> None:
    closing.append(FlowerTrainer(learner(), ClientAppAt("quickstart:app", APPS, python)))
    with pytest.raises(BadInput, match="KeyError: 'partition-id'"):
        closing[-1].update(learner().start(), 0)
    closing.append(FlowerTrainer(learner(), ClientAppAt("nowhere:app", APPS, python)))
    with pytest.raises(BadInput, match="process ended"):
        closing[-1].update(learner().start(), 0)


def test_an_interpreter_that_is_not_there_is_told() -> None:
    trainer = FlowerTrainer(learner(), ClientAppAt("x:app", APPS, Path("/nowhere/python")))
    with pytest.raises(MissingPart, match="cannot be started"):
        trainer.update(learner().start(), 0)


def test_arrays_begin_and_move_alike_everywhere() -> None:
    spread = arrays_of({"arrays": "a:3x4:0.5,b:2", "start": "seed"}, 100)
    start = spread.start()
    assert (
        sha256(start).hexdigest()
        == "6115369e70bad464072c58465b2f7e1b97da78adbf51919d7311309f2b65845e"
    )
    assert np.abs(spread.arrays(start)["a"]).max() <= 0.5
    assert not spread.arrays(start)["b"].any()
    moved = spread.moved(start, np.full(14, 1 << 20, np.int64))
    assert spread.done(moved) == 1
    trained = [array + 0.1 for array in spread.arrays(start).values()]
    update = spread.trained(start, trained, 50)
    assert update.weight == 1 << 15
    for wrong in ([np.zeros((3, 4))], [np.zeros((3, 4)), np.full(2, np.nan)]):
        with pytest.raises(BadInput):
            spread.trained(start, wrong, 50)


@pytest.mark.parametrize(
    "settings",
    [
        {"arrays": ""},
        {"arrays": "a"},
        {"arrays": "a:0"},
        {"arrays": "a:2,a:3"},
        {"arrays": "a:2:x"},
        {"arrays": "a:2", "rounds": 0},
        {"arrays": "a:2", "norm": "wide"},
        {"arrays": "a:2", "colour": 1},
    ],
)
def test_settings_that_describe_no_arrays_are_refused(settings: dict[str, int | str]) -> None:
    with pytest.raises(BadInput):
        arrays_of(settings, 10)


def test_configuration_is_read_as_numbers_where_it_is_one() -> None:
    words = ("partition-id=3", "rate=0.5", "path=/data", "on=true", "list=[1]")
    assert settings_in(words) == {
        "partition-id": 3, "rate": 0.5, "path": "/data", "on": True, "list": "[1]",
    }  # fmt: skip
    with pytest.raises(BadInput):
        settings_in(("partition-id",))
