"""The fast tree and its proofs against the recursive definition of RFC 6962."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ledger import slow_consistency, slow_inclusion, slow_root
from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs import merkle, prover

BODIES = [b"leaf %d" % i for i in range(600)]
LEAVES = merkle.leaf_hashes(BODIES)


def nodes(level: int, index: int) -> bytes:
    return merkle.root_from_leaf_hashes(LEAVES[index << level : (index + 1) << level])


def test_every_root_to_600_is_the_recursive_one() -> None:
    edge = merkle.CompactRange()
    for size in range(600):
        assert edge.root() == slow_root(BODIES[:size])
        edge.append(LEAVES[size])
    assert edge.root() == slow_root(BODIES)


sizes = st.integers(1, 600)


@given(sizes.flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
@settings(max_examples=60, deadline=None)
def test_inclusion_proofs_are_the_rfc_s_and_verify(case: tuple[int, int]) -> None:
    index, size = case
    proof = prover.inclusion_proof(index, size, nodes)
    assert proof == slow_inclusion(index, BODIES[:size])
    merkle.verify_inclusion(index, size, LEAVES[index], proof, slow_root(BODIES[:size]))


@given(sizes.flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))))
@settings(max_examples=60, deadline=None)
def test_consistency_proofs_are_the_rfc_s_and_verify(case: tuple[int, int]) -> None:
    size1, size2 = case
    proof = prover.consistency_proof(size1, size2, nodes)
    assert proof == slow_consistency(size1, BODIES[:size2])
    root1, root2 = slow_root(BODIES[:size1]), slow_root(BODIES[:size2])
    merkle.verify_consistency(size1, size2, root1, root2, proof)


def test_all_pairs_of_small_trees() -> None:
    roots = [slow_root(BODIES[:n]) for n in range(34)]
    for size in range(1, 34):
        for other in range(size):
            proof = prover.inclusion_proof(other, size, nodes)
            merkle.verify_inclusion(other, size, LEAVES[other], proof, roots[size])
            proof = prover.consistency_proof(other + 1, size, nodes)
            merkle.verify_consistency(other + 1, size, roots[other + 1], roots[size], proof)


def test_all_subtrees_of_small_trees() -> None:
    for size in range(1, 26):
        root = slow_root(BODIES[:size])
        for start in range(size):
            for end in range(start + 1, size + 1):
                if not merkle.is_subtree(start, end):
                    with pytest.raises(BadInput):
                        prover.subtree_consistency_proof(start, end, size, nodes)
                    continue
                part = slow_root(BODIES[start:end])
                proof = prover.subtree_consistency_proof(start, end, size, nodes)
                merkle.verify_subtree_consistency(start, end, size, part, root, proof)


@st.composite
def mutated(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """`proof` with one bit flipped, one hash more, less, moved or of another length."""
    kinds = ["insert"] if not proof else ["flip", "insert", "drop", "swap", "cut", "grow"]
    kind = draw(st.sampled_from(kinds))
    at = draw(st.integers(0, max(len(proof) - 1, 0)))
    changed = list(proof)
    if kind == "flip":
        bit = draw(st.integers(0, 255))
        changed[at] = (int.from_bytes(changed[at], "big") ^ (1 << bit)).to_bytes(32, "big")
    elif kind == "insert":
        changed.insert(at, draw(st.sampled_from([*proof, b"\x00" * 32, b""])))
    elif kind == "drop":
        del changed[at]
    elif kind == "swap":
        other = draw(st.integers(0, len(proof) - 1))
        changed[at], changed[other] = changed[other], changed[at]
    elif kind == "cut":
        changed[at] = changed[at][:-1]
    else:
        changed[at] += b"\x00"
    return changed


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_every_mutated_inclusion_proof_fails(data: st.DataObject) -> None:
    size = data.draw(sizes)
    index = data.draw(st.integers(0, size - 1))
    proof = prover.inclusion_proof(index, size, nodes)
    changed = data.draw(mutated(proof))
    if changed == proof:
        return
    with pytest.raises(EvidenceError):
        merkle.verify_inclusion(index, size, LEAVES[index], changed, nodes_root(size))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_every_mutated_consistency_proof_fails(data: st.DataObject) -> None:
    size2 = data.draw(sizes)
    size1 = data.draw(st.integers(1, size2))
    proof = prover.consistency_proof(size1, size2, nodes)
    changed = data.draw(mutated(proof))
    if changed == proof:
        return
    with pytest.raises(EvidenceError):
        merkle.verify_consistency(size1, size2, nodes_root(size1), nodes_root(size2), changed)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_proof_holds_for_its_own_claim_alone(data: st.DataObject) -> None:
    size = data.draw(sizes)
    index = data.draw(st.integers(0, size - 1))
    claim = (index, size, index)
    other = (
        data.draw(st.integers(-1, 601)), data.draw(st.integers(0, 601)),
        data.draw(st.integers(0, 599)),
    )  # fmt: skip
    one_off = [other[0], claim[1], claim[2]], [claim[0], claim[1], other[2]], list(other)
    proof, root = prover.inclusion_proof(index, size, nodes), nodes_root(size)
    for at, of, leaf in one_off:
        if (at, leaf) == (index, index):
            continue
        with pytest.raises(EvidenceError):
            merkle.verify_inclusion(at, of, LEAVES[leaf], proof, root)


hashes = st.binary(min_size=30, max_size=33) | st.sampled_from(LEAVES[:4])
numbers = st.integers(-2, 2**65)


@given(numbers, numbers, hashes, st.lists(hashes, max_size=70), hashes)
@settings(max_examples=300, deadline=None)
def test_noise_is_refused_and_nothing_else(
    a: int, b: int, leaf: bytes, proof: list[bytes], root: bytes
) -> None:
    checks: tuple[Callable[[], None], ...] = (
        lambda: merkle.verify_inclusion(a, b, leaf, proof, root),
        lambda: merkle.verify_consistency(a, b, leaf, root, proof),
        lambda: merkle.verify_subtree_inclusion(a, min(a, b), b, leaf, proof, root),
        lambda: merkle.verify_subtree_consistency(a, b, b + 1, leaf, root, proof),
    )
    trivial = leaf == root or (a == b and leaf == merkle.EMPTY_ROOT)
    for check in checks:
        try:
            check()
        except EvidenceError:
            continue
        assert trivial, "noise was accepted"


def test_the_compact_range_keeps_one_node_a_bit() -> None:
    edge = merkle.CompactRange()
    for size, leaf in enumerate(LEAVES, 1):
        edge.append(leaf)
        assert len(edge.nodes) == size.bit_count()


def nodes_root(size: int) -> bytes:
    return prover.range_root(0, size, nodes)
