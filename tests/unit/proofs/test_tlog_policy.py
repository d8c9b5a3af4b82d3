"""Policies: quorums over groups, and every defect of a file refused by its line."""

from __future__ import annotations

import pytest

from tests.support.tlog import LOG, bodies, cosigned, cosigner, head, policy, policy_text
from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.cosignature import CosignatureVerifier, Kind
from veridict.proofs.note import Signature, Signer
from veridict.proofs.tlog_policy import Policy

W = [cosigner(number) for number in range(1, 4)]
HEAD = head(bodies(5))
KEYS = [witness.verifier.vkey for witness in W]


def refused(signed: SignedCheckpoint, known: Policy) -> object:
    with pytest.raises(EvidenceError) as error:
        known.verify(signed)
    return error.value.facts["finding"]


def test_k_of_n_counts_different_witnesses() -> None:
    two = policy(2, W)
    assert two.verify(cosigned(HEAD, W[0], W[2])) == HEAD.checkpoint
    assert not two.satisfied(cosigned(HEAD, W[1]))
    twice = cosigned(HEAD, W[1]).with_signatures([W[1].sign(HEAD.note.text, 5)])
    assert not two.satisfied(twice)  # one witness at two times is one witness
    assert refused(twice, two) == "policy.quorum"


def test_witnesses_of_both_algorithms_count_alike() -> None:
    mixed = [W[0], cosigner(2, Kind.ML_DSA_44)]
    assert policy(2, mixed).satisfied(cosigned(HEAD, *mixed))


def test_nested_groups() -> None:
    text = (
        f"log {LOG.verifier.vkey}\nwitness a {KEYS[0]}\nwitness b {KEYS[1]}\nwitness c {KEYS[2]}\n"
        "group inner any b c\ngroup outer all a inner\nquorum outer\n"
    )
    nested = Policy.parse(text.encode())
    assert nested.satisfied(cosigned(HEAD, W[0], W[2]))
    assert not nested.satisfied(cosigned(HEAD, W[1], W[2]))


def test_the_log_itself_must_have_signed() -> None:
    stranger = Signer.generate(LOG.name)
    forged = cosigned(head(bodies(5), stranger), *W)
    assert refused(forged, policy(2, W)) == "note.unsigned"
    other = Signer.generate("example.com/other")
    assert refused(cosigned(head(bodies(5), other), *W), policy(2, W)) == "checkpoint.origin"
    no_logs = Policy.parse(b"quorum none\n")
    assert refused(HEAD, no_logs) == "note.unsigned"
    assert no_logs.verify(HEAD, [LOG.verifier]) == HEAD.checkpoint


def test_a_false_cosignature_of_a_known_witness_refuses_the_checkpoint() -> None:
    other = W[2].sign(head(bodies(6)).note.text, 5)  # a cosignature of another head
    lied = cosigned(HEAD, W[0], W[1]).with_signatures([other])
    assert refused(lied, policy(2, W)) == "note.signature"
    assert not policy(2, W).satisfied(lied)
    unknown = Signature("witness.example/x", b"abcd", b"junk")
    assert policy(2, W).satisfied(cosigned(HEAD, W[0], W[1]).with_signatures([unknown]))


def test_a_policy_survives_its_text() -> None:
    known = Policy.parse(policy_text(2, W, ["http://127.0.0.1:1/"]).encode())
    assert Policy.parse(known.encode()) == known
    assert known.witnesses[0].url == "http://127.0.0.1:1/"


def test_spacing_comments_and_odd_names_are_read() -> None:
    name = b"K\xe2\x84\xaa\x80"
    text = b"\n# comment\n\t # more\n\twitness \t" + name + b"  " + KEYS[0].encode() + b" u  \n"
    known = Policy.parse(text + b"  quorum\t" + name)
    assert known.satisfied(cosigned(HEAD, W[0]))
    assert Policy.parse(known.encode()) == known


W1 = f"witness w1 {KEYS[0]}\n"
IMPOSTOR = CosignatureVerifier("impostor", Kind.ED25519, W[0].verifier.public_key).vkey
DEFECTS = {
    "a control character": "quorum none\n\x01",
    "a carriage return": "quorum none\r\n",
    "an unknown word": "quibble w1\nquorum none\n",
    "a comment at a line's end": f"witness w1 {KEYS[0]} http://u # c\nquorum w1\n",
    "a log without key": "log\nquorum none\n",
    "a log with a witness's key": f"log {KEYS[0]}\nquorum none\n",
    "a log twice": f"log {LOG.verifier.vkey}\nlog {LOG.verifier.vkey} u\nquorum none\n",
    "a witness without key": "witness w1\nquorum none\n",
    "a witness with a log's key": f"witness w1 {LOG.verifier.vkey}\nquorum w1\n",
    "a witness called none": f"witness none {KEYS[0]}\nquorum none\n",
    "a name twice": W1 + f"witness w1 {KEYS[1]}\nquorum w1\n",
    "a key twice under two names": W1 + f"witness w2 {IMPOSTOR}\nquorum w1\n",
    "a group called as a witness": W1 + "group w1 any w1\nquorum w1\n",
    "a group without members": W1 + "group g 1\nquorum w1\n",
    "a threshold of none": W1 + "group g 0 w1\nquorum g\n",
    "a negative threshold": W1 + "group g -1 w1\nquorum g\n",
    "a threshold above the members": W1 + "group g 2 w1\nquorum g\n",
    "an unknown member": W1 + "group g any w2\nquorum g\n",
    "a member defined below": f"group g any w1\n{W1}quorum g\n",
    "none as a member": W1 + "group g any none\nquorum g\n",
    "a member twice in a group": W1 + "group g all w1 w1\nquorum g\n",
    "a member of two groups": W1 + "group g any w1\ngroup h any w1\nquorum g\n",
    "no quorum": W1,
    "two quorums": W1 + "quorum w1\nquorum w1\n",
    "an unknown quorum": "quorum w1\n",
    "a quorum defined below": f"quorum w1\n{W1}",
    "a quorum without name": "quorum\n",
    "too large a file": "#" * (1 << 20) + "\nquorum none\n",
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defective_policy_is_refused_by_its_line(defect: str) -> None:
    with pytest.raises(BadInput, match="of the policy"):
        Policy.parse(DEFECTS[defect].encode())
