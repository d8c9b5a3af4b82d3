"""Damaged models by the thousand in the contracts, in anvil: refused, or scored as what they are.

In `make test` 9,000 go to the scorer and 1,000 through a registry and its judge, in
`make test-all` a million more. Nothing may take more gas than `most_gas` of its bytes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.support.anvil import running_anvil
from tests.support.damaged_models import (
    decoded,
    is_judged,
    most_gas,
    mutate,
    packed,
    row_of,
    sources,
)
from tests.support.models import rows_for
from tests.support.swift_judge import Question, SwiftJudge
from veridict.models import reference
from veridict.models.canonical import chunks

SCORES, REGISTRATIONS = 9_000, 1_000
SHARDS, SHARD_SCORES, SHARD_REGISTRATIONS = 20, 40_000, 10_000
HELD = 2_000  # questions in memory


@pytest.fixture(scope="module")
def judge() -> Iterator[SwiftJudge]:
    with running_anvil(mining=False) as url:
        asked = SwiftJudge(url)
        yield asked
        asked.close()


def attack_scorer(judge: SwiftJudge, seed: int, count: int) -> tuple[int, int, int]:
    """How many of `count` damaged models were models all the same, gave a number, reverted."""
    rng = random.Random(seed)
    right = nonsense = reverted = 0
    while right + nonsense + reverted < count:
        questions: list[Question] = []
        due: list[int | None] = []
        while len(questions) < min(HELD, count - right - nonsense - reverted):
            data = mutate(rng, rng.choice(sources()))
            if not is_judged(data):
                continue  # the registry refuses those: below
            row, score = _row_and_score(rng, data)
            questions.append(judge.scoring(data, packed(row), most_gas(data)))
            due.append(score)
        for question, score, (answer,) in zip(questions, due, judge.ask(questions), strict=True):
            if score is not None:
                assert _number(answer) == score, _bytes_of(question)
            right += score is not None
            nonsense += score is None and answer is not None
            reverted += answer is None
    return right, nonsense, reverted


def attack_registry(judge: SwiftJudge, seed: int, count: int) -> tuple[int, int]:
    """How many of `count` damaged models were registered, and how many refused."""
    rng = random.Random(seed)
    registered = 0
    for first in range(0, count, HELD):
        questions: list[Question] = []
        due: list[tuple[bool, int | None]] = []
        for _ in range(min(HELD, count - first)):
            data = mutate(rng, rng.choice(sources())) or b"\0"
            features = int.from_bytes(data[8:10], "big")
            told = features ^ (rng.random() < 0.1)
            parts, cut = chunks(data), rng.random() < 0.1 and rng.randrange(len(data))
            if cut:
                parts = [data[:cut], data[cut:]]
            taken = is_judged(data) and told == features and not cut
            row, score = _row_and_score(rng, data)
            inputs, gas = packed(row)[:2048], most_gas(data) if is_judged(data) else 0
            questions.append(judge.judging(data, parts, told, inputs, gas))
            due.append((taken, score))
        for question, (taken, score), (entry, answer) in zip(
            questions, due, judge.ask(questions), strict=True
        ):
            assert (entry is not None) == taken, _bytes_of(question)
            if not taken:
                assert answer is None  # nothing to run
            elif score is not None:
                assert _number(answer) == score, _bytes_of(question)
            registered += taken
    return registered, count - registered


def _row_and_score(rng: random.Random, data: bytes) -> tuple[list[int], int | None]:
    """A row that fits what the header tells, and its score where the bytes are a model."""
    model = decoded(data)
    if model is None:
        return row_of(rng, data), None
    row = rows_for(model, rng.getrandbits(32), 1)[0]
    return row, reference.score(model, row)


def _number(answer: bytes | None) -> int | None:
    return None if answer is None else int.from_bytes(answer, "big", signed=True)


def _bytes_of(question: Question) -> str:
    return b"".join(question.parts).hex()


def test_damaged_models_in_the_scorer(judge: SwiftJudge) -> None:
    right, nonsense, reverted = attack_scorer(judge, 31, SCORES)
    assert min(right, nonsense) > SCORES / 10
    assert reverted > SCORES / 50


def test_damaged_models_in_the_registry(judge: SwiftJudge) -> None:
    registered, refused = attack_registry(judge, 32, REGISTRATIONS)
    assert min(registered, refused) > REGISTRATIONS / 5


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_million_damaged_models(judge: SwiftJudge, shard: int) -> None:
    right, nonsense, reverted = attack_scorer(judge, 5000 + shard, SHARD_SCORES)
    assert min(right, nonsense, reverted) > SHARD_SCORES / 50
    registered, refused = attack_registry(judge, 6000 + shard, SHARD_REGISTRATIONS)
    assert min(registered, refused) > SHARD_REGISTRATIONS / 5
