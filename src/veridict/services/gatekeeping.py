"""Payments that anyone opens in the guard are decided as they come, before they settle.

    open     a payer hands tokens to the guard, which keeps them
    decide   the payment as a row of the stream: features → model → a record in the log
    settle   the guard is shown that prediction, and decides by its own thresholds: it pays, or
             keeps the tokens until a person releases them or gives them back (`services.acting`)

Nothing moves without a prediction about exactly this payment. A process that dies between two of
these goes on where it stopped: the guard says what is open, the log what was decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from veridict.chain.contract import Contract
from veridict.core.errors import NotFound, Refused
from veridict.core.nouns import PredictionRecord, Request
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.records import decode
from veridict.services.settle import Held, Settled, settle_signed, settlement_request
from veridict.watch.scenario import Extractor
from veridict.watch.stream import Example, Shape, Table

F = TypeVar("F")

LOOK_BACK = 64  # blocks that a chain may still take back


@dataclass(frozen=True, slots=True)
class Attended:
    """What became of one payment. `problem` is why the guard did not settle it, "" if it did."""

    held: Held
    prediction: Prediction
    settled: Settled | None
    problem: str = ""


@dataclass(slots=True)
class Gatekeeper(Generic[F]):
    """Of one node's guard. `row` tells a payment in the guard as the stream tells its own.

    `extractor` has seen the past of the stream, and sees each payment here as its next row.
    """

    node: Node
    shape: Shape[F]
    extractor: Extractor[F]
    row: Callable[[Held], F]
    _next_block: int = 0
    _last_s: int = field(default=0)

    def attend(self) -> list[Attended]:
        """Decide and settle what is open in the guard now, in the order in which it came.

        Raises NotFound where the node has no guard, RpcUnavailable.
        """
        guard = self.node.guard
        if guard is None:
            raise NotFound("this node has no guard", remedy="deploy one with deploy_guard")
        latest = guard.client.block_number()
        done = [self._attend(guard, held) for held in self._open(guard)]
        self._next_block = max(0, latest + 1 - LOOK_BACK)
        return done

    def _open(self, guard: Contract) -> Iterator[Held]:
        for event in guard.events("PaymentOpened", from_block=self._next_block):
            told = event.args
            if self.node.payment_state(told["id"]) == "open":
                yield Held(told["id"], told["payer"], told["payee"], told["amount"])

    def _attend(self, guard: Contract, held: Held) -> Attended:
        now_s = max(self._last_s, self.node.parts.clock() // 1000)
        request = settlement_request(held, guard, guard.client.chain_id, time_s=now_s)
        made = self._decided_before(request) or self._decide(held, request)
        operator = self.node.parts.keyring.account("operator")
        try:
            return Attended(held, made, settle_signed(guard, held, made, operator))
        except Refused as refused:  # paused, or too late: the tokens stay where they are
            return Attended(held, made, None, str(refused.facts.get("reason", refused.message)))

    def _decide(self, held: Held, request: Request) -> Prediction:
        self._last_s = request.time_s
        seen = Request(request.id, held.payer, request.time_s, b"")
        rows = Table.of([Example(seen, self.row(held), None)], self.shape)
        return self.node.predict(self.extractor.batch(rows), [request])[0]

    def _decided_before(self, request: Request) -> Prediction | None:
        """What this node said of it before it died."""
        index = self.node.log.find_request(request.id)
        if index is None:
            return None
        record, payload = decode(self.node.log.body(index)), self.node.log.payload(index)
        if not isinstance(record, PredictionRecord) or payload is None:
            return None
        return Prediction(index, record, payload, ())
