"""What compiles, and what is refused with its reason."""

from __future__ import annotations

from fractions import Fraction

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veridict.core.errors import BadInput, BadModelBytes, UnsupportedModel
from veridict.models.annex import Annex
from veridict.models.compile import Compiled, Link, agreement, compile_model
from veridict.models.compile.lightgbm import compile_text
from veridict.models.compile.outcome import to_fixed
from veridict.models.explain import contributions, root_expectation
from veridict.models.image import image

RNG = np.random.default_rng(1)
ROWS = RNG.normal(size=(300, 3))
LABELS = (ROWS.sum(axis=1) > 0).astype(int)
QUIET = {"verbose": -1, "num_threads": 1, "num_leaves": 5, "n_estimators": 4}


def train(labels: np.ndarray = LABELS, **params: object) -> lightgbm.Booster:
    data = lightgbm.Dataset(ROWS, labels, params={"verbose": -1})
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "num_leaves": 5, **params}
    return lightgbm.train(settings, data, num_boost_round=3)


@pytest.mark.parametrize(
    ("estimator", "link"),
    [(lightgbm.LGBMClassifier, Link.LOGIT), (lightgbm.LGBMRegressor, Link.IDENTITY)],
)
def test_estimators_compile(estimator: type, link: Link) -> None:
    model = estimator(**QUIET).fit(ROWS, LABELS)
    compiled = compile_model(model)
    assert compiled.link is link
    assert compiled.feature_names == ("Column_0", "Column_1", "Column_2")
    assert agreement(compiled, model, ROWS).holds
    assert compile_model(model.booster_).model.id == compiled.model.id


def test_names_can_be_given() -> None:
    assert compile_model(train(), feature_names=["a", "b", "c"]).feature_names == ("a", "b", "c")
    with pytest.raises(UnsupportedModel, match="2 feature names for 3 features"):
        compile_model(train(), feature_names=["a", "b"])


def test_a_model_that_learned_nothing_is_its_base() -> None:
    booster = train(np.ones(300), objective="regression", min_data_in_leaf=400)
    compiled = compile_model(booster)
    assert compiled.model.trees.trees == ()
    assert agreement(compiled, booster, ROWS).holds


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "averages its trees"),
        ({"linear_tree": True}, "linear leaves"),
        ({"sigmoid": 2.0}, "sigmoid is scaled"),
        ({"objective": "regression", "reg_sqrt": True}, "square root"),
        ({"objective": lambda p, d: (p - d.get_label(), np.ones(300))}, "objective custom"),
    ],
)
def test_what_has_no_exact_form_is_refused(params: dict[str, object], reason: str) -> None:
    data = lightgbm.Dataset(ROWS, LABELS, params={"verbose": -1}, free_raw_data=False)
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1}
    booster = lightgbm.train({**settings, **params}, data, num_boost_round=2)
    with pytest.raises(UnsupportedModel, match=reason) as caught:
        compile_model(booster)
    assert caught.value.remedy


def test_large_trees_are_cut_into_several_with_the_same_sum() -> None:
    rows = np.arange(3000.0).reshape(-1, 1)
    labels = RNG.normal(size=3000)
    params = {"objective": "regression", "num_leaves": 1000, "min_data_in_leaf": 1, "verbose": -1}
    params["max_bin"] = 3000
    booster = lightgbm.train(params, lightgbm.Dataset(rows, labels), num_boost_round=2)
    compiled = compile_model(booster)
    assert len(compiled.model.trees.trees) > 4
    assert compiled.error_bound == 1
    assert agreement(compiled, booster, np.vstack([rows, [[np.nan]]])).holds
    parts = contributions(compiled.model, compiled.annex, image(rows))
    explained = parts.sum(axis=1) + root_expectation(compiled.model, compiled.annex)
    assert (explained == compiled.model.score(image(rows))).all()


def test_endless_paths_are_refused() -> None:
    lines = ["num_class=1", "num_tree_per_iteration=1", "max_feature_idx=0", "objective=regression"]
    lines += ["feature_names=a", "", "Tree=0", "num_cat=0"]
    count = 256
    children = " ".join([*map(str, range(1, count)), str(~count)])
    lines.append("split_feature=" + " ".join("0" * count))
    lines.append("threshold=" + " ".join(map(str, range(count))))
    lines.append("decision_type=" + " ".join("2" * count))
    lines.append("left_child=" + " ".join(str(~i) for i in range(count)))
    lines += ["right_child=" + children, "leaf_value=" + " ".join("1" * (count + 1))]
    with pytest.raises(UnsupportedModel, match="tree 0 has paths of up to 256 nodes"):
        compile_text("\n".join(lines))


@pytest.mark.parametrize("stranger", [None, 3, object(), "model.txt"])
def test_strangers_are_refused(stranger: object) -> None:
    with pytest.raises(UnsupportedModel, match="no compiler for"):
        compile_model(stranger)


def test_untrained_models_are_refused() -> None:
    with pytest.raises(UnsupportedModel, match="not trained"):
        compile_model(lightgbm.LGBMClassifier())


@given(value=st.floats(-1e9, 1e9))
def test_fixed_point_rounds_half_to_even(value: float) -> None:
    assert to_fixed(value, "it") == round(Fraction(value) * 2**32)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_leaves_are_finite(value: float) -> None:
    with pytest.raises(UnsupportedModel, match="leaf 3 is"):
        to_fixed(value, "leaf 3")


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compile_model(train())


def test_the_annex_comes_back(compiled: Compiled) -> None:
    trees = compiled.model.trees.trees
    data = compiled.annex.encode()
    assert Annex.decode(data, compiled.model.id, trees) == compiled.annex
    for damaged in (data[:-1], data + b"\0", b"X" + data[1:], b""):
        with pytest.raises(BadModelBytes, match="not the annex"):
            Annex.decode(damaged, compiled.model.id, trees)
    with pytest.raises(BadModelBytes, match="not the annex"):
        Annex.decode(data, bytes(32), trees)


def test_another_models_annex_explains_nothing(compiled: Compiled) -> None:
    stray = Annex(bytes(32), compiled.annex.expectations)
    with pytest.raises(BadInput, match="another model"):
        compiled.model.explain(image(ROWS), stray)


def test_rows_of_another_shape_are_refused(compiled: Compiled) -> None:
    for rows in (image(ROWS)[:, :2], image(ROWS)[0], ROWS):
        with pytest.raises(BadInput, match="not uint64"):
            compiled.model.score(rows)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        compiled.model.score_one(bytes(23))
    with pytest.raises(BadInput, match="2 rows"):
        compiled.model.score_one(bytes(48))
