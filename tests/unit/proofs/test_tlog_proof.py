"""`.tlog-proof` files, bundles and answers: one fixture a defect, each refused by its name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.ledger import slow_inclusion
from tests.support.tlog import LOG, bodies, cosigned, cosigner, head, policy
from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.add_checkpoint import AddCheckpoint, parse_size
from veridict.proofs.merkle import leaf_hash
from veridict.proofs.note import Signer
from veridict.proofs.tlog_proof import MAX_BYTES, TlogProof
from veridict.proofs.tlog_tiles import TilePath, decode_bundle, encode_bundle

ENTRIES = bodies(9)
PATH = tuple(slow_inclusion(4, ENTRIES))
WITNESS = cosigner(1)
SIGNED = cosigned(head(ENTRIES), WITNESS)
PROOF = TlogProof(4, PATH, SIGNED, b"an extra")
TEXT = PROOF.encode()
KNOWN = policy(1, [WITNESS])
LEAF = leaf_hash(ENTRIES[4])


def test_it_survives_its_text_and_is_believed_for_its_leaf() -> None:
    assert TlogProof.parse(TEXT.encode()) == PROOF
    assert PROOF.verify(LEAF, KNOWN.verify) == SIGNED.checkpoint
    bare = TlogProof(4, PATH, SIGNED)
    assert "extra" not in bare.encode()
    assert TlogProof.parse(bare.encode().encode()) == bare
    empty = TlogProof(4, PATH, SIGNED, b"")
    assert TlogProof.parse(empty.encode().encode()) == empty
    alone = TlogProof(0, (), head(ENTRIES[:1]))
    assert TlogProof.parse(alone.encode().encode()) == alone


MALFORMED = {
    "nothing": "",
    "another version": TEXT.replace("@v1", "@v2"),
    "no header": TEXT.partition("\n")[2],
    "no index": TEXT.replace("index 4\n", ""),
    "an index with a zero in front": TEXT.replace("index 4", "index 04"),
    "a negative index": TEXT.replace("index 4", "index -4"),
    "an index beyond uint64": TEXT.replace("index 4", f"index {2**64}"),
    "an index in other digits": TEXT.replace("index 4", "index ٤"),
    "extra behind the index": TEXT.replace("extra YW4gZXh0cmE=\nindex 4", "index 4\nextra YQ=="),
    "extra twice": TEXT.replace("index 4", "extra YQ==\nindex 4"),
    "extra that is no base64": TEXT.replace("YW4gZXh0cmE=", "YW4gZXh0cmE"),
    "a hash of 31 bytes": TEXT.replace("\n\n", "\n" + "A" * 42 + "==\n\n", 1),
    "a hash in another spelling": TEXT.replace("index 4\n", "index 4\n" + "A" * 42 + "B=\n"),
    "65 hashes": TEXT.replace("index 4\n", "index 4\n" + ("A" * 43 + "=\n") * 65),
    "lines ended as on Windows": TEXT.replace("\n", "\r\n"),
    "too large a file": TEXT + "x" * MAX_BYTES,
}


@pytest.mark.parametrize("defect", MALFORMED)
def test_a_malformed_file_is_refused(defect: str) -> None:
    with pytest.raises(EvidenceError) as error:
        TlogProof.parse(MALFORMED[defect].encode())
    assert error.value.facts["finding"] == "tlog-proof.malformed"


def test_no_text_at_all_is_refused() -> None:
    with pytest.raises(EvidenceError) as error:
        TlogProof.parse(TEXT.encode()[:-1] + b"\xff")
    assert error.value.facts["finding"] == "tlog-proof.malformed"


STRANGER = Signer.generate("example.com/other")
FALSE: dict[str, tuple[TlogProof, bytes, str]] = {
    "another index": (TlogProof(5, PATH, SIGNED), LEAF, "proof.inclusion"),
    "an index beyond the tree": (TlogProof(9, PATH, SIGNED), LEAF, "proof.inclusion"),
    "another record": (PROOF, leaf_hash(b"another"), "proof.inclusion"),
    "another path": (TlogProof(4, (bytes(32), *PATH[1:]), SIGNED), LEAF, "proof.inclusion"),
    "hashes in another order": (TlogProof(4, PATH[::-1], SIGNED), LEAF, "proof.inclusion"),
    "a hash too few": (TlogProof(4, PATH[:-1], SIGNED), LEAF, "proof.inclusion"),
    "a hash too many": (TlogProof(4, (*PATH, bytes(32)), SIGNED), LEAF, "proof.inclusion"),
    "another log": (
        TlogProof(4, PATH, cosigned(head(ENTRIES, STRANGER), WITNESS)), LEAF, "checkpoint.origin"),
    "another key under the log's name": (
        TlogProof(4, PATH, cosigned(head(ENTRIES, Signer.generate(LOG.name)), WITNESS)),
        LEAF, "note.unsigned"),
    "no cosignature": (TlogProof(4, PATH, head(ENTRIES)), LEAF, "policy.quorum"),
    "a cosignature of another head": (
        TlogProof(4, PATH, head(ENTRIES).with_signatures(
            [WITNESS.sign(head(bodies(8)).note.text, 1)])), LEAF, "note.signature"),
    "another head": (TlogProof(4, PATH, cosigned(head(bodies(9, "x")), WITNESS)), LEAF,
                     "proof.inclusion"),
}  # fmt: skip


@pytest.mark.parametrize("defect", FALSE)
def test_a_false_proof_is_refused_by_name(defect: str) -> None:
    proof, leaf, finding = FALSE[defect]
    with pytest.raises(EvidenceError) as error:
        TlogProof.parse(proof.encode().encode()).verify(leaf, KNOWN.verify)
    assert error.value.facts["finding"] == finding


BUNDLES: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 1),
    "an entry too few": (encode_bundle([b"a"]), 2),
    "an entry too many": (encode_bundle([b"a", b"b"]), 1),
    "cut inside a length": (encode_bundle([b"a", b"b"])[:4], 2),
    "cut inside an entry": (encode_bundle([b"a", b"bb"])[:-1], 2),
    "bytes behind the last": (encode_bundle([b"a"]) + b"\x00", 1),
}


@pytest.mark.parametrize("defect", BUNDLES)
def test_a_torn_bundle_is_refused(defect: str) -> None:
    with pytest.raises(EvidenceError) as error:
        decode_bundle(*BUNDLES[defect])
    assert error.value.facts["finding"] == "bundle.malformed"


REFUSED: dict[str, Callable[[], object]] = {
    "an entry over 65,535 bytes": lambda: encode_bundle([bytes(1 << 16)]),
    "level 64": lambda: TilePath(64, 0),
    "a number beyond the level": lambda: TilePath(6, 1 << 8),
    "width 0": lambda: TilePath(0, 0, 0),
    "width 257": lambda: TilePath(0, 0, 257),
    "a path of 22 digits": lambda: TilePath.parse("tile/0/" + "x123/" * 7 + "123"),
    "a proof of 65 hashes": lambda: TlogProof(0, (bytes(32),) * 65, SIGNED),
    "a request of 64 hashes": lambda: AddCheckpoint(0, (bytes(32),) * 64, SIGNED),
    "a request from no uint64": lambda: AddCheckpoint(1 << 64, (), SIGNED),
}


@pytest.mark.parametrize("defect", REFUSED)
def test_values_that_no_file_can_hold_do_not_exist(defect: str) -> None:
    with pytest.raises(BadInput):
        REFUSED[defect]()


@pytest.mark.parametrize(
    "body", [b"", b"5", b"05\n", b"-5\n", b"5\n\n", b"9" * 40 + b"\n", b"\xff\n"]
)
def test_what_is_no_size_is_refused(body: bytes) -> None:
    with pytest.raises(EvidenceError) as error:
        parse_size(body)
    assert error.value.facts["finding"] == "witness.malformed"
