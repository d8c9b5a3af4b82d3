"""The log against a list: any order of appends, failures, signings, anchors and reopenings."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import Future
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.kept import Kept
from tests.support.ledger import make_anchor, make_payload, make_vault, slow_inclusion, slow_root
from tests.support.postgres import Server
from veridict.core.errors import BadInput
from veridict.core.nouns import Anchor, Payload, RecordState
from veridict.ledger.entry import Entry
from veridict.ledger.log import Appended, Log
from veridict.ledger.verify import check_log

bodies = st.binary(min_size=1, max_size=40)
batches = st.lists(st.tuples(bodies, st.booleans()), min_size=1, max_size=300)


class LogMachine(RuleBasedStateMachine):
    """`bodies` and `payloads` are what the log must hold.

    With a server, two writers share the log, and every rule runs in one or the other.
    """

    def __init__(self, server: Server | None = None) -> None:
        super().__init__()
        self.server = server

    @initialize()
    def start(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        store = self.server.new_place() if self.server else None
        names = ("a", "b") if self.server else ("a",)
        self.kept = [Kept(self.directory / name, store) for name in names]
        self.bodies: list[bytes] = []
        self.payloads: list[Payload | None] = []
        self.heads: list[tuple[int, bytes]] = []
        self.anchors: list[Anchor] = []
        self.logs = [self.opened(kept) for kept in self.kept]
        self.turn = 0

    def opened(self, kept: Kept) -> Log:
        return kept.open(vault=make_vault(self.directory))

    @property
    def log(self) -> Log:
        return self.logs[self.turn]

    @rule()
    def change_writer(self) -> None:
        self.turn = (self.turn + 1) % len(self.logs)

    def entries(self, batch: list[tuple[bytes, bool]]) -> list[Entry]:
        """Entries for `batch`, which the model counts as appended."""
        made = []
        for body, with_payload in batch:
            payload = make_payload(f"r{len(self.bodies)}") if with_payload else None
            self.bodies.append(body)
            self.payloads.append(payload)
            made.append(Entry(body, payload))
        return made

    @rule(batch=batches)
    def append(self, batch: list[tuple[bytes, bool]]) -> None:
        first = len(self.bodies)
        assert self.log.append(self.entries(batch)) == Appended(first, len(batch))

    @rule(many=st.lists(batches, min_size=2, max_size=4))
    def submit(self, many: list[list[tuple[bytes, bool]]]) -> None:
        """One caller's submissions keep their order."""
        waiting: list[tuple[Future[Appended], Appended]] = []
        for batch in many:
            expected = Appended(len(self.bodies), len(batch))
            waiting.append((self.log.submit(self.entries(batch)), expected))
        for future, expected in waiting:
            assert future.result() == expected

    @rule(body=bodies)
    def refuse(self, body: bytes) -> None:
        try:
            self.log.append([Entry(body), Entry(b"")])
        except BadInput:
            return
        raise AssertionError("an empty body was logged")

    @rule()
    def checkpoint(self) -> None:
        head = self.log.checkpoint()
        assert (head.size, head.root) == (len(self.bodies), slow_root(self.bodies))
        if (head.size, head.root) not in self.heads:
            self.heads.append((head.size, head.root))

    @rule(block=st.integers(1, 5))
    @precondition(lambda self: self.bodies)
    def anchor(self, block: int) -> None:
        anchor = make_anchor(len(self.bodies), block=block)
        self.anchors = [a for a in self.anchors if a.size != anchor.size] + [anchor]
        self.log.put_anchor(anchor)

    @rule(data=st.data())
    @precondition(lambda self: self.anchors)
    def reorganise(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(self.anchors))
        self.anchors.remove(gone)
        assert self.log.drop_anchor(gone)

    @rule()
    def reopen(self) -> None:
        self.log.close()
        self.logs[self.turn] = self.opened(self.kept[self.turn])

    @rule(data=st.data())
    @precondition(lambda self: self.bodies)
    def read(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(1, len(self.bodies)))
        index = data.draw(st.integers(0, size - 1))
        assert self.log.body(index) == self.bodies[index]
        assert self.log.payload(index) == self.payloads[index]
        assert list(self.log.bodies(index, size)) == self.bodies[index:size]
        assert list(self.log.payloads(index, size)) == self.payloads[index:size]
        assert self.log.root(size) == slow_root(self.bodies[:size])
        assert self.log.inclusion_proof(index, size) == slow_inclusion(index, self.bodies[:size])
        found = self.log.find_request(f"r{index}")
        assert found == (index if self.payloads[index] else None)
        assert self.log.state(index, {1: 2}) is self.state_of(index)

    def state_of(self, index: int) -> RecordState:
        blocks = [a.block_number for a in self.anchors if a.size > index]
        if blocks:
            return RecordState.FINAL if min(blocks) <= 2 else RecordState.ANCHORED
        signed = any(size > index for size, _ in self.heads)
        return RecordState.CHECKPOINTED if signed else RecordState.DURABLE

    @invariant()
    def same_size(self) -> None:
        assert self.log.size == len(self.bodies)
        assert self.log.anchors() == sorted(self.anchors, key=lambda a: a.size)

    def teardown(self) -> None:
        assert [(head.size, head.root) for head in self.log.checkpoints()] == self.heads
        for log in self.logs:
            assert check_log(log) == []
            log.close()
        shutil.rmtree(self.directory)


def test_a_log_in_a_file() -> None:
    run_state_machine_as_test(
        LogMachine, settings=settings(max_examples=12, stateful_step_count=18, deadline=None)
    )


def test_a_log_that_two_write_in_one_database(postgres: Server) -> None:
    class Shared(LogMachine):
        def __init__(self) -> None:
            super().__init__(postgres)

    run_state_machine_as_test(
        Shared,
        settings=settings(max_examples=8, stateful_step_count=18, deadline=None),
    )
