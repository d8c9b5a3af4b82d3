"""Mining on demand: whoever sends, mines; who sends meanwhile, shares the next block.

A transaction is answered only after the commit of its block.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence

from veridict.chain.embedded.executor import (
    Block,
    Executor,
    Sealed,
    Transaction,
    TransactionRefused,
)
from veridict.core.errors import RpcUnavailable, VeridictError

MAX_BLOCK_TRANSACTIONS = 128  # past it a block gains no more speed, and its senders wait longer

Answer = TransactionRefused | VeridictError | None
Commit = Callable[[Sealed], None]


class _Ticket:
    """One caller's transactions and, in the end, an answer for each: None if it is mined."""

    def __init__(self, transactions: Sequence[Transaction]) -> None:
        self.transactions = transactions
        self.answers: dict[int, Answer] = {}

    @property
    def done(self) -> bool:
        return len(self.answers) == len(self.transactions)


class Miner:
    def __init__(
        self,
        executor: Executor,
        head: Callable[[], Block],
        now_s: Callable[[], int],
        commit: Commit,
    ) -> None:
        self._executor = executor
        self._head = head
        self._now_s = now_s
        self._commit = commit
        self._mining = threading.Lock()
        self._queueing = threading.Lock()
        self._queue: list[_Ticket] = []
        self._stopped = False

    def submit(self, transactions: Sequence[Transaction]) -> list[Answer]:
        """Returns when each is durable or refused; answers in the order of `transactions`."""
        ticket = _Ticket(transactions)
        with self._queueing:
            self._queue.append(ticket)
        with self._mining:  # the one who gets it mines for all who queued
            if not ticket.done:
                self._mine_queue()
        return [ticket.answers[place] for place in range(len(transactions))]

    def mine_empty(self) -> None:
        """One block without transactions."""
        with self._mining:
            self._seal([])

    def stop(self) -> None:
        """Waits for the block in work; afterwards nothing is mined."""
        with self._mining:
            self._stopped = True

    def _mine_queue(self) -> None:
        with self._queueing:
            tickets, self._queue = self._queue, []
        waiting = [
            (transaction, ticket, place)
            for ticket in tickets
            for place, transaction in enumerate(ticket.transactions)
        ]
        answers: dict[bytes, Answer] = {}
        try:
            self._mine([transaction for transaction, _, _ in waiting], answers)
        except VeridictError as error:
            for transaction, _, _ in waiting:
                answers.setdefault(transaction.hash, error)
        except BaseException as error:
            refused = TransactionRefused(f"internal error: {error}")
            for transaction, _, _ in waiting:
                answers.setdefault(transaction.hash, refused)
            raise
        finally:
            for transaction, ticket, place in waiting:
                ticket.answers[place] = answers.get(transaction.hash)

    def _mine(self, transactions: list[Transaction], answers: dict[bytes, Answer]) -> None:
        unique = {transaction.hash: transaction for transaction in transactions}
        rest = in_nonce_order(list(unique.values()))
        while rest:
            group, later = rest[:MAX_BLOCK_TRANSACTIONS], rest[MAX_BLOCK_TRANSACTIONS:]
            sealed = self._seal(group)
            answers.update((done.transaction.hash, None) for done in sealed.executed)
            answers.update((refused.hash, why) for refused, why in sealed.refused)
            rest = [*sealed.left, *later]

    def _seal(self, group: list[Transaction]) -> Sealed:
        if self._stopped:
            raise RpcUnavailable("the chain is closed", remedy="open it again")
        head = self._head()
        sealed = self._executor.seal(head, group, max(head.timestamp_s, self._now_s()))
        self._commit(sealed)
        return sealed


def in_nonce_order(transactions: Sequence[Transaction]) -> list[Transaction]:
    """The senders' places kept as they came, each sender's own transactions by nonce."""
    places: dict[bytes, list[int]] = defaultdict(list)
    for place, transaction in enumerate(transactions):
        places[transaction.sender].append(place)
    ordered = list(transactions)
    for own in places.values():
        by_nonce = sorted((transactions[place] for place in own), key=lambda tx: tx.nonce)
        for place, transaction in zip(own, by_nonce, strict=True):
            ordered[place] = transaction
    return ordered
