"""The language of rules: comparisons of features and fields, joined by and, or, not.

    amount > 5000 and (pair_age is missing or payer_times_habit >= 10)
    payee in {"acme", "beta"} and not weekday < 5

Numbers, features, + - * / and brackets; texts only with `==`, `!=` and `in {…}`. A comparison
with a missing value is false, `is missing` says so. No calls, no attributes, nothing else: a rule
can neither run code nor fail on a payment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from veridict.core.errors import BadInput
from veridict.watch.detectors.base import View

FIELDS = ("payer", "payee")  # texts; all other names are features
MAX_DEPTH = 32
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>\"[^\"]*\")|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign><=|>=|==|!=|[-+*/<>(){},])|(?P<bad>\S))"
)
_WORDS = {"and", "or", "not", "in", "is", "missing"}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "==": np.equal, "!=": np.not_equal,
}  # fmt: skip
_SUMS: dict[str, Callable[[Any, Any], Any]] = {"+": np.add, "-": np.subtract}
_PRODUCTS: dict[str, Callable[[Any, Any], Any]] = {"*": np.multiply, "/": np.divide}

Value = Callable[[View], Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """`names`: the features and fields it reads, in the order of reading."""

    text: str
    names: tuple[str, ...]
    _value: Value

    def rows(self, view: View) -> Any:
        """bool[rows]: where it holds."""
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(self._value(view), bool), len(view.rows))


def parse(text: str) -> Expression:
    """Raises BadInput with the place where `text` stops making sense."""
    parser = _Parser(text)
    value = parser.either(0)
    parser.expect_end()
    return Expression(text, tuple(dict.fromkeys(parser.names)), value)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """(kind, text, place)."""
    for match in _TOKEN.finditer(text.rstrip()):
        kind = match.lastgroup or "bad"
        yield kind, match[kind], match.start(kind)
    yield "end", "the end", len(text)


class _Parser:
    """Recursive descent; each method returns the value of what it has read."""

    def __init__(self, text: str) -> None:
        self.text, self.names = text, list[str]()
        self._all: Sequence[tuple[str, str, int]] = list(_tokens(text))
        self._at = 0

    def either(self, depth: int) -> Value:
        parts = [self._both(depth)]
        while self._take("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else lambda v: np.any(_truths(v, parts), axis=0)

    def _both(self, depth: int) -> Value:
        parts = [self._negated(depth)]
        while self._take("and"):
            parts.append(self._negated(depth))
        return parts[0] if len(parts) == 1 else lambda v: np.all(_truths(v, parts), axis=0)

    def _negated(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise self._wrong("is nested too deeply")
        if self._take("not"):
            inner = self._negated(depth + 1)
            return lambda v: ~np.asarray(inner(v), bool)
        if self._peek() == "(" and self._holds_condition():
            self._at += 1
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        return self._comparison(depth)

    def _holds_condition(self) -> bool:
        """Whether the bracket here holds a condition and not a number."""
        depth = 0
        for kind, text, _ in self._all[self._at :]:
            depth += {"(": 1, ")": -1}.get(text, 0) if kind == "sign" else 0
            if depth == 0:
                return False
            if text in _COMPARE or text in ("and", "or", "not", "is", "in"):
                return True
        return False

    def _comparison(self, depth: int) -> Value:
        kind, name, _ = self._all[self._at]
        if kind == "name" and name in FIELDS:
            return self._text_comparison()
        left = self._sum(depth)
        if self._take("is"):
            missing = not self._take("not")
            self._expect("missing")
            return lambda v: np.isnan(left(v)) == missing
        sign = self._all[self._at][1]
        if sign not in _COMPARE:
            raise self._wrong("is no comparison")
        self._at += 1
        compare, right = _COMPARE[sign], self._sum(depth)

        def held(v: View) -> Any:
            a, b = left(v), right(v)
            return compare(a, b) & ~np.isnan(a) & ~np.isnan(b)

        return held

    def _text_comparison(self) -> Value:
        name = self._all[self._at][1]
        self.names.append(name)
        self._at += 1
        wanted, negate = set[str](), False
        if self._take("in"):
            self._expect("{")
            wanted.add(self._quoted())
            while self._take(","):
                wanted.add(self._quoted())
            self._expect("}")
        elif self._peek() in ("==", "!="):
            negate = self._all[self._at][1] == "!="
            self._at += 1
            wanted.add(self._quoted())
        else:
            raise self._wrong(f"cannot follow {name}, which is a text")
        return lambda v: np.array([(t in wanted) != negate for t in v.rows.strings(name)])

    def _quoted(self) -> str:
        kind, text, _ = self._all[self._at]
        if kind != "text":
            raise self._wrong('is no text in "quotes"')
        self._at += 1
        return text[1:-1]

    def _sum(self, depth: int) -> Value:
        return self._chain(_SUMS, self._product, depth)

    def _product(self, depth: int) -> Value:
        return self._chain(_PRODUCTS, self._unit, depth)

    def _chain(
        self, signs: dict[str, Callable[[Any, Any], Any]], part: Callable[[int], Value], depth: int
    ) -> Value:
        left = part(depth)
        while self._peek() in signs:
            apply = signs[self._all[self._at][1]]
            self._at += 1
            left = _applied(apply, left, part(depth))
        return left

    def _unit(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise self._wrong("is nested too deeply")
        kind, text, _ = self._all[self._at]
        if kind == "number":
            self._at += 1
            number = float(text)
            return lambda v: number
        if self._take("-"):
            inner = self._unit(depth + 1)
            return lambda v: np.negative(inner(v))
        if self._take("("):
            inner = self._sum(depth + 1)
            self._expect(")")
            return inner
        if kind != "name" or text in _WORDS or text in FIELDS:
            raise self._wrong("is no number and no feature")
        self._at += 1
        self.names.append(text)
        return lambda v: v.feature(text)

    def _peek(self) -> str:
        kind, text, _ = self._all[self._at]
        return text if kind in ("sign", "name") else ""

    def _take(self, wanted: str) -> bool:
        if self._peek() != wanted:
            return False
        self._at += 1
        return True

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self._wrong(f"stands where {wanted!r} should be")

    def expect_end(self) -> None:
        if self._all[self._at][0] != "end":
            raise self._wrong("is not expected here")

    def _wrong(self, why: str) -> BadInput:
        _, text, place = self._all[self._at]
        return BadInput(
            f"{text!r} at place {place + 1} {why}, in the condition {self.text!r}",
            remedy="write for example: amount > 5000 and pair_age is missing",
            place=place + 1,
        )


def _applied(apply: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    return lambda v: apply(left(v), right(v))


def _truths(view: View, parts: Sequence[Value]) -> Any:
    n = len(view.rows)
    return [np.broadcast_to(np.asarray(part(view), bool), n) for part in parts]
