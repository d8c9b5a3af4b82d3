"""What guards did with this operator's predictions, read from the chain and held to the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from veridict.chain.addresses import address_bytes, checksum
from veridict.chain.contract import Contract
from veridict.core.nouns import Finding, PredictionRecord
from veridict.proofs.merkle import leaf_hash
from veridict.services.audit.walk import Notes, Row
from veridict.services.pack.answers import Case
from veridict.services.records import ActRecord, AnchorRecord
from veridict.services.sayings import Words, read_words
from veridict.services.settle import OUTCOMES

SETTLEMENT_BYTES = 6 * 32  # chain, guard, payment, payer, payee, amount
ACTS = {"release": "PaymentReleased", "confirm": "PaymentRefused"}
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Decided:
    """A guard acted on the prediction with this leaf."""

    guard: str
    payment: int
    outcome: str
    block: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Moved:
    """The human moved what a guard held."""

    guard: str
    payment: int
    event: str
    block: int
    tx_hash: str


class Settlements:
    """Shown the log once; nothing to see without a chain or without guards.

    What a guard did up to `known_block` must be in the log: the note of an anchor in that block
    stands in it, and was written after everything that the guard acted on before.
    """

    def __init__(self, case: Case) -> None:
        self._guards = {guard.address: guard for guard in case.guards}
        self._decided = [d for guard in case.guards for d in _decided(guard, case.operator)]
        self._moved = [m for guard in case.guards for m in _moved(guard)]
        self._wanted = {decided.leaf for decided in self._decided}
        self._seen: dict[bytes, int] = {}
        self._asked: list[tuple[int, bytes]] = []
        self.acts: list[tuple[int, ActRecord]] = []
        self.people: Counter[tuple[str, str]] = Counter()  # (act, by whom)
        self.known_block = -1

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if isinstance(row.record, PredictionRecord):
                if self._wanted and row.body is not None:
                    leaf = leaf_hash(row.body)
                    if leaf in self._wanted:
                        self._seen[leaf] = row.index
                if row.payload is not None and is_settlement(row.payload.request.content):
                    self._asked.append((row.index, row.payload.request.content))
            elif isinstance(row.record, ActRecord):
                words = read_words(row.payload, Words)
                self.acts.append((row.index, row.record))
                self.people[row.record.act, words.by if words else "someone not named here"] += 1
            elif isinstance(row.record, AnchorRecord):
                self.known_block = max(self.known_block, row.record.block_number)

    @property
    def decided(self) -> int:
        return len(self._decided)

    @property
    def asked(self) -> int:
        """Predictions about payments in a guard."""
        return len(self._asked)

    def unlogged(self) -> tuple[int, list[Finding]]:
        """How many decisions are too young to judge, and those that the log left out."""
        notes, young = Notes(), 0
        for decided in self._decided:
            if decided.leaf in self._seen:
                continue
            if decided.block > self.known_block:
                young += 1
                continue
            where = f"payment {decided.payment} in guard {decided.guard}"
            due = "the prediction it was decided by"
            notes.wrong("guard.unlogged", where, due, f"no record with leaf {decided.leaf.hex()}")
        return young, list(notes.verdict()[1])

    def unproven_acts(self) -> list[Finding]:
        """Acts that name a transaction the chain does not know as theirs, and the reverse."""
        notes = Notes()
        events = {(m.payment, m.event): m for m in self._moved}
        logged: set[tuple[int, str]] = set()
        for index, act in self.acts:
            if act.payment_id is None:
                continue
            key = (act.payment_id, ACTS[act.act])
            logged.add(key)
            moved = events.get(key)
            if moved is None or act.tx_hash not in (None, moved.tx_hash):
                found = "no such event" if moved is None else moved.tx_hash
                notes.wrong("act.unproven", f"record {index}", str(act.tx_hash), found)
        for moved in self._moved:
            if (moved.payment, moved.event) not in logged and moved.block <= self.known_block:
                where = f"payment {moved.payment} in guard {moved.guard}"
                notes.wrong("act.unlogged", where, "a record of it", f"{moved.event} on chain")
        return list(notes.verdict()[1])

    def others_asked(self) -> tuple[int, list[Finding]]:
        """How many payments the guards confirm, and predictions that are about another payment."""
        notes = Notes()
        for start in range(0, len(self._asked), _AT_ONCE):
            for (index, content), due in self._contents(self._asked[start : start + _AT_ONCE]):
                notes.examined += 1
                if content != due:
                    where = f"record {index}"
                    notes.wrong(
                        "request.other", where, due.hex() or "no such payment", content.hex()
                    )
        return notes.examined, list(notes.verdict()[1])

    def _contents(
        self, asked: Sequence[tuple[int, bytes]]
    ) -> list[tuple[tuple[int, bytes], bytes]]:
        """What the guard itself says each payment is; those of guards that are known."""
        ours = [
            (item, guard)
            for item in asked
            if (guard := self._guards.get(_guard_of(item[1]))) is not None
        ]
        return [(item, _content(guard, item[1])) for item, guard in ours]


def is_settlement(content: bytes) -> bool:
    """Six ABI words, the second an address."""
    return len(content) == SETTLEMENT_BYTES and not any(content[32:44])


def _guard_of(content: bytes) -> str:
    return checksum(content[44:64])


def _content(guard: Contract, content: bytes) -> bytes:
    number = int.from_bytes(content[64:96], "big")
    payer, payee, amount, state, _ = guard.call("payment", number)
    if not state:
        return b""
    return b"".join(
        (
            guard.client.chain_id.to_bytes(32, "big"),
            address_bytes(guard.address).rjust(32, b"\0"),
            number.to_bytes(32, "big"),
            address_bytes(payer).rjust(32, b"\0"),
            address_bytes(payee).rjust(32, b"\0"),
            int(amount).to_bytes(32, "big"),
        )
    )


def _decided(guard: Contract, operator: str) -> list[Decided]:
    return [
        Decided(guard.address, e.args["id"], outcome, e.block_number, e.args["leaf"])
        for name, outcome in OUTCOMES.items()
        for e in guard.events(name, operator=operator)
    ]


def _moved(guard: Contract) -> list[Moved]:
    return [
        Moved(guard.address, e.args["id"], name, e.block_number, e.tx_hash)
        for name in ACTS.values()
        for e in guard.events(name)
    ]
