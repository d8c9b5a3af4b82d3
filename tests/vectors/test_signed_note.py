"""Known answers for notes and checkpoints: c2sp.org texts and Go's golang.org/x/mod/sumdb/note."""

from __future__ import annotations

import pytest

from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.note import Note, Signer, Verifier, verify_note

# golang.org/x/mod/sumdb/note, note_test.go and package documentation (BSD-3-Clause, The Go Authors)
PETER_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH_VKEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33"
    "WWd1RvMc+QQ=\n"
)
PETER, ENOCH = Verifier.from_vkey(PETER_VKEY), Verifier.from_vkey(ENOCH_VKEY)

# c2sp.org/signed-note and c2sp.org/tlog-checkpoint, the examples in the text
QUASIMODO = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMou"
    "FSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc"
    "yv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)


def test_the_signer_key_gives_the_published_verifier_key() -> None:
    signer = Signer.from_skey(PETER_SKEY)
    assert signer.verifier.vkey == PETER_VKEY
    assert signer.verifier.key_id.hex() == "c74f20a3"
    assert signer.skey() == PETER_SKEY


def test_signing_gives_the_published_note_byte_for_byte() -> None:
    note = Note(TEXT, (Signer.from_skey(PETER_SKEY).sign(TEXT),))
    assert note.encode() == TEXT + "\n" + PETER_LINE


def test_both_published_signatures_verify() -> None:
    note = Note.parse((TEXT + "\n" + PETER_LINE + ENOCH_LINE).encode())
    assert verify_note(note, [PETER, ENOCH]) == [PETER, ENOCH]
    assert verify_note(note, [ENOCH]) == [ENOCH]  # an unknown key is ignored
    with pytest.raises(EvidenceError, match="no known key"):
        verify_note(note, [])


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",  # length
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # algorithm 0x65
    ],
)
def test_published_bad_verifier_keys_are_refused(vkey: str) -> None:
    with pytest.raises(BadInput):
        Verifier.from_vkey(vkey)


def test_every_mangling_of_a_key_is_refused() -> None:
    for key, parse in ((PETER_VKEY, Verifier.from_vkey), (PETER_SKEY, Signer.from_skey)):
        manglings = [key[:i] + chr(ord(key[i]) + 1) + key[i + 1 :] for i in range(len(key))]
        manglings += [key[i:] for i in range(1, len(key))] + [key[:i] for i in range(len(key))]
        for mangled in manglings:
            with pytest.raises(BadInput):
                parse(mangled)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT + "\n",
        TEXT + "\n" + PETER_LINE[:-1],
        "\x01" + TEXT + "\n" + PETER_LINE,
        TEXT + "\n" + PETER_LINE.replace("PeterNeumann", "Bad Name"),
        TEXT + "\n" + PETER_LINE + "Unexpected line.\n",
        TEXT + "\n" + PETER_LINE * 101,
    ],
)
def test_published_malformed_notes_are_refused(text: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        Note.parse(text)
    assert caught.value.facts["finding"] == "note.malformed"


def test_a_false_signature_by_a_known_key_refuses_the_note() -> None:
    forged = PETER_LINE[:60] + "ABCD" + PETER_LINE[60:]
    with pytest.raises(EvidenceError) as caught:
        verify_note(Note.parse(TEXT + "\n" + forged + ENOCH_LINE), [PETER, ENOCH])
    assert caught.value.facts["finding"] == "note.signature"


def test_the_specification_s_note_with_a_blank_line_in_its_text() -> None:
    note = Note.parse(QUASIMODO.encode())
    assert note.text.endswith("sole:\n\ned è subito sera.\n")
    assert [s.name for s in note.signatures] == ["quasimodo.example/salvatore"]
    assert note.encode() == QUASIMODO


def test_the_specification_s_checkpoint() -> None:
    signed = SignedCheckpoint(SOFA)
    assert signed.checkpoint.origin == "example.com/behind-the-sofa"
    assert signed.size == 20852163
    assert signed.root.hex().startswith("0ac5186a91863e8e")
    assert Checkpoint.parse(signed.note.text).body() == signed.note.text
    assert signed.note.signatures[0].key_id.hex() == "033de0ae"
