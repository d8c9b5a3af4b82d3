"""Check 4: every model that decided is the registered one, byte for byte, with its card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from veridict.core.errors import VeridictError
from veridict.core.nouns import Policy, PredictionRecord
from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel
from veridict.models.card import ModelCard
from veridict.services.audit.source import Copies
from veridict.services.audit.walk import Notes, Row, Verdict
from veridict.services.deploy import Network
from veridict.services.records import ModelRecord
from veridict.services.registering import model_on_chain


@dataclass(frozen=True, slots=True)
class Active:
    """A model as the log says it was put to use, from record `since` on."""

    since: int
    policy: Policy


class Models:
    """Also tells the later checks which model and policy stood behind a prediction."""

    title = "every model is the registered one, byte for byte"

    def __init__(self, network: Network | None, shelf: Copies) -> None:
        self._network = network
        self._shelf = shelf
        self._notes = Notes()
        self._unregistered: set[bytes] = set()
        self.active: dict[bytes, Active] = {}
        self.runnable: dict[bytes, CanonicalModel] = {}
        self.annexes: dict[bytes, Annex] = {}

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if isinstance(row.record, ModelRecord):
                self._registered(row.index, row.record)
            elif isinstance(row.record, PredictionRecord):
                self._used(row.index, row.record.model_id)

    def verdict(self) -> Verdict:
        return self._notes.verdict()

    def _registered(self, index: int, record: ModelRecord) -> None:
        self._notes.examined += 1
        where = f"model {record.model_id[:16]}… (record {index})"
        try:
            model_id = bytes.fromhex(record.model_id)
        except ValueError:
            self._notes.wrong("model.chain", where, "a model id in hex", record.model_id[:80])
            return
        try:
            card = record.model_card()
            self.active[model_id] = Active(index, card.policy)
            data = self._bytes_of(card, model_id, where)
            annex = self._shelf.annex(model_id)
            same = self._same("annex", where, annex, bytes.fromhex(card.annex))
            if data is not None:
                model = CanonicalModel(data)
                self.runnable[model_id] = model
                if annex is not None and same:  # without it no reason can be checked
                    self.annexes[model_id] = Annex.decode(annex, model_id, model.annexed)
        except VeridictError as problem:
            self._notes.wrong("model.chain", where, "its bytes in the registry", problem.message)
        self._same("model", where, self._shelf.get(model_id), model_id)

    def _bytes_of(self, card: ModelCard, model_id: bytes, where: str) -> bytes | None:
        """The chain's; without a chain the keeper's copy, if that is the model."""
        if self._network is None:
            copy = self._shelf.get(model_id)
            return copy if copy is not None and sha256(copy).digest() == model_id else None
        on_chain = self._network.registry.call("model", model_id)
        if card.digest != on_chain[1]:
            self._notes.wrong("model.card", where, on_chain[1].hex(), card.digest.hex())
        return model_on_chain(self._network, model_id)

    def _same(self, what: str, where: str, data: bytes | None, digest: bytes) -> bool:
        found = sha256(data).digest() if data is not None else b""
        if data is None:
            self._notes.wrong(f"{what}.missing", where, f"the keeper's {what}", "nothing")
        elif found != digest:
            self._notes.wrong(f"{what}.altered", where, digest.hex(), found.hex())
        return found == digest

    def _used(self, index: int, model_id: bytes) -> None:
        if model_id not in self.active and model_id not in self._unregistered:
            where = f"prediction at record {index}"
            self._notes.wrong("model.unregistered", where, "a model logged before", model_id.hex())
            self._unregistered.add(model_id)  # named once; it has no policy to decide by
