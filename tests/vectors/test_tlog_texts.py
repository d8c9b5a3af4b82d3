"""Known answers: the examples of the C2SP texts, and messages of other implementations of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.add_checkpoint import AddCheckpoint, encode_cosignatures, parse_cosignatures
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.cosignature import (
    CosignatureVerifier,
    Kind,
    log_verifier,
    signed_message,
    time_of,
)
from veridict.proofs.merkle import verify_consistency
from veridict.proofs.note import Verifier
from veridict.proofs.tlog_policy import Policy
from veridict.proofs.tlog_proof import TlogProof
from veridict.proofs.tlog_tiles import TilePath, hashes_at, paths_between

HERE = Path(__file__).parent / "tlog"

# c2sp.org/tlog-cosignature, the example of the text
COSIGNED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc"
    "yv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3"
    "b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
# c2sp.org/tlog-witness, the two examples of the text
REQUEST = (
    "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
    "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
    "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n"
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc"
    "yv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/"
    "V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n"
)
REPLY = (
    "— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQL"
    "rdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==\n"
    "— witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+"
    "DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==\n"
    "— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7n"
    "C3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==\n"
)
# github.com/FiloSottile/torchwood, internal/witness/witness_test.go: three heads of one log
RACE_ORIGIN = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
RACE_KEY = "ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f"
RACE = (
    ("old 0\n", "1\nKgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
     "UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY="),
    ("old 1\nKgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
     "KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
     "3\nRcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=\n",
     "UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go="),
    ("old 1\nKgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
     "+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=\nKgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
     "5\nQrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=\n",
     "UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww="),
)  # fmt: skip


def race_requests() -> list[AddCheckpoint]:
    return [
        AddCheckpoint.parse(f"{old}\n{RACE_ORIGIN}\n{head}\n— {RACE_ORIGIN} {signature}\n".encode())
        for old, head, signature in RACE
    ]


def test_the_texts_path_of_tile_1234067_and_its_tree_of_70000() -> None:
    assert TilePath(0, 1234067).text == "tile/0/x001/x234/067"
    assert TilePath.parse("tile/entries/x001/x234/067.p/8") == TilePath(None, 1234067, 8)
    tiles = [path for path in paths_between(0, 70_000) if path.level is not None]
    full = [sum(p.level == level and p.width == 256 for p in tiles) for level in (0, 1, 2)]
    partial = [
        [p.width for p in tiles if p.level == level and p.width < 256] for level in (0, 1, 2)
    ]
    assert full == [273, 1, 0]
    assert partial == [[112], [17], [1]]
    assert [p.text for p in paths_between(0, 256)] == [
        "tile/entries/000",
        "tile/0/000",
        "tile/1/000.p/1",
    ]
    assert hashes_at(2, 70_000) == 1


def test_the_texts_cosignature_says_its_time_and_signs_the_texts_message() -> None:
    signed = SignedCheckpoint(COSIGNED)
    witness = signed.note.signatures[1]
    assert time_of(witness, Kind.ED25519) == 1679315147
    assert signed_message(Kind.ED25519, "any", 1679315147, signed.note.text) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_the_texts_subtree_message_field_by_field() -> None:
    message = signed_message(Kind.ML_DSA_44, "w", 7, SignedCheckpoint(COSIGNED).note.text)
    origin = b"example.com/behind-the-sofa"
    assert message == b"".join(
        (
            b"subtree/v1\n\x00", b"\x01w", (7).to_bytes(8, "big"),
            bytes([len(origin)]), origin, bytes(8), (20852163).to_bytes(8, "big"),
            SignedCheckpoint(COSIGNED).root,
        )
    )  # fmt: skip


def test_the_texts_messages_between_log_and_witness_survive_unchanged() -> None:
    request = AddCheckpoint.parse(REQUEST.encode())
    assert (request.old_size, len(request.proof), request.checkpoint.size) == (
        20852014,
        4,
        20852163,
    )
    assert request.encode() == REQUEST.encode()
    signatures = parse_cosignatures(REPLY.encode())
    assert [s.name for s in signatures] == ["witness.example/w1"] * 2 + ["witness.example/w2"]
    assert encode_cosignatures(list(signatures)) == REPLY.encode()


def test_another_implementations_ml_dsa_signature_verifies() -> None:
    key = log_verifier((HERE / "mldsa_log.vkey").read_text().strip())
    assert isinstance(key, CosignatureVerifier)
    assert key.key_id.hex() == "b5df45c5"
    request = AddCheckpoint.parse((HERE / "mldsa_log.request").read_bytes())
    assert request.checkpoint.verify(key, "example.com/mldsa-log").size == 1
    assert time_of(request.checkpoint.note.signatures[0], key.kind) == 0


def test_another_implementations_ml_dsa_signature_refuses_another_size() -> None:
    key = log_verifier((HERE / "mldsa_log.vkey").read_text().strip())
    text = (HERE / "mldsa_log.request").read_text().removeprefix("old 0\n\n")
    with pytest.raises(EvidenceError, match="does not fit"):
        SignedCheckpoint(text.replace("\n1\n", "\n2\n", 1)).verify(key, "example.com/mldsa-log")


def test_another_implementations_heads_and_consistency_proofs_verify() -> None:
    key = Verifier(RACE_ORIGIN, bytes.fromhex(RACE_KEY))
    first, third, fifth = race_requests()
    for request in (first, third, fifth):
        request.checkpoint.verify(key, RACE_ORIGIN)
    for later in (third, fifth):
        verify_consistency(
            1, later.checkpoint.size, first.checkpoint.root, later.checkpoint.root, later.proof
        )
    with pytest.raises(EvidenceError):
        verify_consistency(1, 5, first.checkpoint.root, fifth.checkpoint.root, third.proof)


def test_published_verifier_keys_of_witnesses_are_read() -> None:
    # github.com/transparency-dev/formats, note/note_cosigv1_test.go: a witness that runs
    vkey = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
    verifier = CosignatureVerifier.from_vkey(vkey)
    assert (verifier.kind, verifier.vkey) == (Kind.ED25519, vkey)
    with pytest.raises(BadInput):
        CosignatureVerifier.from_vkey(vkey.replace("da77ade7", "00000000"))


def test_the_texts_proof_is_read_but_for_what_it_elides() -> None:
    head = COSIGNED.split("\n\n")[0]
    text = (
        "c2sp.org/tlog-proof@v1\nextra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6\nindex 73894\n"
        "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"
        "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n\n" + COSIGNED
    )
    proof = TlogProof.parse(text.encode())
    assert proof.extra == b"age-v1.2.1-darwin-arm64.tar.gz"
    assert (proof.index, len(proof.hashes)) == (73894, 2)
    assert proof.checkpoint.note.text == head + "\n"
    assert proof.encode() == text


def test_the_texts_policy_with_two_levels_of_groups() -> None:
    def key(name: str, number: int) -> str:
        return CosignatureVerifier(name, Kind.ED25519, bytes([number]) * 32).vkey

    text = f"""
log {Verifier("example.com/log", b"l" * 32).vkey}

witness X1 {key("x1", 1)}
witness X2 {key("x2", 2)}
witness X3 {key("x3", 3)}
group X-witnesses 2 X1 X2 X3

witness Y1 {key("y1", 4)}
witness Y2 {key("y2", 5)}
witness Y3 {key("y3", 6)}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
    policy = Policy.parse(text.encode())
    assert [group.threshold for group in policy.groups] == [2, 1, 2]
    assert Policy.parse(policy.encode()) == policy
