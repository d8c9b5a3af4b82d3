"""Rules: the language means what Python means, the file is checked, history tells their worth."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.streams import Row, table
from veridict.core.errors import BadInput
from veridict.core.nouns import Decision
from veridict.watch.detectors.base import View, verdicts
from veridict.watch.features.names import Feature
from veridict.watch.rules.backtest import backtest
from veridict.watch.rules.expression import parse
from veridict.watch.rules.ruleset import RuleSet, parse_rules

NAMES = ("a", "b", "pair_age")


def view(values: list[list[float]]) -> View:
    drawn: list[Row] = [(86_400, f"p{i % 3}", f"q{i % 2}", 100, None) for i in range(len(values))]
    features = tuple(Feature(name, name + " is {v:.1f}") for name in NAMES)
    return View(table(drawn), np.array(values, float).reshape(len(values), len(NAMES)), features)


numbers = st.sampled_from(["a", "b", "pair_age", "0", "2.5", "10"])
sums = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("-{}".format),
    ),
    max_leaves=4,
)
signs = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
conditions = st.recursive(
    st.one_of(st.tuples(sums, signs, sums).map(" ".join), numbers.map("{} is missing".format)),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("not ({})".format),
    ),
    max_leaves=5,
)
cells = st.sampled_from([0.0, 1.0, -2.5, 10.0, math.nan])


class Number(float):
    """A float as the rules have it: no comparison with a missing value holds."""

    def __ne__(self, other: object) -> bool:
        either_missing = math.isnan(self) or math.isnan(float(str(other)))
        return not either_missing and not float.__eq__(self, float(str(other)))

    def __hash__(self) -> int:
        return float.__hash__(self)

    def _made(self, name: str, other: Any = None) -> Number:
        method = getattr(float, name)
        return Number(method(self) if other is None else method(self, other))

    def __add__(self, other: float) -> Number:
        return self._made("__add__", other)

    def __sub__(self, other: float) -> Number:
        return self._made("__sub__", other)

    def __mul__(self, other: float) -> Number:
        return self._made("__mul__", other)

    def __neg__(self) -> Number:
        return self._made("__neg__")


def as_python(condition: str) -> str:
    """The same condition for Python's own evaluator, with every literal a Number."""
    condition = re.sub(r"([\w.]+) is missing", r"MISSING ( \1 )", condition)
    words = condition.replace("(", " ( ").replace(")", " ) ").replace("-", " - ").split()
    return " ".join(f"N({word})" if word[0].isdigit() else word for word in words)


@settings(max_examples=150)
@given(conditions, st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_condition_means_what_it_means_in_python(
    condition: str, values: list[list[float]]
) -> None:
    expected = []
    for row in values:
        scope: dict[str, Any] = {n: Number(v) for n, v in zip(NAMES, row, strict=True)}
        scope |= {"N": Number, "MISSING": math.isnan, "__builtins__": {}}
        expected.append(bool(eval(as_python(condition), scope)))
    assert parse(condition).rows(view(values)).tolist() == expected


@pytest.mark.parametrize(
    "condition",
    [
        "", "a", "a >", "> 3", "a > 3 b", "a > 3 and", "(a > 3", "a > 3)", "not", "a is", "a = 3",
        "payer > 3", "payer == 3", "payer in {}", 'payer in "x"', "a > payer", "a < b < 3",
        "__import__('os')", "a.b > 3", "a[0] > 3", "f(a) > 3", "a > 1e4", "lambda: 0", "a ** 9 > 3",
        "(" * 40 + "a > 3" + ")" * 40, "not " * 40 + "a > 3", "-" * 40 + "a > 3", "a > 3 # no",
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_with_its_place(condition: str) -> None:
    with pytest.raises(BadInput, match="in the condition"):
        parse(condition)


@given(st.text(max_size=40))
def test_no_text_does_anything_but_parse_or_be_refused(condition: str) -> None:
    try:
        rows = parse(condition).rows(view([[1, 2, 3]]))
    except BadInput:
        return
    assert rows.shape == (1,)


def test_texts_are_compared_with_texts() -> None:
    seen = view([[0, 0, 0]] * 4)
    assert parse('payer == "p1"').rows(seen).tolist() == [False, True, False, False]
    assert parse('payee in {"q1", "z"} and a < 1').rows(seen).tolist() == [False, True] * 2
    assert parse('payer != "p0"').rows(seen).tolist() == [False, True, True, False]


GOOD = """
rules:
  - name: large-first
    when: a > 5 and pair_age is missing
    decide: hold
    because: a first payment of {a:.2f} by {payer}
  - name: any-b
    when: b >= 10
    decide: review
    because: b is {b}
"""


def test_rules_judge_as_a_detector_with_their_reasons() -> None:
    rules = parse_rules(GOOD.encode())
    rules.check(NAMES)
    assert rules.needs == ("a", "pair_age", "b")
    seen = view([[6, 0, math.nan], [6, 10, 1], [7, 10, math.nan], [0, 0, 0]])
    told = verdicts(seen, [rules])
    assert [v.decision for v in told] == [
        Decision.HOLD, Decision.REVIEW, Decision.HOLD, Decision.ALLOW
    ]  # fmt: skip
    assert [a.reason for a in told[2].reasons] == ["a first payment of 7.00 by p2", "b is 10.0"]
    assert told[0].reasons[0].detector == f"{rules.name}/large-first"
    assert parse_rules(GOOD.encode() + b"# changed\n").name != rules.name


@pytest.mark.parametrize(
    ("defect", "change"),
    [
        ("no YAML", ("rules:", "rules: [")),
        ("no list of rules", ("rules:", "rule:")),
        ("a tag that makes objects", ("a > 5 and", "!!python/object/apply:os.system [a] ")),
        ("an alias", ("because: b is {b}", "because: &x b\n  - *x")),
        ("a repeated key", ("decide: hold", "decide: hold\n    decide: review")),
        ("a key too many", ("decide: hold", "decide: hold\n    weight: '3'")),
        ("a key too few", ("    decide: hold\n", "")),
        ("an unknown decision", ("decide: hold", "decide: allow")),
        ("a yes that YAML takes for true", ("decide: hold", "decide: yes")),
        ("a name with spaces", ("name: any-b", "name: Any B")),
        ("one name for two", ("name: any-b", "name: large-first")),
        ("a broken condition", ("b >= 10", "b => 10")),
        ("a reason that reaches into objects", ("{b}", "{b.__class__}")),
        ("a reason with an index", ("{b}", "{b[0]}")),
        ("a reason of endless width", ("{b}", "{b:999999999}")),
        ("a reason with an open brace", ("{b}", "{b")),
        ("an empty reason", ("because: b is {b}", "because: ' '")),
    ],
)
def test_a_defective_file_is_refused(defect: str, change: tuple[str, str]) -> None:
    assert change[0] in GOOD
    with pytest.raises(BadInput):
        parse_rules(GOOD.replace(*change).encode())


def test_a_name_that_is_no_feature_is_refused_with_the_nearest() -> None:
    rules = parse_rules(GOOD.replace("pair_age", "pair_agee").encode())
    with pytest.raises(BadInput, match="pair_agee") as refused:
        rules.check(NAMES)
    assert "'pair_age'" in refused.value.remedy


def test_history_tells_what_each_rule_is_worth() -> None:
    rules: RuleSet = parse_rules(GOOD.encode())
    nan = math.nan
    seen = view([[6, 0, nan], [6, 10, nan], [0, 10, 1], [0, 0, 0], [9, 0, nan]])
    labels = np.array([1, 1, 0, 1, -1], np.int8)
    first, second, together = backtest(rules, seen, labels)
    assert (first.hits, first.checked, first.events, first.alone) == (3, 2, 2, 1)
    assert (first.precision, first.recall) == (Decimal("1.000000"), Decimal("0.666667"))
    assert (second.events, second.alone, second.remark) == (1, 0, "redundant")
    assert (together.hits, together.events, together.per_day) == (4, 2, 1.0)
    never = backtest(rules, view([[0, 0, 0]]), np.array([0], np.int8))[0]
    assert never.remark == "never fired"
