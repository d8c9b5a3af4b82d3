"""A keeper whose log is in perfect order, signed and anchored, with one thing in it not true.

Each lie is named by its own code, and nothing else is. `test_tampering` has the
other keeper, who changes what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from tests.support.acts import act_on
from tests.support.forger import Row, Rows, codes, forged
from tests.support.told import json_record_at, opened, prediction_at, told_copy
from veridict.core.codec import TAG_INPUTS, commit
from veridict.core.nouns import NO_REASON, Decision, PredictionRecord
from veridict.ledger.keys import load_or_create_signer
from veridict.ledger.log import Log
from veridict.models.shelf import Shelf
from veridict.services.audit import audit
from veridict.services.node import Node
from veridict.services.records import (
    ErasureRecord,
    ModelRecord,
    OutcomesRecord,
    decode,
    encode,
    is_prediction,
)
from veridict.services.registering import MAX_FEATURES
from veridict.services.sayings import ErasureWords, said, saying


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Never written to, but its chain carries the forgers' anchors."""
    with opened(told_copy(tmp_path_factory.mktemp("told") / "home")) as node:
        yield node


@dataclass(frozen=True, slots=True)
class Lie:
    """`caught_as`: exactly the codes that the audit must name, neither fewer nor more."""

    name: str
    caught_as: frozenset[str]
    tell: Callable[[Node, Rows], Rows]

    def __post_init__(self) -> None:
        assert self.caught_as, f"{self.name}: say what the audit must call it"


def edited(rows: Rows, index: int, edit: Callable[[PredictionRecord], PredictionRecord]) -> Rows:
    body, payload = rows[index]
    record = PredictionRecord.decode(body)
    return [*rows[:index], (edit(record).encode(), payload), *rows[index + 1 :]]


def false_score(node: Node, rows: Rows) -> Rows:
    """One unit of 2^-32 beside the truth."""
    return edited(rows, prediction_at(node), lambda record: replace(record, score=record.score - 1))


def false_decision(node: Node, rows: Rows) -> Rows:
    return edited(
        rows,
        prediction_at(node, Decision.HOLD),
        lambda record: replace(record, decision=Decision.ALLOW),
    )


def false_reasons(node: Node, rows: Rows) -> Rows:
    def edit(record: PredictionRecord) -> PredictionRecord:
        first, second, third = record.reasons
        return replace(record, reasons=(second, first, third))

    return edited(rows, prediction_at(node), edit)


def no_reasons(node: Node, rows: Rows) -> Rows:
    return edited(
        rows,
        prediction_at(node),
        lambda record: replace(record, reasons=(NO_REASON, NO_REASON, NO_REASON)),
    )


def other_inputs(node: Node, rows: Rows) -> Rows:
    """Inputs committed to after the fact: true commitments, of inputs with another score."""
    index = prediction_at(node)
    body, payload = rows[index]
    assert payload is not None
    inputs = bytes(len(payload.inputs))
    record = replace(
        PredictionRecord.decode(body), inputs=commit(TAG_INPUTS, payload.inputs_salt, inputs)
    )
    changed = (record.encode(), replace(payload, inputs=inputs))
    return [*rows[:index], changed, *rows[index + 1 :]]


def with_inputs(node: Node, rows: Rows, edit: Callable[[bytes], bytes]) -> Rows:
    index = prediction_at(node)
    body, payload = rows[index]
    assert payload is not None
    inputs = edit(payload.inputs)
    record = replace(
        PredictionRecord.decode(body), inputs=commit(TAG_INPUTS, payload.inputs_salt, inputs)
    )
    changed = (record.encode(), replace(payload, inputs=inputs))
    return [*rows[:index], changed, *rows[index + 1 :]]


def short_inputs(node: Node, rows: Rows) -> Rows:
    return with_inputs(node, rows, lambda inputs: inputs[:-8])


def inputs_beyond_the_judge(node: Node, rows: Rows) -> Rows:
    """More than a challenge can bring: nobody could show them to the contract."""
    return with_inputs(node, rows, lambda inputs: inputs.ljust(8 * MAX_FEATURES + 8, b"\0"))


def unlogged_prediction(node: Node, rows: Rows) -> Rows:
    """One prediction was made, numbered and never logged."""
    victim = prediction_at(node)
    told = []
    for index, (body, payload) in enumerate(rows):
        if index >= victim and is_prediction(body):
            record = PredictionRecord.decode(body)
            body = replace(record, sequence=record.sequence + 1).encode()
        told.append((body, payload))
    return told


def swapped_predictions(node: Node, rows: Rows) -> Rows:
    index = prediction_at(node)
    return [*rows[:index], rows[index + 1], rows[index], *rows[index + 2 :]]


def repeated_prediction(node: Node, rows: Rows) -> Rows:
    index = prediction_at(node)
    return [*rows, rows[index]]


def unregistered_model(node: Node, rows: Rows) -> Rows:
    return edited(rows, prediction_at(node), lambda record: replace(record, model_id=bytes(32)))


def early_outcome(node: Node, rows: Rows) -> Rows:
    """A label of a prediction that is still to be made."""
    count = sum(is_prediction(body) for body, _ in rows)
    record = OutcomesRecord("early", 0, [(0, count)], [], 0)
    return [*rows, (encode(record), None)]


def early_event(node: Node, rows: Rows) -> Rows:
    """As above, hidden in the list of events."""
    count = sum(is_prediction(body) for body, _ in rows)
    record = OutcomesRecord("early", 0, [(0, 0)], [count], 0)
    return [*rows, (encode(record), None)]


def act_row(index: int) -> Row:
    record, payload = act_on(index)
    return encode(record), payload


def words_of_another(node: Node, rows: Rows) -> Rows:
    body, _ = act_row(prediction_at(node))
    return [*rows, (body, act_row(0)[1])]


def hidden_payload(node: Node, rows: Rows) -> Rows:
    index = prediction_at(node)
    return [*rows[:index], (rows[index][0], None), *rows[index + 1 :]]


def erasure_of(spans: list[tuple[int, int]], count: int) -> Row:
    words = ErasureWords("somebody", "", spans)
    payload = saying(words, name="erasure", subject="", time_ms=0)
    return encode(ErasureRecord("00" * 32, said(payload), count, "request", 0)), payload


def erasure_undone(node: Node, rows: Rows) -> Rows:
    """Logged, and never carried out."""
    index = prediction_at(node)
    return [*rows, erasure_of([(index, index)], 1)]


def erasure_that_counts_wrong(node: Node, rows: Rows) -> Rows:
    index = prediction_at(node)
    return [*hidden_payload(node, rows), erasure_of([(index, index)], 2)]


def erasure_of_what_comes(node: Node, rows: Rows) -> Rows:
    """It cannot account for what is hidden after it."""
    hidden = act_row(prediction_at(node))[0], None
    return [*rows, erasure_of([(len(rows) + 1, len(rows) + 1)], 1), hidden]


def lawful_erasure(node: Node, rows: Rows) -> Rows:
    index = prediction_at(node)
    return [*hidden_payload(node, rows), erasure_of([(index, index)], 1)]


def act_on_no_prediction(node: Node, rows: Rows) -> Rows:
    model = json_record_at(node, ModelRecord)
    return [*rows, act_row(model)]


def act_before_its_prediction(node: Node, rows: Rows) -> Rows:
    body, payload = rows[prediction_at(node)]
    count = sum(is_prediction(each) for each, _ in rows)
    later = replace(PredictionRecord.decode(body), sequence=count).encode()
    return [*rows, act_row(len(rows) + 1), (later, payload)]


def altered_card(node: Node, rows: Rows) -> Rows:
    index = json_record_at(node, ModelRecord)
    record = decode(rows[index][0])
    assert isinstance(record, ModelRecord)
    card = {**record.card, "limits": ["none: it is good for everything"]}
    body = encode(msgspec.structs.replace(record, card=card))
    return [*rows[:index], (body, None), *rows[index + 1 :]]


def unreadable_card(node: Node, rows: Rows) -> Rows:
    index = json_record_at(node, ModelRecord)
    record = decode(rows[index][0])
    assert isinstance(record, ModelRecord)
    body = encode(msgspec.structs.replace(record, model_id="not hex"))
    return [*rows, (body, None)]


def noise(node: Node, rows: Rows) -> Rows:
    return [*rows, (b"\x02 neither a prediction nor JSON", None)]


LIES = (
    Lie("nothing is false", frozenset({"none"}), lambda node, rows: rows),
    Lie("false score", frozenset({"score.false"}), false_score),
    Lie("false decision", frozenset({"decision.false"}), false_decision),
    Lie("false reasons", frozenset({"reasons.false"}), false_reasons),
    Lie("no reasons", frozenset({"reasons.false"}), no_reasons),
    Lie("other inputs", frozenset({"score.false", "reasons.false"}), other_inputs),
    Lie("short inputs", frozenset({"payload.inputs"}), short_inputs),
    Lie("inputs beyond the judge", frozenset({"payload.inputs"}), inputs_beyond_the_judge),
    Lie("unlogged prediction", frozenset({"sequence.gap"}), unlogged_prediction),
    Lie("swapped predictions", frozenset({"sequence.gap"}), swapped_predictions),
    Lie("repeated prediction", frozenset({"sequence.gap"}), repeated_prediction),
    Lie("unregistered model", frozenset({"model.unregistered"}), unregistered_model),
    Lie("early outcome", frozenset({"outcome.early"}), early_outcome),
    Lie("early event", frozenset({"outcome.early"}), early_event),
    Lie("act on no prediction", frozenset({"act.baseless"}), act_on_no_prediction),
    Lie("act before its prediction", frozenset({"act.baseless"}), act_before_its_prediction),
    Lie("altered card", frozenset({"model.card"}), altered_card),
    Lie("unreadable card", frozenset({"model.chain"}), unreadable_card),
    Lie("words of another", frozenset({"payload.said"}), words_of_another),
    Lie("hidden payload", frozenset({"payload.missing"}), hidden_payload),
    Lie("lawful erasure", frozenset({"none"}), lawful_erasure),
    Lie("erasure undone", frozenset({"erasure.undone"}), erasure_undone),
    Lie("erasure counts wrong", frozenset({"erasure.count"}), erasure_that_counts_wrong),
    Lie(
        "erasure of what comes",
        frozenset({"erasure.count", "payload.missing"}),
        erasure_of_what_comes,
    ),
    Lie("noise", frozenset({"record.unreadable"}), noise),
)


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
def test_a_lie_in_a_log_in_good_order_is_named_and_nothing_else(
    node: Node, tmp_path: Path, lie: Lie
) -> None:
    with forged(
        node, tmp_path / lie.name.replace(" ", "-"), lambda rows: lie.tell(node, rows)
    ) as f:
        assert (codes(f.audit()) or {"none"}) == lie.caught_as


def test_a_lie_must_say_what_it_is_called() -> None:
    with pytest.raises(AssertionError, match="say what"):
        Lie("unnamed", frozenset(), lambda node, rows: rows)


def test_another_operator_s_anchors_do_not_count(node: Node) -> None:
    checks = audit(
        node.log, node.network, operator="0x" + "11" * 20, shelf=Shelf(node.log.path / "none")
    )
    assert "anchor.unknown" in codes(checks)
    assert not checks[2].passed


def test_an_empty_log_does_not_pass(node: Node, tmp_path: Path) -> None:
    signer = load_or_create_signer(tmp_path, "veridict/nobody")
    with closing(Log.open(tmp_path, signer=signer)) as log:
        checks = audit(log, node.network, operator=node.operator, shelf=Shelf(tmp_path))
    assert [check.passed for check in checks] == [False] * 9
    assert codes(checks) == set()
