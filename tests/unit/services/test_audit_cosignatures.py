"""The audit holds stored cosignatures to the witnesses' keys, where a policy names them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.ledger import make_entry, make_signer, make_vault
from tests.support.tlog import TIME_S, bodies, cosigner, head, policy
from veridict.core.nouns import Finding
from veridict.ledger.log import Log
from veridict.proofs.tlog_policy import Policy
from veridict.services.audit.tree import Checkpoints, Tree

SIGNER = make_signer()
W = cosigner(1)


def judged(directory: Path, known: Policy | None) -> tuple[Finding, ...]:
    with Log.open_readonly(directory) as log:
        log.expect_witnesses(known)
        tree = Tree(log, set())
        tree.roots = {size: log.root(size) for size in range(log.size + 1)}
        examined, findings = Checkpoints(log, tree).verdict()
        assert examined == 1
        return findings


def test_a_false_cosignature_is_found_by_whoever_knows_the_witness(tmp_path: Path) -> None:
    known = policy(1, [W])
    with Log.open(tmp_path, signer=SIGNER, vault=make_vault(tmp_path)) as log:
        log.append([make_entry("a")])
        signed = log.checkpoint()
        log.put_cosignatures(signed, [W.sign(signed.note.text, TIME_S)])
    assert judged(tmp_path, known) == ()
    false = signed.with_signatures([W.sign(head(bodies(1)).note.text, TIME_S)])
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as db, db:
        db.execute("UPDATE checkpoint SET note = ?", (false.text,))
    db.close()
    assert judged(tmp_path, None) == ()
    (finding,) = judged(tmp_path, known)
    assert finding.code == "checkpoint.cosignature"
