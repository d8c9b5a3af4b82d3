"""Every way a log's keeper could lie about the past, tried on a copy, and what the audit says.

One tampering, one function; each refuses to exist without a title and the
finding that must name it. The live log is never touched: each tampering works
on its own copy, and the audit of the copy asks the same chain.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from veridict.core.nouns import Finding, PredictionRecord
from veridict.ledger.keys import load_or_create_signer
from veridict.ledger.log import Entry, Log
from veridict.ledger.sqlite import FILE as LOG_FILE
from veridict.models.shelf import Shelf
from veridict.privacy.vault import SubjectVault
from veridict.proofs.merkle import leaf_hash
from veridict.services.audit import audit
from veridict.services.node import Node
from veridict.services.records import is_prediction

TILE_WIDTH = 256
HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Copy:
    """A log and a shelf that may be lied in. `victim` is the index of the prediction lied about."""

    directory: Path
    shelf: Shelf
    victim: int
    model_id: bytes
    node: Node

    @property
    def log_directory(self) -> Path:
        return self.directory / "log"

    def sql(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.log_directory / LOG_FILE)) as db, db:
            db.execute(statement, values)

    def vault(self) -> SubjectVault:
        """The node's: a keeper can open what he keeps, and seal lies as well as truths."""
        return self.node.parts.vault.beside()

    def body(self) -> bytes:
        return self.node.log.body(self.victim)


@dataclass(frozen=True, slots=True)
class Tampering:
    """`alter` lies; `caught_as` is the code of the finding that must name it."""

    name: str
    title: str
    caught_as: str
    alter: Callable[[Copy], None]


@dataclass(frozen=True, slots=True)
class Caught:
    tampering: Tampering
    findings: tuple[Finding, ...]

    @property
    def named(self) -> bool:
        return any(finding.code == self.tampering.caught_as for finding in self.findings)


def tamper_and_audit(node: Node, tampering: Tampering) -> Caught:
    """Copy, lie, audit the copy; the findings of all checks."""
    with _copy(node) as copy:
        tampering.alter(copy)
        with closing(Log.open_readonly(copy.log_directory, vault=copy.vault())) as log:
            checks = audit(
                log,
                node.network,
                operator=node.operator,
                shelf=copy.shelf,
                elsewhere=node.fleet.elsewhere(),
            )
    return Caught(tampering, tuple(finding for check in checks for finding in check.findings))


def altered(body: bytes) -> bytes:
    """The record with its score made one hundredth lower: plausible, and false."""
    record = PredictionRecord.decode(body)
    return body[:24] + (record.score - (1 << 25)).to_bytes(8, "big", signed=True) + body[32:]


def alter_record(copy: Copy) -> None:
    copy.sql("UPDATE record SET body = ? WHERE idx = ?", altered(copy.body()), copy.victim)


def alter_anchor(copy: Copy) -> None:
    root = leaf_hash(b"another history")
    copy.sql("UPDATE anchor SET root = ? WHERE size = (SELECT max(size) FROM anchor)", root)


def alter_model(copy: Copy) -> None:
    path = copy.shelf.path(copy.model_id)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def drop_record(copy: Copy) -> None:
    copy.sql("DELETE FROM record WHERE idx = ?", copy.victim)


def alter_inputs(copy: Copy) -> None:
    """Swap the payload of the victim for another's: true data, of somebody else."""
    copy.sql(
        "UPDATE payload SET (slot, tag, payload) ="
        " (SELECT slot, tag, payload FROM payload WHERE idx = ?) WHERE idx = ?",
        copy.victim + 1,
        copy.victim,
    )


def alter_record_and_leaf(copy: Copy) -> None:
    """Mend the tile too, so that body and leaf agree: only the roots can tell."""
    body = altered(copy.body())
    tile, place = divmod(copy.victim, TILE_WIDTH)
    with closing(sqlite3.connect(copy.log_directory / LOG_FILE)) as db, db:
        row = db.execute("SELECT hashes FROM tile WHERE level = 0 AND n = ?", (tile,)).fetchone()
        hashes = bytearray(row[0])
        hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES] = leaf_hash(body)
        db.execute("UPDATE tile SET hashes = ? WHERE level = 0 AND n = ?", (bytes(hashes), tile))
        db.execute("UPDATE record SET body = ? WHERE idx = ?", (body, copy.victim))


def rewrite_and_sign(copy: Copy) -> None:
    """The keeper's own attack: a whole new log around the lie, signed with the log's real key.

    Everything inside agrees with everything else; only the chain remembers.
    """
    original = copy.node.log
    anchors = original.anchors()
    signer = load_or_create_signer(original.path, original.origin)
    shutil.rmtree(copy.log_directory)
    with closing(Log.open(copy.log_directory, signer=signer, vault=copy.vault())) as log:
        for start in range(0, original.size, 4096):
            stop = min(start + 4096, original.size)
            payloads = original.payloads(start, stop)
            bodies = enumerate(original.bodies(start, stop), start)
            log.append(
                [
                    Entry(altered(body) if index == copy.victim else body, payload)
                    for (index, body), payload in zip(bodies, payloads, strict=True)
                ]
            )
        log.checkpoint()
        for anchor in anchors:
            log.put_anchor(anchor)


TAMPERINGS = (
    Tampering("record", "one stored record is altered", "record.altered", alter_record),
    Tampering("anchor", "one noted anchor is altered", "anchor.altered", alter_anchor),
    Tampering("model", "one byte of the model is altered", "model.altered", alter_model),
    Tampering("drop", "one record is dropped", "record.dropped", drop_record),
    Tampering("inputs", "the logged inputs are swapped", "payload.inputs", alter_inputs),
    Tampering(
        "leaf", "a record and its leaf are altered alike", "log.rewritten", alter_record_and_leaf
    ),
    Tampering(
        "history",
        "the keeper rewrites the log and signs it anew",
        "anchor.root-differs",
        rewrite_and_sign,
    ),
)


@contextmanager
def _copy(node: Node) -> Iterator[Copy]:
    with tempfile.TemporaryDirectory(prefix="veridict-tamper-") as temporary:
        directory = Path(temporary)
        node.log.copy_to(directory / "log")
        assert node.issuer is not None, "a log without a model has no victim"
        shelf = Shelf(directory / "models")
        for model_id in node.parts.shelf.ids():
            shelf.put(model_id, *node.parts.shelf.need(model_id))
        yield Copy(directory, shelf, _victim(node.log), node.issuer.model.id, node)


def _victim(log: Log) -> int:
    """A prediction in the middle of what is anchored, with another prediction behind it."""
    anchored = min(anchor.size for anchor in log.anchors())
    for index in range(anchored // 2, anchored - 1):
        if is_prediction(log.body(index)) and is_prediction(log.body(index + 1)):
            return index
    raise AssertionError("the anchored log holds no two predictions in a row")
