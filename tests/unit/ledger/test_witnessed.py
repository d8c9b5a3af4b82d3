"""Cosignatures in the log: which records they witness, what they outlive, what is refused."""

from __future__ import annotations

import pytest

from tests.support.kept import Kept
from tests.support.ledger import make_anchor, make_entry, make_signer
from tests.support.tlog import TIME_S, bodies, cosigner, head, policy
from veridict.core.errors import BadInput, NotFound
from veridict.core.nouns import RecordState
from veridict.ledger.verify import check_log
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.cosignature import Cosigner, Kind
from veridict.proofs.note import Signature

SIGNER = make_signer()
W = [cosigner(number) for number in range(1, 4)]
OWN = cosigner(9, Kind.ML_DSA_44, SIGNER.name)


def mark(signed: SignedCheckpoint, witness: Cosigner) -> Signature:
    return witness.sign(signed.note.text, TIME_S)


def test_a_quorum_makes_records_witnessed_between_checkpointed_and_anchored(kept: Kept) -> None:
    with kept.open(signer=SIGNER) as log:
        assert log.witnessed() is None
        log.expect_witnesses(policy(2, W))
        log.append([make_entry("a")])
        signed = log.checkpoint()
        log.append([make_entry("b")])
        log.put_cosignatures(signed, [mark(signed, W[0])])
        assert (log.witnessed(), log.state(0)) == (0, RecordState.CHECKPOINTED)
        whole = log.put_cosignatures(signed, [mark(signed, W[1])])
        assert (log.witnessed(), log.state(0)) == (1, RecordState.WITNESSED)
        assert log.state(1) is RecordState.DURABLE
        assert len(whole.note.signatures) == 3
        assert log.last_checkpoint() == whole
        log.put_anchor(make_anchor(1))
        assert log.state(0) is RecordState.ANCHORED
        log.drop_anchor(make_anchor(1))
        assert log.state(0) is RecordState.WITNESSED
        assert check_log(log) == []


def test_what_was_witnessed_is_so_after_a_restart_for_whoever_has_the_policy(
    kept: Kept,
) -> None:
    with kept.open(signer=SIGNER) as log:
        log.append([make_entry("a")])
        signed = log.checkpoint()
        log.put_cosignatures(signed, [mark(signed, W[0]), mark(signed, W[0])])
        log.append([make_entry("b")])
        log.checkpoint()
    with kept.readonly() as log:
        assert log.state(0) is RecordState.CHECKPOINTED
        log.expect_witnesses(policy(2, W))
        assert log.witnessed() == 0
        log.expect_witnesses(policy(1, W))
        assert log.witnessed() == 1
        assert log.state(0) is RecordState.WITNESSED


def test_a_foreign_checkpoint_is_not_kept(kept: Kept) -> None:
    with kept.open(signer=SIGNER) as log:
        log.append([make_entry("a")])
        log.checkpoint()
        for foreign in (head(bodies(1)), head(bodies(2))):
            with pytest.raises(NotFound):
                log.put_cosignatures(foreign, [mark(foreign, W[0])])


def test_a_second_key_signs_beside_the_first(kept: Kept) -> None:
    with kept.open(signer=SIGNER, also=OWN) as log:
        log.append([make_entry("a")])
        signed = log.checkpoint()
        assert signed.verify(SIGNER.verifier, SIGNER.name) == signed.checkpoint
        assert signed.verify(OWN.verifier, SIGNER.name) == signed.checkpoint
        assert log.checkpoint() == signed
        assert check_log(log) == []


def test_a_second_key_must_be_the_logs_own(kept: Kept) -> None:
    for other in (cosigner(9, Kind.ML_DSA_44), cosigner(9, Kind.ED25519, SIGNER.name)):
        with pytest.raises(BadInput):
            kept.open(signer=SIGNER, also=other)
