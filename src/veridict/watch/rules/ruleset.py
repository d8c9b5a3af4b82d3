"""A rule file, read and checked; it judges payments like any other detector.

rules:
  - name: large-first-payment
    when: amount > 5000 and pair_age is missing
    decide: review            # or hold
    because: a first payment of {amount:.0f} to this payee
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np
import yaml

from veridict.core.errors import BadInput
from veridict.core.nouns import Decision
from veridict.watch.detectors.base import Alert, Stateless, View
from veridict.watch.rules.expression import FIELDS, Expression, parse

MAX_BYTES, MAX_RULES, MAX_TEXT = 1 << 20, 1000, 2000
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_KEYS = ("name", "when", "decide", "because")
_FORMAT = re.compile(r"(\.\d)?[f%]?")
_DECISIONS = {"review": Decision.REVIEW, "hold": Decision.HOLD}


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    when: Expression
    decide: Decision
    because: str

    @property
    def names(self) -> tuple[str, ...]:
        """Features and fields of the condition and of the reason."""
        told = [name for _, name, _, _ in Formatter().parse(self.because) if name]
        return tuple(dict.fromkeys((*self.when.names, *told)))

    def reason(self, view: View, row: int) -> str:
        values: dict[str, Any] = {
            name: view.rows.strings(name)[row] if name in FIELDS else float(view.feature(name)[row])
            for name in self.names
        }
        return self.because.format(**values)


class RuleSet(Stateless):
    """`name` tells which text of the rules judged: the start of its SHA-256."""

    def __init__(self, rules: tuple[Rule, ...], digest: bytes) -> None:
        self.rules, self.digest = rules, digest
        self.name = f"rules:{digest.hex()[:8]}"

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        names = dict.fromkeys(name for rule in self.rules for name in rule.names)
        return tuple(name for name in names if name not in FIELDS)

    def check(self, known: Collection[str]) -> None:
        """Raises BadInput for the first name that is no feature."""
        for rule in self.rules:
            for name in rule.names:
                if name not in known and name not in FIELDS:
                    near = difflib.get_close_matches(name, known, 1)
                    raise BadInput(
                        f"rule {rule.name!r} reads {name!r}, which is no feature",
                        remedy=f"did you mean {near[0]!r}?"
                        if near
                        else "see `veridict rules features`",
                        rule=rule.name,
                    )

    def judge(self, view: View) -> list[Alert]:
        return [
            Alert(row, f"{self.name}/{rule.name}", rule.decide, rule.reason(view, row), 0.7)
            for rule in self.rules
            for row in np.flatnonzero(rule.when.rows(view)).tolist()
        ]


def read_rules(path: Path) -> RuleSet:
    """Raises BadInput naming the rule and what to do; NotFound is the caller's to rule out."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise BadInput(f"{path.name} cannot be read: {problem}", remedy="check the path") from None
    return parse_rules(data, path.name)


def parse_rules(data: bytes, file: str = "rules") -> RuleSet:
    if len(data) > MAX_BYTES:
        raise BadInput(f"{file} is larger than {MAX_BYTES} bytes", remedy="split the rules")
    try:
        document = yaml.load(data, Loader=_Plain)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as problem:
        where = str(problem).splitlines()[-1].strip() if str(problem) else "nested too deeply"
        raise BadInput(
            f"{file} is no YAML: {where}", remedy="compare it with the example in the docs"
        ) from None
    if not isinstance(document, dict) or set(document) != {"rules"}:
        raise BadInput(f"{file} has no list of rules", remedy="begin it with `rules:`")
    items = document["rules"]
    if not isinstance(items, list) or not 0 < len(items) <= MAX_RULES:
        raise BadInput(f"{file} has no list of rules", remedy=f"list 1 to {MAX_RULES} rules")
    rules = tuple(_rule(item, number) for number, item in enumerate(items, start=1))
    names = [rule.name for rule in rules]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise BadInput(f"two rules are called {twice!r}", remedy="give each its own name")
    return RuleSet(rules, sha256(data).digest())


def _rule(item: Any, number: int) -> Rule:
    if not isinstance(item, Mapping) or not all(isinstance(v, str) for v in item.values()):
        raise BadInput(
            f"rule {number} is no mapping of texts", remedy=f"give it {', '.join(_KEYS)}"
        )
    odd = sorted(set(map(str, item)) ^ set(_KEYS))
    if odd:
        raise BadInput(
            f"rule {number} lacks {odd[0]!r} or has it for nothing",
            remedy=f"give it exactly {', '.join(_KEYS)}",
            rule=number,
        )
    name, when, decide, because = (item[key] for key in _KEYS)
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} is no name of a rule", remedy="use a-z, 0-9 and hyphens")
    if decide not in _DECISIONS:
        raise BadInput(
            f"rule {name!r} decides {decide!r}", remedy="decide review or hold", rule=name
        )
    if max(len(when), len(because)) > MAX_TEXT or not because.strip():
        raise BadInput(f"rule {name!r} is too long or gives no reason", remedy="say it in a line")
    _check_reason(name, because)
    return Rule(name, parse(when), _DECISIONS[decide], because)


def _check_reason(rule: str, because: str) -> None:
    """Only {name} and {name:.2f}: no attributes, no indices, no widths."""
    try:
        parts = list(Formatter().parse(because))
    except ValueError:
        parts = [("", "{", "", None)]
    for _, name, form, conversion in parts:
        if name is None:
            continue
        plain = name.isidentifier() and conversion is None and _FORMAT.fullmatch(form or "")
        if not plain or (name in FIELDS and form):
            raise BadInput(
                f"the reason of rule {rule!r} has {{{name}}}, which cannot be filled in",
                remedy="write {amount} or {amount:.2f}",
                rule=rule,
            )


class _Plain(yaml.SafeLoader):  # type: ignore[misc]
    """Texts, lists and mappings without repeated keys; neither tags nor anchors."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise yaml.YAMLError(f"a key stands twice in line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)
