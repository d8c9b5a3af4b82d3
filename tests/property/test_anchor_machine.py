"""Anchoring through any history of a real node: blocks, reorganisations, kills, broken lines.

Whatever happened, the chain holds only this log's roots, each gas was spent on an anchor that
stood, and once the node answers and makes blocks everything is anchored and then final.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.support.anchored import Kept
from tests.support.anvil import running_anvil
from tests.support.box import RICH
from tests.support.liar import Liar
from veridict.chain.http import HttpRpc
from veridict.core.errors import Refused, RpcUnavailable
from veridict.core.nouns import RecordState
from veridict.core.ports import Rpc
from veridict.services.anchoring.poster import Standing
from veridict.services.records import AnchorRecord

FORK = 100  # no reorganisation goes below the contract
METHODS = (
    "eth_call", "eth_estimateGas", "eth_getTransactionCount", "eth_sendRawTransaction",
    "eth_getTransactionReceipt", "eth_getTransactionByHash", "eth_getLogs", "eth_chainId",
)  # fmt: skip
MANY_BLOCKS = 300  # anvil forgets states of blocks that are about 1,000 deep


class Killed(BaseException):
    """kill -9."""


@dataclass(slots=True)
class SharedNode:
    """One anvil for several examples; a fresh one before the old has too many blocks."""

    running: ExitStack = field(default_factory=ExitStack)
    rpc: HttpRpc | None = None

    def ready(self) -> Rpc:
        if self.rpc is None or int(self.rpc.call("eth_blockNumber", []), 16) > MANY_BLOCKS:
            self.close()
            url = self.running.enter_context(running_anvil(mining=False))
            self.rpc = self.running.enter_context(HttpRpc(url))
        return self.rpc

    def close(self) -> None:
        self.running.close()
        self.rpc = None


NODE = SharedNode()


def teardown_module() -> None:
    NODE.close()


class AnchorMachine(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        node = NODE.ready()
        self.liar = Liar(node)
        node.call("anvil_setAutomine", [True])
        self.kept = Kept(self.directory, self.liar)
        node.call("anvil_setAutomine", [False])
        self.kept.mine(FORK)
        self.first_nonce = self.kept.poster.place.client.nonce(RICH.address)
        self.depth = 0  # blocks above the contract that may be taken back

    @rule()
    def act(self) -> None:
        self.kept.act()

    @rule(blocks=st.integers(1, 40))
    def mine(self, blocks: int) -> None:
        self.kept.mine(blocks)
        self.depth += blocks

    @rule(force=st.booleans())
    def step(self, force: bool) -> None:
        self.kept.poster.step(force=force)

    @rule(depth=st.integers(1, 90))
    def reorganise(self, depth: int) -> None:
        self.kept.reorganise(min(depth, self.depth + FORK - 1))

    @rule(depth=st.integers(1, 10))
    def reorganise_and_bring_back(self, depth: int) -> None:
        """Some clients put what they took back into the pool again, and so does a neighbour."""
        place = self.kept.poster.place
        raws = [
            place.client.rpc.call("eth_getRawTransactionByHash", [anchor.tx_hash])
            for anchor in place.anchors()[-2:]
        ]
        self.kept.reorganise(min(depth, self.depth + FORK - 1))
        for raw in raws:
            with suppress(Refused):  # it was not taken back
                self.kept.rpc.call("eth_sendRawTransaction", [raw])

    @rule()
    def drop(self) -> None:
        """The pool forgets everything."""
        self.kept.rpc.call("anvil_dropAllTransactions", [])

    @rule(seconds=st.sampled_from([1, 50, 200, -500]))
    def wait(self, seconds: int) -> None:
        self.kept.watch.wait(seconds)

    @rule()
    def reopen(self) -> None:
        self.kept.reopen()

    @rule(method=st.sampled_from(METHODS), call=st.integers(1, 3), before=st.booleans())
    def die(self, method: str, call: int, before: bool) -> None:
        """At the n-th call of a method, before it is heard or after."""
        self._fail(method, call, Killed(), before)
        with suppress(Killed):
            self.kept.poster.step(force=True)
        self.liar.first, self.liar.lies = {}, {}
        self.kept.reopen()

    @rule(method=st.sampled_from(METHODS), before=st.booleans())
    @precondition(lambda self: self.kept.poster.waiting)
    def lose_the_line(self, method: str, before: bool) -> None:
        gone = RpcUnavailable("the line is cut", remedy="mend it")
        self._fail(method, 1, gone, before)
        with suppress(RpcUnavailable):
            self.kept.poster.step(force=True)
        self.liar.first, self.liar.lies = {}, {}

    def _fail(self, method: str, call: int, error: BaseException, before: bool) -> None:
        left = call

        def fail() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise error

        def fail_after(result: object) -> object:
            fail()
            return result

        if before:
            self.liar.first = {method: fail}
        else:
            self.liar.lies = {method: fail_after}

    def teardown(self) -> None:
        if not hasattr(self, "kept"):
            return
        try:
            self._everything_ends_well()
        finally:
            self.kept.close()
            shutil.rmtree(self.directory)

    def _everything_ends_well(self) -> None:
        kept, place = self.kept, self.kept.poster.place
        last = kept.act()
        kept.watch.wait(200)
        kept.settled()
        on_chain = place.anchors()
        assert on_chain == kept.log.anchors()
        assert place.head().count == len(on_chain)
        assert all(anchor.root == kept.log.root(anchor.size) for anchor in on_chain)
        assert kept.state(last) is RecordState.ANCHORED
        self._no_gas_was_wasted(len(on_chain))
        self._the_log_told_the_truth()
        kept.mine(64)
        assert kept.poster.step().standing is Standing.IDLE
        assert kept.state(0) is kept.state(last) is RecordState.FINAL

    def _no_gas_was_wasted(self, anchors: int) -> None:
        """Every nonce since the contract was deployed made an anchor."""
        used = self.kept.poster.place.client.nonce(RICH.address)
        assert used - self.first_nonce == anchors

    def _the_log_told_the_truth(self) -> None:
        last = {record.size: record for record in self.kept.told()}
        claimed = {size for size, record in last.items() if isinstance(record, AnchorRecord)}
        assert claimed == {anchor.size for anchor in self.kept.log.anchors()}


TestAnchors = AnchorMachine.TestCase
TestAnchors.settings = settings(
    max_examples=5,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
