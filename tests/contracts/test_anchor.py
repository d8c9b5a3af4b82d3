"""Anchor: extends or refuses. Every pair of sizes against the reference tree, every revert."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import boa
import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak

from tests.support import trees
from tests.support.contracts import KEY, deploy

LEAVES = [trees.leaf(bytes([i])) for i in range(40)]
EMPTY = trees.root([])


@pytest.fixture
def anchor() -> Any:
    return deploy("Anchor")


def extend(anchor: Any, old: int, new: int, **changes: Any) -> bytes:
    args = {
        "key": KEY,
        "old_size": old,
        "old_root": trees.root(LEAVES[:old]),
        "new_size": new,
        "new_root": trees.root(LEAVES[:new]),
        "proof": trees.consistency(old, LEAVES[:new]) if old < new else [],
    } | changes
    return bytes(anchor.anchor(*args.values()))


def test_a_log_grows_and_every_head_stays_known(anchor: Any) -> None:
    log_id = extend(anchor, 0, 3)
    first = boa.env.timestamp
    boa.env.time_travel(seconds=10)
    assert extend(anchor, 3, 8) == log_id

    assert log_id == keccak(encode(["address", "bytes32"], [boa.env.eoa, KEY]))
    assert log_id == anchor.log_id(boa.env.eoa, KEY)
    assert tuple(anchor.head(log_id)) == (8, first + 10, 2)
    assert anchor.check(log_id, 3, trees.root(LEAVES[:3]), first)
    assert anchor.check(log_id, 8, trees.root(LEAVES[:8]), first + 10)
    assert not anchor.check(log_id, 8, trees.root(LEAVES[:8]), first)
    assert not anchor.check(log_id, 3, trees.root(LEAVES[:8]), first)
    assert not anchor.check(log_id, 5, trees.root(LEAVES[:5]), first)
    assert anchor.commitment(log_id, 3) == keccak(
        encode(["bytes32", "uint256"], [trees.root(LEAVES[:3]), first])
    )


def test_the_event_tells_the_head(anchor: Any) -> None:
    log_id = extend(anchor, 0, 3)
    (event,) = anchor.get_logs()
    assert (event.logId, event.owner, event.key) == (log_id, boa.env.eoa, KEY)
    assert (event.size, event.root, event.time, event.count) == (
        3,
        trees.root(LEAVES[:3]),
        boa.env.timestamp,
        1,
    )


def test_an_unknown_log_has_no_head(anchor: Any) -> None:
    assert tuple(anchor.head(b"\0" * 32)) == (0, 0, 0)
    assert not anchor.check(b"\0" * 32, 0, b"\0" * 32, 0)
    assert not anchor.check(b"\0" * 32, 0, EMPTY, 0)


@pytest.mark.parametrize("old", range(1, 18))
def test_every_extension_up_to_18_leaves(anchor: Any, old: int) -> None:
    extend(anchor, 0, old)
    for new in range(old + 1, 19):
        with boa.env.anchor():
            extend(anchor, old, new)


Defect = Callable[[list[bytes]], list[bytes]]
DEFECTS: dict[str, Defect] = {
    "truncated": lambda p: p[:-1],
    "beheaded": lambda p: p[1:],
    "extended": lambda p: [*p, p[-1]],
    "prefixed": lambda p: [p[0], *p],
    "empty": lambda p: [],
    "reversed": lambda p: p[::-1],
    "first mutated": lambda p: [sha256(p[0]).digest(), *p[1:]],
    "last mutated": lambda p: [*p[:-1], sha256(p[-1]).digest()],
    "too long": lambda p: p + [p[-1]] * (64 - len(p)),
}


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize(("old", "new"), [(3, 7), (6, 8), (7, 18), (4, 11), (17, 33)])
def test_a_broken_proof_is_refused(anchor: Any, defect: str, old: int, new: int) -> None:
    proof = trees.consistency(old, LEAVES[:new])
    broken = DEFECTS[defect](proof)
    extend(anchor, 0, old)
    with boa.reverts("Anchor: not an extension"):
        extend(anchor, old, new, proof=broken)


def test_a_fork_is_refused(anchor: Any) -> None:
    extend(anchor, 0, 5)
    fork = [trees.leaf(b"other"), *LEAVES[1:9]]
    with boa.reverts("Anchor: not an extension"):
        extend(anchor, 5, 9, new_root=trees.root(fork), proof=trees.consistency(5, fork))


def test_the_size_of_another_tree_is_refused(anchor: Any) -> None:
    extend(anchor, 0, 5)
    with boa.reverts("Anchor: not an extension"):
        extend(anchor, 5, 9, new_size=17)


@pytest.mark.parametrize("old", [3, 4])
def test_the_same_root_is_no_longer_log(anchor: Any, old: int) -> None:
    """As an empty proof would have it: more records, and nothing changed."""
    extend(anchor, 0, old)
    with boa.reverts("Anchor: not an extension"):
        extend(anchor, old, 8, new_root=trees.root(LEAVES[:old]), proof=[])


@pytest.mark.parametrize("new", [5, 4])
def test_a_head_that_does_not_grow_is_refused(anchor: Any, new: int) -> None:
    extend(anchor, 0, 5)
    with boa.reverts("Anchor: size does not grow"):
        extend(anchor, 5, new, proof=[])


def test_an_empty_first_head_is_refused(anchor: Any) -> None:
    with boa.reverts("Anchor: size does not grow"):
        extend(anchor, 0, 0)


def test_an_old_head_that_is_not_the_last_is_refused(anchor: Any) -> None:
    with boa.reverts("Anchor: old head differs"):
        extend(anchor, 3, 8)
    extend(anchor, 0, 3)
    extend(anchor, 3, 5)
    for changes in ({}, {"old_size": 4}, {"old_size": 5}, {"old_size": 2**256 - 1}):
        with boa.reverts("Anchor: old head differs"):
            extend(anchor, 3, 8, **changes)
    with boa.reverts("Anchor: old head differs"):
        extend(anchor, 0, 8)


@pytest.mark.parametrize(
    "changes", [{"old_root": b"\0" * 32}, {"proof": [EMPTY]}], ids=["root", "proof"]
)
def test_the_first_head_extends_the_empty_log(anchor: Any, changes: dict[str, Any]) -> None:
    with boa.reverts("Anchor: not an extension"):
        extend(anchor, 0, 3, **changes)


def test_a_size_beyond_64_bits_is_refused(anchor: Any) -> None:
    with boa.reverts("Anchor: size is too large"):
        extend(anchor, 0, 3, new_size=2**64)


def test_logs_of_two_owners_do_not_meet(anchor: Any) -> None:
    extend(anchor, 0, 3)
    other = boa.env.generate_address()
    with boa.env.prank(other):
        mine = extend(anchor, 0, 5)
    assert anchor.head(mine).size == 5
    assert anchor.head(anchor.log_id(boa.env.eoa, KEY)).size == 3


@pytest.mark.parametrize("size", [*range(1, 10), 16, 17, 33])
def test_every_inclusion(anchor: Any, size: int) -> None:
    log_id, leaves = extend(anchor, 0, size), LEAVES[:size]
    head = (log_id, size, trees.root(leaves), boa.env.timestamp)
    for index in range(size):
        proof = trees.inclusion(index, leaves)
        assert anchor.includes(*head, index, leaves[index], proof)
        assert not anchor.includes(*head, index, LEAVES[39], proof)
        assert not anchor.includes(*head, index + size, leaves[index], proof)
        assert not anchor.includes(*head, index, leaves[index], [*proof, EMPTY])
        if proof:
            assert not anchor.includes(*head, index, leaves[index], proof[:-1])
            assert not anchor.includes(*head, index ^ 1, leaves[index], proof)


def test_inclusion_needs_an_anchored_head(anchor: Any) -> None:
    log_id, leaves = extend(anchor, 0, 4), LEAVES[:5]
    proof, root = trees.inclusion(2, leaves), trees.root(leaves)
    assert not anchor.includes(log_id, 5, root, boa.env.timestamp, 2, leaves[2], proof)


def test_a_proof_is_as_long_as_the_claimed_size_demands(anchor: Any) -> None:
    """A first head may claim any size for its root; a smaller tree's proofs do not fit it."""
    leaves = LEAVES[:4]
    log_id = extend(anchor, 0, 8, new_root=trees.root(leaves))
    head = (log_id, 8, trees.root(leaves), boa.env.timestamp)
    for index in range(4):
        assert not anchor.includes(*head, index, leaves[index], trees.inclusion(index, leaves))


def test_a_proof_is_no_longer_than_the_claimed_size_demands(anchor: Any) -> None:
    """Nor do a larger tree's, whose right half would pass for the records of a smaller."""
    leaves = LEAVES[:8]
    log_id = extend(anchor, 0, 4, new_root=trees.root(leaves))
    head = (log_id, 4, trees.root(leaves), boa.env.timestamp)
    for index, true_index in ((i, j) for i in range(4) for j in range(8)):
        proof = trees.inclusion(true_index, leaves)
        assert not anchor.includes(*head, index, leaves[true_index], proof)


@pytest.mark.parametrize(
    ("claimed", "true"), [((3, 4), (7, 8)), ((7, 8), (3, 4)), ((2, 8), (2, 4)), ((2, 4), (2, 8))]
)
def test_an_extension_is_one_between_the_claimed_sizes(
    anchor: Any, claimed: tuple[int, int], true: tuple[int, int]
) -> None:
    """True roots and a true proof, of other sizes than both heads claim."""
    roots = [trees.root(LEAVES[:size]) for size in true]
    proof = trees.consistency(true[0], LEAVES[: true[1]])
    extend(anchor, 0, claimed[0], new_root=roots[0])
    with boa.reverts("Anchor: not an extension"):
        extend(anchor, *claimed, old_root=roots[0], new_root=roots[1], proof=proof)
