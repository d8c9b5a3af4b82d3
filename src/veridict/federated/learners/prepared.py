"""A learner that first finds the common scale: two rounds of joint statistics, then training.

A party's answer is its moments and histograms per row, whose norm is bounded as that of an
update is; so the same rules protect the scale and the same masks hide it.

    "1"                              asked: even cells over the public ranges
    "2" ‖ edges                      asked: cells that hold about as many rows each
    "3" ‖ scale length u32 ‖ scale ‖ state of the learner
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from veridict.core.codec import canonical_json, parse_json
from veridict.core.errors import BadInput, UnsupportedModel
from veridict.federated.fixed import F64, I64, ONE, WEIGHT_ONE, Clip
from veridict.federated.learners.learner import Learner, Rows, Scale
from veridict.federated.statistics import Feature, Question, Summary, read, refined, scale_of
from veridict.models.compile import Compiled

Reading = tuple[bytes, Question, tuple[Learner, bytes] | None]

_FIRST, _SECOND, _TRAINING = b"1", b"2", b"3"


class Prepared(Learner):
    """`make` builds the learner once the scale is known; `rows_max`: of the largest party."""

    name = "prepared"

    def __init__(
        self,
        features: Sequence[Feature],
        rows_max: int,
        make: Callable[[Scale], Learner],
        bins: int = 32,
    ) -> None:
        self._features, self._rows_max, self._make, self._bins = (
            tuple(features),
            rows_max,
            make,
            bins,
        )
        self._question = Question.first(self._features, rows_max)
        self._made: tuple[bytes, Learner] | None = None
        self._last: tuple[bytes, Reading] | None = None
        # Present, z, z² and one cell, each at most 1, of every feature.
        self._clip = Clip.of(2 * math.sqrt(len(self._features)))

    def start(self) -> bytes:
        return _FIRST

    def check(self, state: bytes) -> None:
        inner = self._read(state)[2]
        if inner is not None:
            learner, rest = inner
            learner.check(rest)

    def length(self, state: bytes) -> int:
        _, question, inner = self._read(state)
        return inner[0].length(inner[1]) if inner else question.length

    def clip(self, state: bytes) -> Clip:
        _, _, inner = self._read(state)
        return inner[0].clip(inner[1]) if inner else self._clip

    def vector(self, state: bytes, rows: Rows, seed: int) -> F64:
        _, question, inner = self._read(state)
        if inner:
            return inner[0].vector(inner[1], rows, seed)
        scale = float(self._rows_max) / ONE / len(rows)
        return question.answer(rows.features).astype(np.float64) * scale

    def weight(self, rows: int) -> int:
        return max(1, min(WEIGHT_ONE, rows * WEIGHT_ONE // self._rows_max))

    def moved(self, state: bytes, step: I64) -> bytes:
        kind, question, inner = self._read(state)
        if inner:
            learner, rest = inner
            return self._training(learner.scale, learner.moved(rest, step))
        summaries = self._summaries(question, step)
        if kind == _FIRST:
            edges = refined(question, summaries).edges
            texts = [[edge.hex() for edge in each] for each in edges]
            return _SECOND + canonical_json(texts)
        scale = scale_of(summaries, self._rows_max, self._bins)
        return self._training(scale, self._make(scale).start())

    def finished(self, state: bytes) -> bool:
        _, _, inner = self._read(state)
        return inner is not None and inner[0].finished(inner[1])

    @property
    def rounds(self) -> int:
        """With the two that ask for the scale."""
        n = len(self._features)
        ones, names = (1.0,) * n, tuple(feature.name for feature in self._features)
        return 2 + self._make(Scale(names, ones, ones, ((0.0,),) * n, self._rows_max)).rounds

    def compiled(self, state: bytes) -> Compiled:
        learner, rest = self._learner(state)
        return learner.compiled(rest)

    def scores(self, state: bytes, features: F64) -> F64:
        """Nothing is known of any row while the scale is asked for: log-odds 0."""
        _, _, inner = self._read(state)
        return inner[0].scores(inner[1], features) if inner else np.zeros(len(features))

    def _summaries(self, question: Question, step: I64) -> tuple[Summary, ...]:
        """The rule's step, as if all rows were of one party of `rows_max`."""
        counted = np.rint(step * self._clip.norm).astype(np.int64)
        return read(question, counted)

    def _training(self, scale: Scale, inner: bytes) -> bytes:
        text = scale.encode()
        return _TRAINING + len(text).to_bytes(4, "big") + text + inner

    def _learner(self, state: bytes) -> tuple[Learner, bytes]:
        _, _, inner = self._read(state)
        if inner is None:
            raise UnsupportedModel("nothing is learned yet", remedy="train a round more")
        return inner

    def _read(self, state: bytes) -> Reading:
        """Raises BadInput for what is no state. Asked several times of each: the last is kept."""
        if self._last is None or self._last[0] != state:
            self._last = state, self._parsed(state)
        return self._last[1]

    def _parsed(self, state: bytes) -> Reading:
        kind, rest = state[:1], state[1:]
        question = self._question
        if kind == _FIRST and not rest:
            return kind, question, None
        if kind == _SECOND:
            return (
                kind,
                Question(self._features, _edges(rest, len(self._features)), self._rows_max),
                None,
            )
        length = int.from_bytes(rest[:4], "big")
        if kind != _TRAINING or len(rest) < 4 + length:
            raise _no_state(state)
        return kind, question, (self._made_for(rest[4 : 4 + length]), rest[4 + length :])

    def _made_for(self, text: bytes) -> Learner:
        """The learner behind a scale; it is asked for many times a round, and read once."""
        if self._made is None or self._made[0] != text:
            scale = Scale.decode(text)
            if scale.names != tuple(feature.name for feature in self._features):
                raise _no_state(text)
            self._made = text, self._make(scale)
        return self._made[1]


def _edges(text: bytes, features: int) -> tuple[tuple[float, ...], ...]:
    try:
        edges = tuple(tuple(map(float.fromhex, each)) for each in parse_json(text))
    except (ValueError, TypeError, LookupError):
        raise _no_state(text) from None
    if len(edges) != features or any(list(each) != sorted(set(each)) for each in edges):
        raise _no_state(text)
    return edges


def _no_state(state: bytes) -> BadInput:
    return BadInput(
        f"{len(state)} bytes are no state of this federation",
        remedy="fetch the state that the last final round names",
    )
