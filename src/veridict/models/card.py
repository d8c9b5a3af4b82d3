"""The model card: what a model is, was trained on, achieves, and must not be used for.

Canonical JSON; its digest is registered on chain beside the model's id. All
measures are decimal strings, so that a card has one spelling.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Any

from veridict.core.codec import JsonValue, canonical_json
from veridict.core.errors import BadInput
from veridict.core.nouns import Policy

SCHEMA = "veridict/model-card/1"
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?\Z")
_HEX32 = re.compile(r"[0-9a-f]{64}\Z")
MAX_CARD_BYTES = 1 << 20
_MAX_DEPTH = 3  # card, metrics, metric
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"?')
_BRACKET = re.compile(rb"[\[\]{}]")


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure: over all rows (group "") or those of one group, e.g. "merchant"."""

    name: str
    value: str
    group: str = ""
    rows: int = 0

    def __post_init__(self) -> None:
        _check(isinstance(self.name, str) and self.name != "", "a metric has no name")
        _check(isinstance(self.group, str), "a metric's group is no text")
        _check(
            isinstance(self.value, str) and _DECIMAL.match(self.value) is not None,
            f"metric {self.name} is no decimal string",
        )
        _check(_is_int(self.rows) and self.rows >= 0, f"metric {self.name} has no row count")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """`model_id`, `annex` and `data` are SHA-256 digests in lower-case hex.

    `review_at`, `hold_at`: policy thresholds, raw scores as decimal strings
    (they may exceed 2^53). `trained_from_s`, `trained_to_s`: the data's period,
    seconds since 1970, end not included.
    """

    model_id: str
    annex: str
    title: str
    data: str
    data_title: str
    trained_from_s: int
    trained_to_s: int
    features: tuple[str, ...]
    metrics: tuple[Metric, ...]
    limits: tuple[str, ...]
    review_at: str
    hold_at: str

    def __post_init__(self) -> None:
        for name in ("model_id", "annex", "data"):
            value = getattr(self, name)
            _check(
                isinstance(value, str) and _HEX32.match(value) is not None,
                f"{name} is no SHA-256 in hex",
            )
        for name in ("title", "data_title"):
            _check(isinstance(getattr(self, name), str), f"{name} is no text")
        for name in ("features", "limits"):
            value = getattr(self, name)
            _check(
                isinstance(value, tuple) and all(isinstance(v, str) for v in value),
                f"{name} are not texts",
            )
        _check(len(set(self.features)) == len(self.features) > 0, "features are not distinct names")
        _check(
            isinstance(self.metrics, tuple) and all(isinstance(m, Metric) for m in self.metrics),
            "metrics are not metrics",
        )
        period = (self.trained_from_s, self.trained_to_s)
        _check(all(map(_is_int, period)) and period[0] <= period[1], "the period is not in order")
        for name in ("review_at", "hold_at"):
            value = getattr(self, name)
            _check(
                isinstance(value, str) and re.match(r"-?(0|[1-9][0-9]*)\Z", value) is not None,
                f"{name} is no whole number",
            )
        _ = self.policy

    @property
    def policy(self) -> Policy:
        return Policy(int(self.review_at), int(self.hold_at))

    def encode(self) -> bytes:
        """The card as canonical JSON."""
        value: dict[str, JsonValue] = {"schema": SCHEMA, **asdict(self)}
        return canonical_json(value)

    @property
    def digest(self) -> bytes:
        return sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes) -> ModelCard:
        """Raises BadInput unless `data` is the canonical JSON of one valid card."""
        _check(len(data) <= MAX_CARD_BYTES, f"it is longer than {MAX_CARD_BYTES} bytes")
        _check(_depth(data) <= _MAX_DEPTH, f"it is nested deeper than {_MAX_DEPTH}")
        try:
            value: Any = json.loads(data)
        except ValueError as error:
            raise _bad(f"it is no JSON ({type(error).__name__})") from error
        _check(isinstance(value, dict) and value.pop("schema", None) == SCHEMA, f"no {SCHEMA}")
        _check(set(value) == {f.name for f in fields(cls)}, "fields are missing or unknown")
        for name in ("features", "limits", "metrics"):
            _check(isinstance(value[name], list), f"{name} is no list")
        card = cls(
            **{
                **value,
                "features": tuple(value["features"]),
                "limits": tuple(value["limits"]),
                "metrics": tuple(_metric(item) for item in value["metrics"]),
            }
        )
        _check(card.encode() == data, "it is not spelled canonically")
        return card


def _depth(data: bytes) -> int:
    """How deep brackets nest outside of texts. `json` recurses as deep, up to a crash."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_TEXT.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _metric(item: Any) -> Metric:
    _check(
        isinstance(item, dict) and set(item) == {f.name for f in fields(Metric)},
        "a metric's fields are missing or unknown",
    )
    return Metric(**item)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check(holds: bool, why: str) -> None:
    if not holds:
        raise _bad(why)


def _bad(why: str) -> BadInput:
    return BadInput(f"not a model card: {why}", remedy="write the card with ModelCard.encode")
