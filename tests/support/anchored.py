"""A log anchored on a real node whose blocks the test makes: mined, reorganised, cut off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.box import RICH
from tests.support.ledger import make_signer
from veridict.chain.client import Client
from veridict.chain.finality import Finality
from veridict.core.nouns import Anchor, RecordState
from veridict.core.ports import Rpc
from veridict.ledger.log import Entry, Log
from veridict.services.anchoring.joining import join
from veridict.services.anchoring.journal import Journal
from veridict.services.anchoring.poster import FeeSource, Outcome, Plan, Poster, Standing
from veridict.services.records import (
    ActRecord,
    AnchorRecord,
    LostAnchorRecord,
    decode,
    encode,
)

EPOCH_MS = 1_700_000_000_000


@dataclass(slots=True)
class Watch:
    """A clock that the test winds."""

    now_ms: int = EPOCH_MS

    def __call__(self) -> int:
        return self.now_ms

    def wait(self, seconds: float) -> None:
        self.now_ms += int(1000 * seconds)


@dataclass(slots=True)
class Kept:
    """One log at one place; `reopen` is what a new process does after a kill."""

    directory: Path
    rpc: Rpc
    watch: Watch = field(default_factory=Watch)
    plan: Plan = field(default_factory=lambda: Plan(deadline_s=60))
    fees: Callable[[Client], FeeSource] | None = None
    name: str = "anvil"
    log: Log = field(init=False)
    poster: Poster = field(init=False)

    def __post_init__(self) -> None:
        self.log = Log.open(self.directory, signer=make_signer(), clock=self.watch)
        place = join(self.log, self.name, self.rpc, RICH, Finality)
        notes = [
            index
            for index, body in enumerate(self.log.bodies())
            if isinstance(decode(body), AnchorRecord | LostAnchorRecord)
        ]
        journal = Journal.plain(self.log, self.watch)
        plain_add = journal.add

        def add(record: object) -> int:
            notes.append(index := plain_add(record))  # type: ignore[arg-type]
            return index

        journal.add, journal.notes = add, notes
        fees = self.fees(place.client) if self.fees else None
        self.poster = Poster(place, journal, self.plan, fees)

    def reopen(self) -> None:
        self.log.close()
        self.__post_init__()

    def act(self) -> int:
        """One more record; its index."""
        record = ActRecord("release", 0, "00" * 32, None, None, self.watch())
        return self.log.append([Entry(encode(record), None)]).first_index

    def mine(self, blocks: int = 1) -> None:
        self.rpc.call("anvil_mine", [hex(blocks)])

    def reorganise(self, depth: int) -> None:
        self.rpc.call("anvil_reorg", [depth, []])

    def anchored(self) -> Anchor:
        """Post what waits now, and see it mined."""
        for _ in range(6):
            outcome = self.poster.step(force=True)
            if outcome.anchor is not None:
                return outcome.anchor
            self.mine()
        raise AssertionError(f"not anchored: {outcome}")

    def settled(self) -> Outcome:
        """Steps and blocks until nothing is on its way."""
        for _ in range(6):
            outcome = self.poster.step(force=True)
            if outcome.standing is Standing.IDLE:
                return outcome
            self.mine()
        raise AssertionError(f"not settled: {outcome}")

    def state(self, index: int) -> RecordState:
        finals = {self.poster.place.chain_id: self.poster.final_block}
        return self.log.state(index, finals)

    def told(self) -> list[AnchorRecord | LostAnchorRecord]:
        """What the log's own records say of anchors."""
        records = map(decode, self.log.bodies())
        return [r for r in records if isinstance(r, AnchorRecord | LostAnchorRecord)]

    def close(self) -> None:
        self.log.close()
