"""1: which model decided? Its digest, and that it was active in the blocks it decided in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veridict.core.nouns import Anchor, Check, Finding, PredictionRecord
from veridict.services.audit.walk import Row
from veridict.services.deploy import Network
from veridict.services.pack.answers import NO_CHAIN, Answer, Case, Told, count, short
from veridict.services.records import AnchorRecord, ModelRecord
from veridict.services.registering import is_registered


@dataclass(slots=True)
class Use:
    """Predictions of one model. `after_block`: the last one stands behind a note of that block."""

    first: int
    last: int
    predictions: int = 0
    after_block: int = 0


class WhichModel:
    asked = "Which model decided?"

    def __init__(self, case: Case) -> None:
        self._case = case
        self._uses: dict[bytes, Use] = {}
        self._titles: dict[str, str] = {}
        self._block = 0

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            record = row.record
            if isinstance(record, PredictionRecord):
                use = self._uses.setdefault(record.model_id, Use(row.index, row.index))
                use.last, use.after_block = row.index, self._block
                use.predictions += 1
            elif isinstance(record, AnchorRecord):
                self._block = max(self._block, record.block_number)
            elif isinstance(record, ModelRecord):
                title = record.card.get("title")
                self._titles[record.model_id] = title if isinstance(title, str) else ""

    def answer(self, number: int, checks: Sequence[Check]) -> Answer:
        registered = checks[3]
        evidence, findings = [], list(registered.findings)
        for model_id, use in self._uses.items():
            name = short(model_id.hex())
            data = self._case.shelf.get(model_id)
            size = "bytes not at hand" if data is None else f"{len(data):,} bytes"
            evidence.append(
                Told(
                    f"model {name}",
                    f"SHA-256 {model_id.hex()} of {size}; "
                    f"{count(use.predictions, 'prediction')}, records {use.first} to {use.last}",
                )
            )
            if title := self._titles.get(model_id.hex()):
                evidence.append(Told("its title", title))
            if self._case.network is not None:
                told, found = self._active(self._case.network, model_id, use)
                evidence.append(Told("on chain", told))
                findings += found
        unasked = ["that the registry has these models, and when they were active: " + NO_CHAIN]
        return Answer(
            number, self.asked, registered.examined and len(self._uses), tuple(evidence),
            tuple(findings), tuple(unasked) if self._case.network is None else self._unanchored(),
        )  # fmt: skip

    def _active(self, network: Network, model_id: bytes, use: Use) -> tuple[str, list[Finding]]:
        """A prediction was made no later than its anchor, and no earlier than a note before it."""
        where = f"model {short(model_id.hex())}"
        if not is_registered(network, model_id):
            return "not in the registry", []  # the audit's check has named it
        owner, _, _, since, until = network.registry.call("model", model_id)
        first, last = self._covering(use.first), self._covering(use.last)
        findings = []
        if first is not None and since > first.block_number:
            due = f"registered by block {first.block_number}, which holds its first prediction"
            findings.append(Finding("model.inactive", where, due, f"registered in block {since}"))
        if until and use.after_block >= until:
            due = f"no prediction behind block {until}, in which it was deprecated"
            made = f"record {use.last}, behind a note of block {use.after_block}"
            findings.append(Finding("model.inactive", where, due, made))
        blocks = f"{first.block_number} to {last.block_number}" if first and last else "not yet any"
        ended = f", deprecated in block {until}" if until else ", active today"
        registry = network.addresses.registry
        return (
            f"registered in block {since} of chain {network.addresses.chain_id} by {owner} in "
            f"registry {registry}{ended}; its predictions were anchored in blocks {blocks}",
            findings,
        )

    def _covering(self, index: int) -> Anchor | None:
        return next((a for a in self._case.on_chain if a.size > index), None)

    def _unanchored(self) -> tuple[str, ...]:
        covered = max((a.size for a in self._case.on_chain), default=0)
        late = sum(use.last >= covered for use in self._uses.values())
        if not late:
            return ()
        return (f"in which block: predictions behind record {covered} are not anchored yet",)
