"""A keeper who keeps a whole log of lies in good order: signed, anchored, noted, proofs and all.

`forged` copies another log's records and payloads through `lie` into a log of
its own, kept under its own key and anchored by its own account. Nothing but the
lie itself is wrong with it, so an audit that names anything else is mistaken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from veridict.core.errors import BadInput
from veridict.core.nouns import Check, Payload
from veridict.ledger.entry import Entry
from veridict.ledger.keys import load_or_create_signer
from veridict.ledger.log import Log
from veridict.models.shelf import Shelf
from veridict.privacy.vault import FileVault
from veridict.services.anchoring import anchor
from veridict.services.audit import audit
from veridict.services.deploy import Network
from veridict.services.funding import funded
from veridict.services.node import Node
from veridict.services.records import (
    AnchorRecord,
    LostAnchorRecord,
    decode,
    encode,
)

Row = tuple[bytes, Payload | None]
Rows = list[Row]
Lie = Callable[[Rows], Rows]


@dataclass(frozen=True, slots=True)
class Forged:
    log: Log
    network: Network
    operator: str
    shelf: Shelf

    def audit(self) -> list[Check]:
        return audit(self.log, self.network, operator=self.operator, shelf=self.shelf)


@contextmanager
def forged(node: Node, directory: Path, lie: Lie) -> Iterator[Forged]:
    """The log of `node` as a liar keeps it, everything in order but the lie."""
    account = funded(node, f"forger in {directory.name}")
    network = node.network.acting_as(account)
    rows = [(_taken_back(body), payload) for body, payload in lie(_rows(node))]
    signer = load_or_create_signer(directory, f"veridict/{account.address.lower()}")
    with closing(Log.open(directory, signer=signer, vault=FileVault(directory))) as log:
        log.append([Entry(body, payload) for body, payload in rows])
        anchor(log, network, clock_ms=node.parts.clock())
        yield Forged(log, network, account.address, node.parts.shelf)


def _rows(node: Node) -> Rows:
    return list(zip(node.log.bodies(), node.log.payloads(), strict=True))


def _taken_back(body: bytes) -> bytes:
    """The other log's anchors are not of this one, and this liar does not say that they are."""
    try:
        record = decode(body)
    except BadInput:  # the lie may be a record that nobody can read
        return body
    if not isinstance(record, AnchorRecord):
        return body
    return encode(LostAnchorRecord(**msgspec.structs.asdict(record)))


def codes(checks: Sequence[Check]) -> set[str]:
    return {finding.code for check in checks for finding in check.findings}
