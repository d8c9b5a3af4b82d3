"""The model card: what a model is, was trained on, achieves, and must not be used for.

Canonical JSON; its digest is registered on chain beside the model's id. All
measures are decimal strings, so that a card has one spelling. What a card does
not tell is left out of it, so that a card written before a field existed keeps
its digest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, fields
from hashlib import sha256
from typing import Any, TypeVar

from veridict.core.codec import JsonValue, canonical_json, parse_json
from veridict.core.errors import BadInput
from veridict.core.nouns import Policy
from veridict.models.source import HEX32, DataFile, DataSource, RecordSet
from veridict.models.thresholds import Axis, Band, Choice

N = TypeVar("N", bound="Metric | DataSource | DataFile | RecordSet | Choice | Axis | Band")
SCHEMA = "veridict/model-card/1"
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?\Z")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,18})\Z")
_LIBRARY = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+\Z")
MAX_CARD_BYTES = 1 << 20
_MAX_DEPTH = 6  # card, sources, source, record sets, record set, fields
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
    seconds since 1970, end not included. The rows from `measured_from_s` on were not
    fitted to: the thresholds were chosen and the metrics measured on them. `sources`
    tells whose data these are, `libraries` what it was trained with ("lightgbm==4.6.0").
    `chosen` tells by which costs the thresholds were chosen, and those of segments.
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
    measured_from_s: int | None = None
    sources: tuple[DataSource, ...] = ()
    libraries: tuple[str, ...] = ()
    chosen: Choice | None = None

    def __post_init__(self) -> None:
        for name in ("model_id", "annex", "data"):
            value = getattr(self, name)
            _check(
                isinstance(value, str) and HEX32.match(value) is not None,
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
        middle = self.trained_from_s if self.measured_from_s is None else self.measured_from_s
        period = [self.trained_from_s, middle, self.trained_to_s]
        _check(all(map(_is_int, period)) and period == sorted(period), "the period is not in order")
        _check(
            isinstance(self.sources, tuple)
            and all(isinstance(source, DataSource) for source in self.sources),
            "sources are not sources",
        )
        _check(
            isinstance(self.libraries, tuple)
            and all(isinstance(v, str) and _LIBRARY.match(v) for v in self.libraries),
            "libraries are not of the form name==version",
        )
        _check(self.chosen is None or isinstance(self.chosen, Choice), "chosen is no choice")
        for band in (self, *(self.chosen.bands if self.chosen else ())):
            for name in ("review_at", "hold_at"):
                value = getattr(band, name)
                _check(
                    isinstance(value, str) and _WHOLE.match(value) is not None,
                    f"{name} is no whole number",
                )
        _ = self.policy

    @property
    def policy(self) -> Policy:
        pooled = Policy(int(self.review_at), int(self.hold_at))
        return pooled if self.chosen is None else self.chosen.policy(pooled, self.features)

    def encode(self) -> bytes:
        """The card as canonical JSON."""
        told = {f.name for f in fields(self) if getattr(self, f.name) != f.default}
        value: dict[str, JsonValue] = {"schema": SCHEMA, **asdict(self)}
        return canonical_json({k: v for k, v in value.items() if k == "schema" or k in told})

    @property
    def digest(self) -> bytes:
        return sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes) -> ModelCard:
        """Raises BadInput unless `data` is the canonical JSON of one valid card."""
        _check(len(data) <= MAX_CARD_BYTES, f"it is longer than {MAX_CARD_BYTES} bytes")
        try:
            value: Any = parse_json(data)
        except ValueError as error:
            raise _bad(f"it is no JSON ({type(error).__name__})") from error
        _check(isinstance(value, dict) and value.pop("schema", None) == SCHEMA, f"no {SCHEMA}")
        _check(_NEEDED <= set(value) <= _KNOWN, "fields are missing or unknown")
        for name in _LISTS & set(value):
            _check(isinstance(value[name], list), f"{name} is no list")
        card = cls(
            **{
                **value,
                "features": tuple(value["features"]),
                "limits": tuple(value["limits"]),
                "metrics": tuple(_noun(Metric, item) for item in value["metrics"]),
                "sources": tuple(_source(item) for item in value.get("sources", [])),
                "libraries": tuple(value.get("libraries", [])),
                "chosen": _choice(value.get("chosen")),
            }
        )
        _check(card.encode() == data, "it is not spelled canonically")
        return card


_KNOWN = {f.name for f in fields(ModelCard)}
_NEEDED = {f.name for f in fields(ModelCard) if f.default is MISSING}
_LISTS = {"features", "limits", "metrics", "sources", "libraries"}


def _choice(item: Any) -> Choice | None:
    if item is None:
        return None
    return _noun(
        Choice,
        item,
        axes=lambda found: _noun(Axis, found, edges=lambda edge: edge),
        bands=lambda found: _noun(Band, found),
    )


def _source(item: Any) -> DataSource:
    return _noun(
        DataSource,
        item,
        licences=lambda found: found,
        files=lambda found: _noun(DataFile, found),
        record_sets=lambda found: _noun(RecordSet, found, fields=lambda name: name),
    )


def _noun(kind: type[N], item: Any, **lists: Callable[[Any], Any]) -> N:
    """`item` as a `kind`; `lists` names its lists and reads their items."""
    _check(
        isinstance(item, dict) and set(item) == {f.name for f in fields(kind)},
        f"a {kind.__name__}'s fields are missing or unknown",
    )
    for name, read in lists.items():
        _check(isinstance(item[name], list), f"{name} is no list")
        item = {**item, name: tuple(read(found) for found in item[name])}
    return kind(**item)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check(holds: bool, why: str) -> None:
    if not holds:
        raise _bad(why)


def _bad(why: str) -> BadInput:
    return BadInput(f"not a model card: {why}", remedy="write the card with ModelCard.encode")
