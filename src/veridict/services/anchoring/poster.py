"""One place's anchors, from waiting to final, and back when the chain reorganises.

    nothing waits → patient → sent → anchored (noted in the log) → final
                       ↑________|________|_____________________|   reorganised away

`step` goes as far as it can without waiting and may be called at any time, by a new process
too: all that it needs to remember stands in the log's store and on the chain. What can go
wrong between signing and noting, and what it does:

    killed before or after sending        the outbox has the bytes: look for them, send them again
    dropped from the pool                 the same bytes again
    stuck in the pool                     the same nonce with higher fees: one of the two is mined
    its nonce was used by another         it can never be mined: sign anew
    a reorganisation took it              strike its note; if the pool has it, wait; else sign anew,
                                          with the nonce the chain has now
    earlier nonces went with it           it waits behind a gap for ever: sign anew
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from veridict.chain.fees import Fees
from veridict.chain.receipts import Signed, Tx
from veridict.chain.refusals import nonce_is_taken
from veridict.core.errors import Refused, RpcUnavailable
from veridict.core.nouns import Anchor
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import EMPTY_ROOT
from veridict.services.anchoring.journal import Journal
from veridict.services.anchoring.notes import PlaceNotes
from veridict.services.anchoring.outbox import Books, Outbox, Sent
from veridict.services.anchoring.places import Place
from veridict.services.anchoring.schedule import Moment, Rule, Verdict, decide, patient

STUCK_MS = 180_000
FIRST_POLL_S, LONGEST_POLL_S = 0.01, 1.0

FeeSource = Callable[[], Fees]


class Standing(Enum):
    """Where one place stands after a step."""

    IDLE = "nothing waits"
    PATIENT = "waiting for a lower fee"
    SENT = "sent"
    ANCHORED = "anchored"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`anchor` and `gas` are of what was seen mined in this step."""

    standing: Standing
    anchor: Anchor | None = None
    gas: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long records wait at a place at the most, and by what rule they wait less."""

    deadline_s: float
    rule: Rule = patient


class Poster:
    """Anchors one log at one place; `step` and `now` may be called from any thread.

    `fees` None means that fees do not matter there: everything waits for the deadline.
    """

    def __init__(
        self, place: Place, journal: Journal, plan: Plan, fees: FeeSource | None = None
    ) -> None:
        self.place = place
        self.plan = plan
        self.final_block = 0
        self.fee: Fees | None = None
        self.verdict: Verdict | None = None
        self.waited_s = 0.0
        self._journal = journal
        self._fees = fees
        self._notes = PlaceNotes(journal, place)
        self._outbox = Outbox(journal.log, place.name, place.operator)
        self._stepping = threading.Lock()
        self._seen: tuple[int, float, int] | None = None  # covered, monotonic s, fee at once
        self._mined: tuple[Anchor, int] | None = None

    @property
    def covered(self) -> int:
        """Records under the newest anchor of this place."""
        return self._notes.covered

    @property
    def final(self) -> int:
        """Records under an anchor that is final, as of the last step."""
        return self._notes.final(self.final_block)

    @property
    def waiting(self) -> int:
        return self._journal.waiting(self.covered)

    @property
    def sent(self) -> Sent | None:
        return self._outbox.sent

    @property
    def books(self) -> Books:
        return self._outbox.books

    def step(self, *, force: bool = False, head: SignedCheckpoint | None = None) -> Outcome:
        """Look, note, and send if it is time; `force` sends whatever waits.

        `head` is a checkpoint to anchor that witnesses cosigned. Raises WrongChain, NoFunds,
        RpcUnavailable, Refused, and EvidenceError where the chain holds another history.
        """
        with self._stepping, self._journal.spending():
            self.look()
            if self._mined is not None:
                (anchor, gas), self._mined = self._mined, None
                return Outcome(Standing.ANCHORED, anchor, gas)
            following = self._follow()
            if following is not None:
                return following
            span_ms = self._journal.span_ms(self.covered) if self.waiting else None
            if span_ms is None:
                self._seen, self.verdict, self.waited_s = None, None, 0.0
                return Outcome(Standing.IDLE)
            if not force and not self._is_time(*span_ms):
                return Outcome(Standing.PATIENT)
            return self._post(head)

    def look(self) -> list[Anchor]:
        """Make the log's notes say what the chain says; returns those that it took back."""
        self.place.confirm()
        self._outbox.reload()
        self.final_block = self.place.final_block()
        lost = self._notes.reconcile(self.final_block)
        sent = self._outbox.sent
        arrived = self._notes.has(sent.hash) if sent is not None else None
        if sent is not None and arrived is not None:
            receipt = self.place.client.receipt(sent.hash)
            self._outbox.arrived(receipt)
            self._mined = (arrived, receipt.gas_used if receipt else 0)
        self._notes.settle(self.final_block)
        if lost:
            self._outbox.expect((*self._outbox.returning, *(note.tx_hash for note in lost)))
        return lost

    def now(
        self, head: SignedCheckpoint | None = None, timeout_s: float = 120.0
    ) -> tuple[Anchor, int] | None:
        """Anchor what waits and see it mined; the anchor and its gas, None if nothing waits.

        An older anchor that was still on its way is seen to its end first. Raises as `step`,
        and RpcUnavailable if it is not mined within `timeout_s`.
        """
        begun, pause = time.monotonic(), FIRST_POLL_S
        wanted = head.size if head is not None else self._journal.log.size
        while True:
            outcome = self.step(force=True, head=head)
            if outcome.anchor is not None and outcome.anchor.size >= wanted:
                return outcome.anchor, outcome.gas
            if outcome.standing is Standing.IDLE:
                return None
            if time.monotonic() - begun > timeout_s:
                raise RpcUnavailable(
                    f"no anchor is mined on {self.place.name} after {timeout_s:g} s",
                    remedy="check that the chain makes blocks; what was sent is followed, "
                    "and noted when it is mined",
                    place=self.place.name,
                )
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_POLL_S)

    # -- what is on its way --------------------------------------------------------

    def _follow(self) -> Outcome | None:
        """What became of what was sent; None if nothing is on its way and we may send."""
        sent, client = self._outbox.sent, self.place.client
        if sent is None:
            return Outcome(Standing.SENT) if self._is_returning() else None
        used = client.nonce(self.place.operator)  # before the receipt, or it could be its own
        receipt = client.receipt(sent.hash)
        if receipt is not None and receipt.status != 1:
            self._outbox.forget()
            raise client.why_reverted(sent.signed().tx, receipt)
        if receipt is not None:  # mined while we looked: the next step notes it
            return Outcome(Standing.SENT)
        if used > sent.nonce:
            self._outbox.forget()
            return None
        if client.is_known(sent.hash):
            if used == sent.nonce and self._journal.clock() - sent.sent_ms > STUCK_MS:
                return self._outbid(sent)
            return Outcome(Standing.SENT)
        queued = client.nonce(self.place.operator, "pending")
        if queued < sent.nonce:
            self._outbox.forget()
            return None
        if queued > sent.nonce:  # another's transaction waits under our nonce
            return Outcome(Standing.SENT)
        try:
            client.push(sent.signed())
        except Refused as error:  # its fees are too low by now, say
            if not nonce_is_taken(error):
                return self._outbid(sent)
        return Outcome(Standing.SENT)

    def _is_returning(self) -> bool:
        """Whether the pool still holds anchors that a reorganisation took out of the chain."""
        hashes = self._outbox.returning
        if not hashes:
            return False
        rpc = self.place.client.rpc
        found = rpc.batch([("eth_getTransactionByHash", [tx_hash]) for tx_hash in hashes])
        used = self.place.client.nonce(self.place.operator)
        waiting = tuple(
            tx["hash"]
            for tx in found
            if tx is not None and tx.get("blockNumber") is None and int(tx["nonce"], 16) >= used
        )
        self._outbox.expect(waiting)
        return bool(waiting)

    # -- send ------------------------------------------------------------------------

    def _is_time(self, oldest_ms: int, newest_ms: int) -> bool:
        """By the plan; a clock that was set back does not make anything wait longer."""
        at = time.monotonic()
        self.fee = self._fee_now()
        if self._seen is None or self._seen[0] != self.covered:
            self._seen = (self.covered, at, self.fee.next_wei if self.fee else 0)
        now_ms = self._journal.clock()
        self.waited_s = max((now_ms - oldest_ms) / 1000, at - self._seen[1])
        quiet_s = (now_ms - newest_ms) / 1000
        fee = self.fee or Fees(0, ())
        moment = Moment(self.waited_s, self.plan.deadline_s, fee.next_wei, fee.recent_wei, quiet_s)
        self.verdict = decide(moment, self.plan.rule)
        return self.verdict.post

    def _fee_now(self) -> Fees | None:
        try:
            return self._fees() if self._fees is not None else None
        except Refused:  # a chain that tells no fees: everything waits for the deadline
            return None

    def _post(self, offered: SignedCheckpoint | None) -> Outcome:
        log, place, old = self._journal.log, self.place, self.covered
        head = self._journal.head_beyond(old, offered)
        tx = place.contract.tx(
            "anchor",
            place.key,
            old,
            log.root(old) if old else EMPTY_ROOT,
            head.size,
            head.root,
            log.consistency_proof(old, head.size) if old else [],
        )
        at_once = self._seen[2] if self._seen is not None and self._seen[0] == old else 0
        return self._hand_over(tx, head.size, at_once)

    def _outbid(self, sent: Sent) -> Outcome:
        """The same anchor under the same nonce, with higher fees: one of the two is mined."""
        signed = sent.signed()
        return self._hand_over(signed.tx, sent.size, sent.at_once_fee, instead_of=signed)

    def _hand_over(
        self, tx: Tx, size: int, at_once_fee: int, instead_of: Signed | None = None
    ) -> Outcome:
        keep = self._outbox.keeper(size, self._journal.clock(), at_once_fee)
        try:
            signed = self.place.client.hand_over(tx, keep, instead_of=instead_of)
        except Refused as error:
            if nonce_is_taken(error):  # by another process with this key: see in the next step
                return Outcome(Standing.SENT)
            raise
        if self.place.client.receipt(signed.hash) is not None:  # this chain mines at once
            self.look()
        if self._mined is None:
            return Outcome(Standing.SENT)
        (anchor, gas), self._mined = self._mined, None
        return Outcome(Standing.ANCHORED, anchor, gas)
