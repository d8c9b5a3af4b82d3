"""What notes and checkpoints refuse, one fixture a defect."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.support.ledger import make_signer
from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.merkle import EMPTY_ROOT
from veridict.proofs.note import MAX_NOTE_BYTES, Note, Signer, Verifier, verify_note

SIGNER = make_signer()
ROOT = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU="


@pytest.mark.parametrize(
    "body",
    [
        "",
        "log\n7\n",
        f"log\n7\n{ROOT}",
        f"\n7\n{ROOT}\n",
        f"log\n07\n{ROOT}\n",
        f"log\n+7\n{ROOT}\n",
        f"log\n-7\n{ROOT}\n",
        f"log\n7 \n{ROOT}\n",
        f"log\n٧\n{ROOT}\n",
        f"log\n{2**64}\n{ROOT}\n",
        f"log\n{'9' * 5000}\n{ROOT}\n",
        f"log\n0\n{ROOT}\n",
        f"log\n7\n{ROOT[:-4]}\n",
        f"log\n7\n{ROOT[:-1]}\n",
        f"log\n7\n{ROOT[:-2]}V=\n",
        f"log\n7\n{ROOT.replace('B', '_')}\n",
        f"log\n7\n{ROOT}\n\n",
        f"log\n7\n{ROOT}\nextension\n\nanother\n",
        f"log\r\n7\r\n{ROOT}\r\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(body: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        Checkpoint.parse(body)
    assert caught.value.facts["finding"] == "checkpoint.malformed"


def test_extensions_and_the_empty_tree_are_read() -> None:
    assert Checkpoint.parse(f"log\n7\n{ROOT}\none\ntwo\n").extensions == ("one", "two")
    empty = Checkpoint("log", 0, EMPTY_ROOT)
    assert Checkpoint.parse(empty.body()) == empty


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [("", 7, bytes(32)), ("a\nb", 7, bytes(32)), ("a", -1, bytes(32)), ("a", 1, bytes(31))],
)
def test_a_checkpoint_that_exists_is_valid(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(BadInput):
        Checkpoint(origin, size, root)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    signed = SignedCheckpoint.sign(Checkpoint("one", 7, bytes(32)), SIGNER)
    with pytest.raises(EvidenceError) as caught:
        signed.verify(SIGNER.verifier, "other")
    assert caught.value.facts["finding"] == "checkpoint.origin"


def test_a_signature_does_not_move_to_another_text() -> None:
    signature = SIGNER.sign("one\n")
    with pytest.raises(EvidenceError) as caught:
        verify_note(Note("two\n", (signature,)), [SIGNER.verifier])
    assert caught.value.facts["finding"] == "note.signature"


def test_a_key_of_the_same_name_is_another_key() -> None:
    impostor = Signer.generate(SIGNER.name)
    with pytest.raises(EvidenceError) as caught:
        verify_note(Note("one\n", (impostor.sign("one\n"),)), [SIGNER.verifier])
    assert caught.value.facts["finding"] == "note.unsigned"


def test_sixteen_signatures_of_post_quantum_size_are_accepted() -> None:
    line = SIGNER.sign("one\n").line()
    large = line.replace("— PeterNeumann ", "— pq.example ")[:-1].rstrip("=")
    long = large[: large.index(" ", 2) + 1] + "A" * 6800 + "\n"
    note = Note.parse("one\n\n" + long * 15 + line)
    assert verify_note(note, [SIGNER.verifier]) == [SIGNER.verifier]


@pytest.mark.parametrize(
    "text",
    [
        "one\n\n" + "— a AAAA\n",  # no room for a signature behind the key id
        "one\n\n" + "— a AAAAAAAA==\n",
        "one\n\n" + "— a AAAAA AAA\n",
        "one\n\n" + "- a AAAAAAAA\n",
        "one\n\n" + "— a+b AAAAAAAA\n",
        "one\n\n" + "— a\u00a0b AAAAAAAA\n",
        "one\n\n" + "—  AAAAAAAA\n",
        "one\r\n\r\n— a AAAAAAAA\r\n",
        "one\n\n" + "— a AAAAAAAA\n" * 65,
        "\n\n\n",
        "x" * MAX_NOTE_BYTES + "\n\n— a AAAAAAAA\n",
        "\ud800\n\n— a AAAAAAAA\n",
    ],
)
def test_a_malformed_note_is_refused(text: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        Note.parse(text)
    assert caught.value.facts["finding"] == "note.malformed"


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "cr\r\n"])
def test_a_text_that_no_note_can_hold_is_not_signed(text: str) -> None:
    with pytest.raises(BadInput):
        SIGNER.sign(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b"])
def test_a_name_that_no_line_can_hold_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        Verifier(name, bytes(32))


def test_the_log_s_name_on_chain_is_the_hash_of_its_key_text() -> None:
    text = b"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert SIGNER.verifier.vkey_hash == sha256(text).digest()
