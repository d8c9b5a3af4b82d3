"""A keeper changes what is stored: each change is found and named by its own code.

An honest log is not blamed. `test_lies` has the other keeper, whose log is in order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from tests.support.told import opened, told_copy
from veridict.core.ports import Personal
from veridict.ledger.entry import owner_of
from veridict.ledger.keys import load_or_create_signer
from veridict.ledger.payloads import encode_payload
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.services.demo.tamper import (
    HASH_BYTES,
    TAMPERINGS,
    TILE_WIDTH,
    Copy,
    Tampering,
    tamper_and_audit,
)
from veridict.services.node import Node


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


def hide_payload(copy: Copy) -> None:
    copy.sql("DELETE FROM payload WHERE idx = ?", copy.victim)


def damage_payload(copy: Copy) -> None:
    copy.sql("UPDATE payload SET payload = substr(payload, 1, 50) WHERE idx = ?", copy.victim)


def alter_request(copy: Copy) -> None:
    """One byte of the request's content, sealed again under the subject's own key."""
    payload = copy.node.log.payload(copy.victim)
    assert payload is not None
    request = payload.request
    content = request.content[:-2] + bytes([request.content[-2] ^ 1]) + request.content[-1:]
    altered = replace(payload, request=replace(request, content=content))
    with closing(copy.vault()) as vault:
        (sealed,) = vault.seal([Personal(owner_of(payload), request.id, encode_payload(altered))])
    copy.sql(
        "UPDATE payload SET slot = ?, tag = ?, payload = ? WHERE idx = ?",
        sealed.slot,
        sealed.tag,
        sealed.box,
        copy.victim,
    )


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
    Tampering("hidden payload", "a payload is deleted", "payload.missing", hide_payload),
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


def test_the_live_log_is_never_touched(node: Node) -> None:
    before = node.log.size, node.log.root(), len(node.log.anchors())
    for tampering in TAMPERINGS:
        tamper_and_audit(node, tampering)
    assert (node.log.size, node.log.root(), len(node.log.anchors())) == before
