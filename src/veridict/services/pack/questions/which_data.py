"""2: which data? Digests of the rows a model learned from, and hashes of the blocks relied on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from veridict.core.errors import NotFound
from veridict.core.nouns import Check, Finding
from veridict.models.card import ModelCard
from veridict.services.audit.walk import Row
from veridict.services.deploy import Network
from veridict.services.pack.answers import NO_CHAIN, NO_DATA, Answer, Case, Told, count, short
from veridict.services.pack.cards import Cards
from veridict.services.papers.audit import same_rows
from veridict.services.papers.rows import reread


class WhichData:
    asked = "Which data?"

    def __init__(self, case: Case) -> None:
        self._case = case
        self._cards = Cards()

    def see(self, rows: Sequence[Row]) -> None:
        self._cards.see(rows)

    def answer(self, number: int, checks: Sequence[Check]) -> Answer:
        evidence: list[Told] = []
        findings: list[Finding] = []
        unasked: list[str] = []
        for card in self._cards.values():
            evidence += _told(card)
            if self._case.data is None:
                unasked.append(f"that {card.data_title!r} has this digest: {NO_DATA}")
            else:
                findings += self._again(card, evidence, unasked)
        if self._case.network is None:
            unasked.append("that the blocks of the anchors have the hashes noted: " + NO_CHAIN)
        else:
            told, wrong = self._blocks(self._case.network)
            evidence.append(told)
            findings += wrong
        return Answer(
            number, self.asked, len(self._cards), tuple(evidence), tuple(findings), tuple(unasked)
        )

    def _again(self, card: ModelCard, evidence: list[Told], unasked: list[str]) -> list[Finding]:
        data = self._case.data
        assert data is not None
        if data.scenario.data_name != card.data_title:
            unasked.append(
                f"that {card.data_title!r} has this digest: what was given is "
                f"{data.scenario.data_name!r}"
            )
            return []
        rows = reread(card, data.rows)
        _, findings = same_rows(card, rows)
        if not findings:
            again = f"{count(len(rows.past), 'row')} have this digest"
            evidence.append(Told("read again", again))
        described = data.scenario.croissant
        for source in card.sources:
            found = "nothing" if described is None else sha256(described).hexdigest()
            if found != source.croissant:
                where = f"the description of {source.name}"
                findings.append(Finding("data.description", where, source.croissant, found))
        return findings

    def _blocks(self, network: Network) -> tuple[Told, list[Finding]]:
        """A block's number can be of another chain's past; its hash cannot."""
        findings = []
        noted = [a for a in self._case.log.anchors() if a.chain_id == network.addresses.chain_id]
        hashes: dict[int, str] = {}
        for anchor in noted:
            try:
                block = network.client.block(anchor.block_number)
                hashes[anchor.block_number] = block.hash
                found = block.hash
            except NotFound:
                found = "no such block"
            if found != anchor.block_hash:
                where = f"block {anchor.block_number}, of the anchor of {anchor.size}"
                findings.append(Finding("anchor.block", where, found, anchor.block_hash))
        if not noted:
            return Told("blocks", "no anchor was noted"), findings
        last = noted[-1]
        return (
            Told(
                "blocks",
                f"{count(len(hashes), 'block')} with anchors, by number and hash; the last is "
                f"{last.block_number}, {last.block_hash}",
            ),
            findings,
        )


def _told(card: ModelCard) -> list[Told]:
    told = [
        Told(
            f"learned by {short(card.model_id)}",
            f"{card.data_title}, {_day(card.trained_from_s)} to {_day(card.trained_to_s)}, "
            f"rows with SHA-256 {card.data}",
        )
    ]
    for source in card.sources:
        files = ", ".join(f"{file.name} {short(file.sha256)}" for file in source.files)
        told.append(
            Told(f"published as {source.name}", f"{source.url}; {files or 'no files named'}")
        )
    return told


def _day(time_s: int) -> str:
    try:
        return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return f"{time_s} s"
