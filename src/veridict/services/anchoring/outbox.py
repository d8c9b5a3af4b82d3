"""What was sent to a place and not yet seen there, written down before it is sent.

Whoever is killed between sending and noting finds here what is on its way, and sends the
same bytes again instead of another anchor. Beside it: what a reorganisation took out of the
chain and may bring back, and what anchoring has cost.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from veridict.chain.receipts import Signed, Tx, TxReceipt
from veridict.ledger.log import Log
from veridict.ledger.view import LogView


class Sent(msgspec.Struct, frozen=True):
    """A signed anchor of `size` records, on its way since `sent_ms`; fees are wei of gas.

    `at_once_fee` is what posting would have cost when the oldest record came, 0 if unknown.
    """

    hash: str
    raw: bytes
    nonce: int
    gas: int
    max_fee: int
    tip: int
    to: str
    data: bytes
    size: int
    sent_ms: int
    at_once_fee: int

    @classmethod
    def of(cls, signed: Signed, size: int, now_ms: int, at_once_fee: int) -> Sent:
        tx = signed.tx
        assert tx.to is not None, "an anchor goes to a contract"
        return cls(
            signed.hash, signed.raw, signed.nonce, signed.gas, signed.max_fee, signed.tip,
            tx.to, tx.data, size, now_ms, at_once_fee,
        )  # fmt: skip

    def signed(self) -> Signed:
        tx = Tx(self.to, self.data, gas=self.gas, label="Anchor.anchor")
        return Signed(self.hash, self.raw, self.nonce, self.gas, tx, self.max_fee, self.tip)


class Books(msgspec.Struct, frozen=True):
    """What the anchors of a place cost, in wei as decimal strings, which JSON cannot round.

    `at_once` is what those would have cost that were posted by the schedule, had each been
    posted when its oldest record came; `scheduled` is what they did cost.
    """

    posted: int = 0
    gas: int = 0
    spent: str = "0"
    scheduled: str = "0"
    at_once: str = "0"

    def with_anchor(self, receipt: TxReceipt, at_once_fee: int) -> Books:
        cost = receipt.gas_used * receipt.gas_price
        by_schedule = at_once_fee > 0
        return Books(
            self.posted + 1,
            self.gas + receipt.gas_used,
            str(int(self.spent) + cost),
            str(int(self.scheduled) + (cost if by_schedule else 0)),
            str(int(self.at_once) + receipt.gas_used * at_once_fee),
        )

    @property
    def saved_wei(self) -> int:
        """Against posting at once; negative where waiting made it dearer."""
        return int(self.at_once) - int(self.scheduled)


class _State(msgspec.Struct, frozen=True):
    sent: Sent | None = None
    returning: tuple[str, ...] = ()
    books: Books = Books()


class Outbox:
    """One place's, in the log's own store. Each change is durable on return.

    A log that was opened to be read gives one that can be read.
    """

    def __init__(self, log: LogView, place: str, operator: str) -> None:
        self._log = log
        self._key = f"outbox {place} {operator}"
        self._state = _State()
        self.reload()

    def reload(self) -> None:
        """Another process may anchor the same log with the same account."""
        stored = self._log.meta_get(self._key)
        self._state = msgspec.json.decode(stored, type=_State) if stored else _State()

    @property
    def sent(self) -> Sent | None:
        return self._state.sent

    @property
    def returning(self) -> tuple[str, ...]:
        """Hashes of anchors that left the chain, and may come back through the pool."""
        return self._state.returning

    @property
    def books(self) -> Books:
        return self._state.books

    def keeper(self, size: int, now_ms: int, at_once_fee: int) -> Callable[[Signed], None]:
        """For `Client.hand_over`."""

        def keep(signed: Signed) -> None:
            self._put(sent=Sent.of(signed, size, now_ms, at_once_fee))

        return keep

    def arrived(self, receipt: TxReceipt | None) -> None:
        """What was sent stands on the chain."""
        sent = self._state.sent
        books = self.books
        if sent is not None and receipt is not None:
            books = books.with_anchor(receipt, sent.at_once_fee)
        self._put(sent=None, books=books)

    def forget(self) -> None:
        """What was sent can never be mined."""
        self._put(sent=None)

    def expect(self, hashes: tuple[str, ...]) -> None:
        """These may come back."""
        if hashes != self._state.returning:
            self._put(returning=hashes)

    def _put(self, **changed: object) -> None:
        assert isinstance(self._log, Log), "nothing is sent from a log that is only read"
        state = msgspec.structs.replace(self._state, **changed)
        self._log.meta_put(self._key, msgspec.json.encode(state))
        self._state = state
