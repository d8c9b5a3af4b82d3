"""Every lie about the past is found and named by its own code; an honest log is not blamed.

Two keepers lie here. One changes what is stored (files of a copy of an honest
log). The other keeps a log of his own in perfect order, signed and anchored, in
which only one thing is not true.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from tests.support.forger import Rows, codes, forged
from tests.support.told import json_record_at, opened, prediction_at, told_copy
from veridict.core.codec import TAG_INPUTS, commit
from veridict.core.nouns import NO_REASON, Decision, PredictionRecord
from veridict.ledger.keys import load_or_create_signer
from veridict.ledger.log import Log
from veridict.models.shelf import Shelf
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.services.audit import audit
from veridict.services.demo.tamper import (
    HASH_BYTES,
    TAMPERINGS,
    TILE_WIDTH,
    Copy,
    Tampering,
    tamper_and_audit,
)
from veridict.services.node import Node
from veridict.services.records import (
    ActRecord,
    ModelRecord,
    OutcomesRecord,
    decode,
    encode,
    is_prediction,
)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Never written to, but its chain carries the forgers' anchors."""
    with opened(told_copy(tmp_path_factory.mktemp("told") / "home")) as node:
        yield node


def test_the_untouched_copy_passes(node: Node) -> None:
    honest = Tampering("none", "nothing is altered", "none", lambda copy: None)
    assert tamper_and_audit(node, honest).findings == ()
    assert all(check.passed for check in node.audit())


# -- what is stored is changed ---------------------------------------------------------------


def erase_payload(copy: Copy) -> None:
    copy.sql("DELETE FROM payload WHERE idx = ?", copy.victim)


def damage_payload(copy: Copy) -> None:
    copy.sql("UPDATE payload SET payload = substr(payload, 1, 50) WHERE idx = ?", copy.victim)


def alter_request(copy: Copy) -> None:
    """One byte of the request's content, behind the fixed header and the names."""
    payload = copy.node.log.payload(copy.victim)
    assert payload is not None
    with closing(sqlite3.connect(copy.log_directory / "log.sqlite")) as db, db:
        (data,) = db.execute("SELECT payload FROM payload WHERE idx = ?", (copy.victim,)).fetchone()
        content = payload.request.content
        altered = data.replace(content, content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
        assert altered != data
        db.execute("UPDATE payload SET payload = ? WHERE idx = ?", (altered, copy.victim))


def swap_bodies(copy: Copy) -> None:
    first, second = copy.body(), copy.node.log.body(copy.victim + 1)
    copy.sql("UPDATE record SET body = ? WHERE idx = ?", second, copy.victim)
    copy.sql("UPDATE record SET body = ? WHERE idx = ?", first, copy.victim + 1)


def alter_signature(copy: Copy) -> None:
    with closing(sqlite3.connect(copy.log_directory / "log.sqlite")) as db, db:
        number, note = db.execute("SELECT id, note FROM checkpoint ORDER BY id").fetchone()
        body, _, signature = note.partition("\n\n")
        at = len(signature) // 2
        letter = "A" if signature[at] != "A" else "B"
        altered = f"{body}\n\n{signature[:at]}{letter}{signature[at + 1 :]}"
        db.execute("UPDATE checkpoint SET note = ? WHERE id = ?", (altered, number))


def garble_checkpoint(copy: Copy) -> None:
    copy.sql(
        "UPDATE checkpoint SET note = 'not a note' WHERE id = (SELECT min(id) FROM checkpoint)"
    )


def sign_another_history(copy: Copy) -> None:
    """The log's own key signs a second root of the same size: a fork shown to somebody else."""
    log = copy.node.log
    signer = load_or_create_signer(log.path, log.origin)
    head = log.last_checkpoint()
    assert head is not None
    fork = Checkpoint(log.origin, head.size, bytes(32))
    copy.sql(
        "INSERT INTO checkpoint (size, time_ms, note) VALUES (?, 0, ?)",
        head.size,
        SignedCheckpoint.sign(fork, signer).text,
    )


def truncate(copy: Copy) -> None:
    """Records, payloads, tiles and checkpoints end before the last anchor, as if never written."""
    keep = copy.victim
    with closing(sqlite3.connect(copy.log_directory / "log.sqlite")) as db, db:
        db.execute("DELETE FROM record WHERE idx >= ?", (keep,))
        db.execute("DELETE FROM payload WHERE idx >= ?", (keep,))
        db.execute("DELETE FROM checkpoint")
        tile, place = divmod(keep, TILE_WIDTH)
        db.execute("DELETE FROM tile WHERE level = 0 AND n > ?", (tile,))
        db.execute(
            "UPDATE tile SET hashes = substr(hashes, 1, ?), middle = NULL"
            " WHERE level = 0 AND n = ?",
            (place * HASH_BYTES, tile),
        )


def hide_anchor(copy: Copy) -> None:
    copy.sql("DELETE FROM anchor WHERE size = (SELECT max(size) FROM anchor)")


def backdate_anchor(copy: Copy) -> None:
    copy.sql("UPDATE anchor SET time_s = time_s - 1 WHERE size = (SELECT max(size) FROM anchor)")


def invent_anchor(copy: Copy) -> None:
    copy.sql("UPDATE anchor SET size = size - 1 WHERE size = (SELECT max(size) FROM anchor)")


def alter_annex(copy: Copy) -> None:
    path = copy.shelf.path(copy.model_id, "annex")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def lose_annex(copy: Copy) -> None:
    copy.shelf.path(copy.model_id, "annex").unlink()


def lose_model(copy: Copy) -> None:
    copy.shelf.path(copy.model_id).unlink()


def slip_in_behind(copy: Copy) -> None:
    copy.sql("INSERT INTO record VALUES (?, ?)", copy.node.log.size, copy.body())


def alter_tile(copy: Copy) -> None:
    copy.sql("UPDATE tile SET hashes = zeroblob(length(hashes)) WHERE level = 0 AND n = 0")


def lose_tile(copy: Copy) -> None:
    copy.sql("DELETE FROM tile WHERE level = 0 AND n = 1")


STORED = (
    *TAMPERINGS,
    Tampering("payload", "a payload is cut short", "payload.malformed", damage_payload),
    Tampering("request", "a logged request is altered", "payload.request", alter_request),
    Tampering("order", "two records are swapped", "record.altered", swap_bodies),
    Tampering("signature", "a signature is altered", "checkpoint.signature", alter_signature),
    Tampering("checkpoint", "a checkpoint is garbled", "checkpoint.signature", garble_checkpoint),
    Tampering("fork", "another history is signed too", "log.rewritten", sign_another_history),
    Tampering("truncation", "the log ends before an anchor", "log.truncated", truncate),
    Tampering("hidden", "a noted anchor is removed", "anchor.unnoted", hide_anchor),
    Tampering("backdated", "a noted anchor is backdated", "anchor.altered", backdate_anchor),
    Tampering("invented", "an anchor is made up", "anchor.unknown", invent_anchor),
    Tampering("annex", "one byte of the annex is altered", "annex.altered", alter_annex),
    Tampering("no annex", "the annex is gone", "annex.missing", lose_annex),
    Tampering("no model", "the model is gone", "model.missing", lose_model),
    Tampering("surplus", "a record stands outside the tree", "record.surplus", slip_in_behind),
    Tampering("tile", "the tree's leaves are altered", "record.altered", alter_tile),
    Tampering("no tile", "a part of the tree is gone", "record.altered", lose_tile),
)


@pytest.mark.parametrize("tampering", STORED, ids=lambda tampering: tampering.name)
def test_what_is_changed_in_the_store_is_named(node: Node, tampering: Tampering) -> None:
    caught = tamper_and_audit(node, tampering)
    assert caught.named, [finding.sentence() for finding in caught.findings]


def test_names_of_tamperings_are_distinct() -> None:
    assert len({tampering.name for tampering in STORED}) == len(STORED)


def test_where_says_which_record(node: Node) -> None:
    caught = tamper_and_audit(node, next(t for t in STORED if t.name == "order"))
    places = [finding.where for finding in caught.findings if finding.code == "record.altered"]
    first = int(places[0].removeprefix("record "))
    assert places == [f"record {first}", f"record {first + 1}"]


def test_erased_data_is_lawful(node: Node) -> None:
    assert tamper_and_audit(node, Tampering("erasure", "…", "none", erase_payload)).findings == ()


def test_the_live_log_is_never_touched(node: Node) -> None:
    before = node.log.size, node.log.root(), len(node.log.anchors())
    for tampering in TAMPERINGS:
        tamper_and_audit(node, tampering)
    assert (node.log.size, node.log.root(), len(node.log.anchors())) == before


# -- a whole log in good order, with one lie in it -------------------------------------------


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


def short_inputs(node: Node, rows: Rows) -> Rows:
    index = prediction_at(node)
    body, payload = rows[index]
    assert payload is not None
    inputs = payload.inputs[:-8]
    record = replace(
        PredictionRecord.decode(body), inputs=commit(TAG_INPUTS, payload.inputs_salt, inputs)
    )
    changed = (record.encode(), replace(payload, inputs=inputs))
    return [*rows[:index], changed, *rows[index + 1 :]]


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


def act_on_no_prediction(node: Node, rows: Rows) -> Rows:
    model = json_record_at(node, ModelRecord)
    return [*rows, (encode(ActRecord("release", model, "nobody", "", None, None, 0)), None)]


def act_before_its_prediction(node: Node, rows: Rows) -> Rows:
    act = ActRecord("release", len(rows) + 1, "nobody", "", None, None, 0)
    body, payload = rows[prediction_at(node)]
    count = sum(is_prediction(each) for each, _ in rows)
    later = replace(PredictionRecord.decode(body), sequence=count).encode()
    return [*rows, (encode(act), None), (later, payload)]


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
