"""Block space that follows forecast demand: an engine's load in, its gas limit out.

    load        what was asked for in the last blocks, and what waits
    prediction  of the next blocks' demand, logged like any other
    parameter   the contract takes it as far as its owner's limits allow
    knob        the engine is told the parameter's value, whoever moved it

Nothing is explored: the limit only ever goes where a forecast and the limits lead it. Where the
engine cannot be read or no forecast is made, the parameter expires to its safe value, and that is
what the engine is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eth_account.signers.local import LocalAccount

from veridict.chain.contract import Contract
from veridict.control.blocks import Block
from veridict.control.blockspace import Mined
from veridict.control.capacity import Load
from veridict.core.errors import Refused
from veridict.core.nouns import INT64_MAX, Policy
from veridict.core.ports import Rpc
from veridict.services import steering
from veridict.services.network.knobs import Knob
from veridict.services.network.source import RpcBlocks
from veridict.services.node import Node

NO_ACTION = Policy(INT64_MAX, INT64_MAX)
CATCH_UP = 64  # blocks read at once; older ones tell nothing of the load now


@dataclass(frozen=True, slots=True)
class Turned:
    """One step: at `block` the gas limit asked of the engine, and the move that led there."""

    block: int
    gas_limit: int
    move: steering.Move | None
    refused: str = ""


@dataclass(slots=True)
class Steersman:
    """One engine, one parameter, one registered model of `control.capacity`."""

    node: Node
    model_id: bytes
    parameter: Contract
    operator: LocalAccount
    engine: Rpc
    knob: Knob
    gas_each: int = 21_000
    load: Load = field(init=False)
    _seen: int | None = None
    _waiting: int = 0
    _told: int | None = None

    def __post_init__(self) -> None:
        self.load = Load(self.gas_each)

    def step(self) -> Turned | None:
        """Look, predict, move, turn; None where there is no new block. Raises RpcUnavailable."""
        source = RpcBlocks(self.engine)
        head = source.head()
        first = max(head - CATCH_UP, 0) if self._seen is None else self._seen + 1
        blocks = source.read(max(first, head - CATCH_UP), head)
        if not blocks:
            return None
        row = None
        waiting = _pending(self.engine)
        for block in blocks:
            row = self.load.see(self._mined(block, waiting if block is blocks[-1] else None))
        self._seen, self._waiting = blocks[-1].number, waiting
        assert row is not None
        asked = steering.question(self.parameter, blocks[-1].time_s)
        (prediction,) = self.node.predict_by(self.model_id, NO_ACTION, row[None, :], [asked])
        move, refused = None, ""
        try:
            move = steering.steer(self.parameter, prediction, self.operator)
        except Refused as problem:  # cooling down, paused, vetoed: its limits at work
            refused = str(problem.facts.get("reason", problem.message))
        limit = int(self.parameter.call("value"))
        if limit != self._told:
            self.knob.turn(limit)
            self._told = limit
        return Turned(blocks[-1].number, limit, move, refused)

    def _mined(self, block: Block, waiting: int | None) -> Mined:
        """Asked for since the last look: what was taken, and what came to wait."""
        grown = 0 if waiting is None else waiting - self._waiting
        arrived = max(0, block.n_tx + grown)
        return Mined(
            block.number, block.time_s, block.base_fee_wei, block.gas_used, block.gas_limit,
            arrived, self._waiting if waiting is None else waiting,
        )  # fmt: skip


def _pending(rpc: Rpc) -> int:
    """Transactions that could be mined now; 0 where the engine does not tell."""
    try:
        told: Any = rpc.call("txpool_status", [])
        return int(told["pending"], 16)
    except (Refused, KeyError, TypeError, ValueError):
        return 0
