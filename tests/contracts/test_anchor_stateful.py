"""Anchor against a Python model of logs: every true extension is accepted, all else refused."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import boa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support import trees
from tests.support.contracts import deploy

DEFECTS = ("truncate", "extend", "mutate", "swap", "empty")


class Logs(RuleBasedStateMachine):
    """Two keys of one owner; the model is the list of leaves that each has anchored."""

    @initialize()
    def begin(self) -> None:
        self.scope = boa.env.anchor()
        self.scope.__enter__()
        self.anchor: Any = deploy("Anchor")
        self.leaves: dict[bytes, list[bytes]] = {b"a" * 32: [], b"b" * 32: []}
        self.heads: dict[bytes, list[tuple[int, bytes, int]]] = {k: [] for k in self.leaves}

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            self.scope.__exit__(None, None, None)

    keys = st.sampled_from([b"a" * 32, b"b" * 32])
    more = st.lists(st.binary(max_size=2), min_size=1, max_size=9)

    def submit(self, key: bytes, old: int, tree: list[bytes], proof: list[bytes]) -> Any:
        old_root = trees.root(self.leaves[key][:old])
        return self.anchor.anchor(key, old, old_root, len(tree), trees.root(tree), proof)

    def grown(self, key: bytes, bodies: list[bytes]) -> list[bytes]:
        return self.leaves[key] + [trees.leaf(body) for body in bodies]

    @rule(key=keys, bodies=more, wait=st.integers(0, 100))
    def extension(self, key: bytes, bodies: list[bytes], wait: int) -> None:
        boa.env.time_travel(seconds=wait)
        tree, old = self.grown(key, bodies), len(self.leaves[key])
        self.submit(key, old, tree, trees.consistency(old, tree))
        self.leaves[key] = tree
        self.heads[key].append((len(tree), trees.root(tree), boa.env.timestamp))

    @precondition(lambda self: any(self.leaves.values()))
    @rule(key=keys, bodies=more, at=st.integers(0, 10**6))
    def fork(self, key: bytes, bodies: list[bytes], at: int) -> None:
        old = len(self.leaves[key])
        if not old:
            return
        tree = self.grown(key, bodies)
        tree[at % old] = trees.leaf(b"rewritten")
        with boa.reverts("Anchor: not an extension"):
            self.submit(key, old, tree, trees.consistency(old, tree))

    @rule(key=keys, size=st.integers(0, 10**6))
    def rollback(self, key: bytes, size: int) -> None:
        old = len(self.leaves[key])
        tree = self.leaves[key][: size % (old + 1)]
        with boa.reverts("Anchor: size does not grow"):
            self.submit(key, old, tree, [])

    @rule(key=keys, bodies=more, size=st.integers(0, 10**6))
    def older_head(self, key: bytes, bodies: list[bytes], size: int) -> None:
        """A true extension, but of a head before the last: the start of a second history."""
        if not self.leaves[key]:
            return
        old = size % len(self.leaves[key])
        tree = self.grown(key, bodies)
        with boa.reverts("Anchor: old head differs"):
            self.submit(key, old, tree, trees.consistency(old, tree))

    @rule(key=keys, bodies=more, defect=st.sampled_from(DEFECTS), at=st.integers(0, 10**6))
    def broken_proof(self, key: bytes, bodies: list[bytes], defect: str, at: int) -> None:
        old, tree = len(self.leaves[key]), self.grown(key, bodies)
        proof = trees.consistency(old, tree)
        broken = _break(proof, defect, at)
        if broken == proof:
            return
        with boa.reverts("Anchor: not an extension"):
            self.submit(key, old, tree, broken)

    @precondition(lambda self: any(self.heads.values()))
    @rule(key=keys, head=st.integers(0, 10**6), at=st.integers(0, 10**6), claim=st.integers(0, 70))
    def inclusion(self, key: bytes, head: int, at: int, claim: int) -> None:
        """A record's true proof, shown for some place under some head ever anchored."""
        if not self.heads[key]:
            return
        size, root, time = self.heads[key][head % len(self.heads[key])]
        leaves, index = self.leaves[key][:size], at % size
        claimed = claim % (2 * size)
        log_id = self.anchor.log_id(boa.env.eoa, key)
        proof = trees.inclusion(index, leaves)
        where = (log_id, size, root, time)
        assert self.anchor.includes(*where, index, leaves[index], proof)
        assert not self.anchor.includes(*where, index, leaves[index], [*proof, root])
        assert not self.anchor.includes(*where, index, trees.leaf(b"never logged"), proof)
        assert not self.anchor.includes(log_id, size, root, time - 1, index, leaves[index], proof)
        if claimed != index:
            assert not self.anchor.includes(*where, claimed, leaves[index], proof)

    @invariant()
    def every_head_is_known(self) -> None:
        if not hasattr(self, "anchor"):
            return
        for key, heads in self.heads.items():
            log_id = self.anchor.log_id(boa.env.eoa, key)
            size, _, time = heads[-1] if heads else (0, b"", 0)
            assert tuple(self.anchor.head(log_id)) == (size, time, len(heads))
            for size, root, time in heads[-2:]:
                assert self.anchor.check(log_id, size, root, time)


def _break(proof: list[bytes], defect: str, at: int) -> list[bytes]:
    if defect == "extend" or not proof:
        return [*proof, b"\0" * 32]
    i = at % len(proof)
    if defect == "truncate":
        return proof[:i]
    if defect == "mutate":
        return [*proof[:i], sha256(proof[i]).digest(), *proof[i + 1 :]]
    if defect == "swap":
        return [*proof[i:], *proof[:i]]
    return []


TestLogs = Logs.TestCase
TestLogs.settings = settings(max_examples=10, stateful_step_count=15)
