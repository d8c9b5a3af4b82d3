"""A node: one log, one operator on one chain, one model at work, and who may ask it for what.

The node holds the parts and keeps the board; the plots are their own modules.
Opened by `veridict.open_node` (`apps.wire`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from veridict.chain.artifacts import Artifact
from veridict.chain.contract import Contract
from veridict.chain.keyring import Keyring
from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput, NotFound
from veridict.core.nouns import (
    Anchor,
    Check,
    Payload,
    Policy,
    PredictionRecord,
    RecordState,
    Request,
)
from veridict.core.ports import Clock
from veridict.core.progress import Progress, silent
from veridict.ledger.log import Entry, Log
from veridict.models.card import ModelCard
from veridict.models.shelf import Shelf
from veridict.models.working import WorkingModel
from veridict.privacy.vault import SubjectVault
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.services import registering, settle
from veridict.services.accounts import Accounts
from veridict.services.anchoring.fleet import Fleet, Tried
from veridict.services.anchoring.journal import Journal
from veridict.services.audit import audit
from veridict.services.board import Board
from veridict.services.bus import Bus
from veridict.services.deploy import Network
from veridict.services.energy import PREDICTION, Account
from veridict.services.face import Face, plain_face
from veridict.services.predict import Beside, Issuer, Prediction, next_sequence, predict
from veridict.services.receipt import Receipt, issue
from veridict.services.records import JsonRecord, LogRecord, decode, encode, is_statement
from veridict.services.witnessing import Witnesses

Listener = Callable[[Sequence[Prediction]], None]
REPLAY = 8192
GUARD = "guard"


@dataclass(slots=True)
class Parts:
    """What a node is made of; `close` undoes opening in reverse."""

    log: Log
    vault: SubjectVault
    network: Network
    keyring: Keyring
    shelf: Shelf
    clock: Clock
    chain_name: str
    rpc_url: str | None
    serve_rpc: Callable[[], str]
    fleet: Callable[[Journal], Fleet]
    close: Callable[[], None]


@dataclass(slots=True)
class Node:
    """Thread-safe. Close it, or use it as a context manager."""

    parts: Parts
    face: Face = field(default_factory=plain_face)
    bus: Bus = field(default_factory=Bus)
    board: Board = field(default_factory=Board)
    issuer: Issuer | None = None
    guard: Contract | None = None
    witnesses: Witnesses | None = None
    started_ms: int = 0
    listeners: list[Listener] = field(default_factory=list)
    energy: Account = field(default_factory=Account)
    fleet: Fleet = field(init=False)
    accounts: Accounts = field(init=False)
    _gas: dict[str, int] = field(default_factory=dict)
    _models: dict[bytes, WorkingModel] = field(default_factory=dict)
    _names: dict[bytes, tuple[str, ...]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.started_ms = self.parts.clock()
        log = self.parts.log
        self.follow()
        address = log.meta_get(GUARD)
        if address is not None:
            client = self.parts.network.client
            self.guard = Contract(client, Artifact.load("Guard"), address.decode())
        if self.board.model is not None:
            self._put_to_work(self.board.model[1].model_card())
        self.accounts = Accounts(log, self.board.erasures)
        notes = self.board.anchor_notes
        self.fleet = self.parts.fleet(
            Journal(
                log, self.parts.clock, self.append, self._head_to_anchor, notes, self.energy.meter
            )
        )

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.fleet.close()
        if self.witnesses is not None:
            self.witnesses.close()
        self.parts.close()

    @property
    def log(self) -> Log:
        return self.parts.log

    @property
    def network(self) -> Network:
        return self.parts.network

    @property
    def operator(self) -> str:
        return self.parts.keyring.account("operator").address

    @property
    def rpc_url(self) -> str:
        """Where others reach the chain; the embedded one is served on loopback from now on."""
        if self.parts.rpc_url is None:
            self.parts.rpc_url = self.parts.serve_rpc()
        return self.parts.rpc_url

    def register(self, model: WorkingModel, card: ModelCard) -> int:
        """Keep, register on chain, log, and put to work; returns the gas used."""
        if card.model_id != model.id.hex():
            raise BadInput("the card is another model's", remedy="build the card from this model")
        with self.lock:
            self.parts.shelf.put(model.id, model.model.bytes, model.annex.encode())
            gas = registering.register(
                model.model, card, self.log, self.network, clock_ms=self.parts.clock()
            )
            self.follow()
            self._put_to_work(card)
        return gas

    def predict(
        self,
        features: NDArray[np.float64],
        requests: Sequence[Request] | None = None,
        *,
        beside: Beside | None = None,
        last: Sequence[Entry] = (),
    ) -> list[Prediction]:
        """Score, decide, commit and log one row a request; returns when all are durable.

        `features`: float64 [n, n_features], NaN for missing. Without `requests`
        the rows are named by their place in the log. `beside`, `last`: see `services.predict`.
        """
        with self.lock, self.energy.meter.spending(PREDICTION, len(features)):
            issuer = self.at_work()
            rows = np.asarray(features, dtype=np.float64)
            asked = requests or self._unnamed(len(rows))
            made = predict(issuer, asked, rows, beside=beside, last=last)
            if beside is not None or last:
                self.follow()  # reads what stands between them, all at once
            for prediction in made:
                self._see(prediction.index, prediction.record)
        for listener in self.listeners:
            listener(made)
        return made

    def predict_by(
        self,
        model_id: bytes,
        policy: Policy,
        features: NDArray[np.float64],
        requests: Sequence[Request],
    ) -> list[Prediction]:
        """As `predict`, by another registered model than the one at work. Raises NotFound."""
        model = self.model(model_id)
        if model is None:
            raise NotFound("this node has no such model", remedy="register it first")
        with self.lock:
            issuer = self.at_work()
            at_work, issuer.model, issuer.policy = (issuer.model, issuer.policy), model, policy
            try:
                return self.predict(features, requests)
            finally:
                issuer.model, issuer.policy = at_work

    def append(self, record: JsonRecord, payload: Payload | None = None) -> int:
        """Log a record that is no prediction, and the words it commits to; returns its index."""
        with self.lock:
            index = self.log.append([Entry(encode(record), payload)]).first_index
            self._see(index, record)
        return index

    def tell_energy(self) -> int | None:
        """Log what was used since it was last told; the record's index, None if nothing was."""
        record = self.energy.record(self.parts.clock())
        return None if record is None else self.append(record)

    def follow(self) -> None:
        """Put on the board what was logged since, by this node or by others that share its log.

        And know what they did with the subjects' keys.
        """
        self.parts.vault.follow()
        with self.lock:
            self._catch_up(self.log.size)

    def reconcile(self) -> list[Anchor]:
        """Make the notes of the home chain's anchors say what it says; returns what it took back.

        The next `anchor` covers their records again.
        """
        return self.fleet.home.ready().look()

    def anchor(self) -> tuple[Anchor, int] | None:
        """Anchor on the home chain what it does not cover yet; returns the anchor and its gas.

        Where witnesses are known they are asked first, for a bounded time: predictions go
        on meanwhile, and so does anchoring when a witness is down.
        """
        head = self.ask_witnesses(grown=bool(self.unanchored()))
        return self.fleet.home.ready().now(head)

    def anchor_everywhere(self) -> list[Tried]:
        """As `anchor`, on all chains at once; one that fails is told and holds up no other."""
        self.ask_witnesses(grown=bool(self.unanchored()))
        return self.fleet.everywhere()

    def ask_witnesses(self, *, grown: bool = False) -> SignedCheckpoint | None:
        """Have the log's head cosigned, if it has `grown` or still lacks the quorum."""
        with self._asking:
            return self.witnesses.collect_due(grown) if self.witnesses else None

    def unanchored(self) -> int:
        """Records that the home chain does not cover, notes of anchors not counted."""
        return self.fleet.home.ready().waiting

    def receipt(self, index: int) -> Receipt:
        return issue(self.log, self.network, self.operator, index)

    def audit(self, progress: Progress = silent) -> list[Check]:
        return audit(
            self.log,
            self.network,
            operator=self.operator,
            shelf=self.parts.shelf,
            elsewhere=self.fleet.elsewhere(),
            since=self.fleet.home.ready().place.since,
            progress=progress,
        )

    def final_blocks(self) -> dict[int, int]:
        """By chain id, the last block that each chain will not take back, as last heard."""
        return {poster.place.chain_id: poster.final_block for poster in self.fleet.posters()} | {
            self.network.addresses.chain_id: self.fleet.home.ready().place.final_block()
        }

    def state(self, index: int) -> RecordState:
        return self.log.state(index, self.final_blocks())

    def gas_of(self, anchor: Anchor) -> int:
        """What the anchor's transaction cost; 0 if the chain does not have it (any more).

        Other chains than the home chain are not asked: they may not answer.
        """
        if anchor.tx_hash not in self._gas:
            if anchor.chain_id != self.network.addresses.chain_id:
                return 0
            receipt = self.network.client.receipt(anchor.tx_hash)
            self._gas[anchor.tx_hash] = receipt.gas_used if receipt else 0
        return self._gas[anchor.tx_hash]

    def model(self, model_id: bytes) -> WorkingModel | None:
        """The model with its annex, from the shelf; None if it is not there."""
        if self._models.get(model_id) is None and self.parts.shelf.get(model_id) is not None:
            self._models[model_id] = WorkingModel.load(*self.parts.shelf.need(model_id))
        return self._models.get(model_id)

    def feature_names(self, model_id: bytes) -> tuple[str, ...]:
        """As the card of the model at work has them; empty for another."""
        return self._names.get(model_id, ())

    def prediction(self, index: int) -> tuple[PredictionRecord, Payload | None]:
        """The prediction at `index`; its payload is None if erased. Raises NotFound."""
        record, _ = self.request_of(index)
        return record, self.log.payload(index)

    def request_of(self, index: int) -> tuple[PredictionRecord, Request | None]:
        """The prediction at `index` and its request, None if erased. Raises NotFound."""
        if not 0 <= index < self.log.size:
            raise NotFound(
                f"the log has no record {index}",
                remedy=f"choose 0 to {self.log.size - 1}",
                index=index,
            )
        record = decode(self.log.body(index))
        if not isinstance(record, PredictionRecord):
            raise NotFound(
                f"record {index} is no prediction", remedy="choose a prediction", index=index
            )
        payload = self.log.payload(index)
        return record, payload.request if payload else None

    def at_work(self) -> Issuer:
        if self.issuer is None:
            raise NotFound(
                "no model is at work on this node",
                remedy="register one: `veridict model register MODEL`, or run `veridict demo`",
            )
        return self.issuer

    def _put_to_work(self, card: ModelCard) -> None:
        model_id = bytes.fromhex(card.model_id)
        ready = WorkingModel.load(*self.parts.shelf.need(model_id))
        self._models[model_id], self._names[model_id] = ready, card.features
        if self.issuer is None:
            sequence = next_sequence(self.log)
            self.issuer = Issuer(ready, card.policy, self.log, self.parts.clock, sequence)
        else:
            self.issuer.model, self.issuer.policy = ready, card.policy

    def _head_to_anchor(self) -> SignedCheckpoint:
        with self._asking:
            return self.witnesses.collect() if self.witnesses else self.log.checkpoint()

    def _see(self, index: int, record: LogRecord) -> None:
        """The board sees every record once, in the log's order."""
        if index > self.board.size:
            self._catch_up(index)
        if index == self.board.size:
            self.board.see(index, record)

    def _catch_up(self, stop: int) -> None:
        for start in range(self.board.size, stop, REPLAY):
            bodies = self.log.bodies(start, min(start + REPLAY, stop))
            for index, body in enumerate(bodies, start):
                if is_statement(body):  # thousands a second, and the board tells nothing of them
                    self.board.size = index + 1
                else:
                    self.board.see(index, decode(body))

    def _unnamed(self, count: int) -> list[Request]:
        now_s, first = self.parts.clock() // 1000, self.log.size
        names = [f"row-{number}" for number in range(first, first + count)]
        return [Request(name, "", now_s, canonical_json({"id": name})) for name in names]

    def watch_guard(self, guard: Contract) -> None:
        """Remember the guard whose payments this node predicts about."""
        self.guard = guard
        self.log.meta_put(GUARD, guard.address.encode())

    def payment_of(self, index: int) -> int | None:
        """The guard's payment that the prediction at `index` is about, if it is about one."""
        _, request = self.request_of(index)
        return settle.payment_of(request, self.guard) if request and self.guard else None

    def payment_state(self, payment_id: int) -> str:
        """What the guard says of the payment, in a word."""
        if self.guard is None:
            return "unknown"
        return settle.STATES[self.guard.call("payment", payment_id)[3]]
