"""Cosigners of both algorithms: what they sign, and every way in which a cosignature is false."""

from __future__ import annotations

import pickle

import pytest

from tests.support.tlog import LOG, TIME_S, bodies, cosigned, cosigner, head
from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.cosignature import (
    CosignatureVerifier,
    Cosigner,
    Kind,
    log_verifier,
    time_of,
)
from veridict.proofs.note import Note, Signature, Verifier, verify_note

KINDS = list(Kind)
HEAD = head(bodies(5))


def finding(error: pytest.ExceptionInfo[EvidenceError]) -> object:
    return error.value.facts["finding"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cosignature_verifies_and_says_its_time(kind: Kind) -> None:
    witness = cosigner(1, kind)
    signed = cosigned(HEAD, witness)
    assert verify_note(signed.note, [witness.verifier]) == [witness.verifier]
    assert time_of(signed.note.signatures[1], kind) == TIME_S
    assert signed.verify(LOG.verifier, LOG.name) == HEAD.checkpoint


@pytest.mark.parametrize("kind", KINDS)
def test_keys_survive_their_text(kind: Kind) -> None:
    witness = cosigner(2, kind)
    assert Cosigner.from_skey(witness.skey()).verifier == witness.verifier
    assert CosignatureVerifier.from_vkey(witness.verifier.vkey) == witness.verifier


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("defect", ["size", "root", "origin", "time", "signature", "cut"])
def test_a_changed_cosignature_is_false(kind: Kind, defect: str) -> None:
    witness = cosigner(1, kind)
    mark = witness.sign(HEAD.note.text, TIME_S)
    blob, text = mark.signature, HEAD.note.text
    if defect == "time":
        blob = bytes(7) + b"\x09" + blob[8:]
    elif defect == "signature":
        blob = blob[:-1] + bytes([blob[-1] ^ 1])
    elif defect == "cut":
        blob = blob[:-1]
    else:
        point = HEAD.checkpoint
        text = Checkpoint(
            "example.com/other" if defect == "origin" else point.origin,
            6 if defect == "size" else point.size,
            b"\x07" * 32 if defect == "root" else point.root,
        ).body()
    with pytest.raises(EvidenceError) as error:
        witness.verifier.verify(text, Signature(mark.name, mark.key_id, blob))
    assert finding(error) == "note.signature"


@pytest.mark.parametrize("kind", KINDS)
def test_an_impossible_time_is_refused(kind: Kind) -> None:
    witness = cosigner(1, kind)
    mark = witness.sign(HEAD.note.text, TIME_S)
    late = Signature(mark.name, mark.key_id, b"\xff" * 8 + mark.signature[8:])
    with pytest.raises(EvidenceError, match="impossible time"):
        witness.verifier.verify(HEAD.note.text, late)
    with pytest.raises(BadInput):
        witness.sign(HEAD.note.text, -1)


def test_ml_dsa_covers_no_extension_lines_and_so_refuses_them() -> None:
    text = Checkpoint(LOG.name, 5, HEAD.root, ("more",)).body()
    assert cosigner(1).sign(text, TIME_S)
    with pytest.raises(EvidenceError, match="extension lines"):
        cosigner(1, Kind.ML_DSA_44).sign(text, TIME_S)


def test_ml_dsa_commits_to_the_cosigners_name() -> None:
    witness = cosigner(1, Kind.ML_DSA_44)
    other = CosignatureVerifier(
        "witness.example/other", Kind.ML_DSA_44, witness.verifier.public_key
    )
    mark = witness.sign(HEAD.note.text, TIME_S)
    with pytest.raises(EvidenceError):
        other.verify(HEAD.note.text, Signature(other.name, other.key_id, mark.signature))


def test_names_too_long_for_the_message_are_refused() -> None:
    with pytest.raises(EvidenceError, match="cannot name"):
        cosigner(1, Kind.ML_DSA_44, "w" * 256).sign(HEAD.note.text, TIME_S)


def test_a_log_key_is_ed25519_or_ml_dsa_never_a_cosignature_of_ed25519() -> None:
    assert log_verifier(LOG.verifier.vkey) == LOG.verifier
    own = cosigner(3, Kind.ML_DSA_44, LOG.name)
    assert log_verifier(own.verifier.vkey) == own.verifier
    with pytest.raises(BadInput):
        log_verifier(cosigner(3).verifier.vkey)


def test_a_checkpoint_signed_with_ml_dsa_alone_is_believed_for_its_origin() -> None:
    own = cosigner(3, Kind.ML_DSA_44, LOG.name)
    text = HEAD.note.text
    signed = SignedCheckpoint(Note(text, (own.sign(text, 0),)).encode())
    assert signed.verify(own.verifier, LOG.name) == HEAD.checkpoint


@pytest.mark.parametrize(
    "text",
    ["", "a+b", "name+00000000+AAAA", Verifier("n", b"k" * 32).vkey, "name+zz+" + "A" * 44],
)
def test_other_texts_are_no_cosigner_keys(text: str) -> None:
    with pytest.raises(BadInput):
        CosignatureVerifier.from_vkey(text)
    with pytest.raises(BadInput):
        Cosigner.from_skey(f"PRIVATE+KEY+{text}")


def test_secrets_stay_in_the_process() -> None:
    witness = cosigner(1)
    assert witness.skey().split("+")[-1] not in repr(witness)
    with pytest.raises(TypeError):
        pickle.dumps(witness)
