"""Whatever logs and forgers send a witness, the heads it cosigned are one growing history."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.support.ledger import slow_consistency
from tests.support.tlog import LOG, bodies, head
from veridict.proofs.add_checkpoint import AddCheckpoint, parse_cosignatures, parse_size
from veridict.proofs.cosignature import Kind
from veridict.services.witness.desk import known_logs
from veridict.services.witness.opening import House, open_witness

LOGS = known_logs([LOG.verifier])
histories = st.sampled_from(["true", "false"])
sizes = st.integers(0, 12)


def opened(directory: str) -> House:
    return open_witness(Path(directory), "w.example/1", [Kind.ED25519], LOGS, lambda: 1_000)


class WitnessMachine(RuleBasedStateMachine):
    """The model is the records under the head that was cosigned last."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.house = opened(self.directory.name)
        self.cosigned: list[bytes] = []

    @rule(history=histories, fork=sizes, size=sizes, old=sizes | st.none(), proven=st.booleans())
    def ask(self, history: str, fork: int, size: int, old: int | None, proven: bool) -> None:
        """A head of `size` records, of a history that leaves the true one after `fork`."""
        entries = (bodies(fork) + bodies(12, history))[:size]
        held = len(self.cosigned)
        claimed = held if old is None else old
        proof = slow_consistency(claimed, entries) if 0 < claimed <= size and proven else []
        request = AddCheckpoint(claimed, tuple(proof), head(entries))
        reply = self.house.desk.add_checkpoint(request.encode())
        if reply.status == 200:
            (mark,) = parse_cosignatures(reply.body)
            self.house.cosigners[0].verifier.verify(request.checkpoint.note.text, mark)
            assert claimed == held
            assert entries[:held] == self.cosigned
            self.cosigned = entries
            return
        assert "— ".encode() not in reply.body
        extends = entries[:held] == self.cosigned and claimed == held <= size
        assert not (extends and proven)
        if reply.status == 409:
            assert parse_size(reply.body) == held

    @rule()
    def restart(self) -> None:
        self.house.close()
        self.house = opened(self.directory.name)

    @rule()
    def it_holds_what_it_cosigned_last(self) -> None:
        held = self.house.store.head(LOG.name)
        assert held.size == len(self.cosigned)
        assert held.root == head(self.cosigned).root

    def teardown(self) -> None:
        self.house.close()
        self.directory.cleanup()


TestWitness = WitnessMachine.TestCase
TestWitness.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


@given(st.binary(max_size=300), st.integers(0, 400))
@settings(max_examples=100, deadline=None)
def test_noise_and_torn_requests_are_answered_and_change_nothing(noise: bytes, cut: int) -> None:
    whole = AddCheckpoint(0, (), head(bodies(3))).encode()
    with tempfile.TemporaryDirectory() as directory:
        house = opened(directory)
        for body in (noise, whole[: cut % len(whole)], whole[:cut] + noise):
            reply = house.desk.add_checkpoint(body)
            assert reply.status in (400, 403, 404) or body == whole
        assert house.store.head(LOG.name).size in ({0, 3} if noise == b"" else {0})
        house.close()
