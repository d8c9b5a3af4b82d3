"""checkpoint → chain, and back when the chain reorganises; at several places at once.

places     where: a contract and an account on a chain, and what the log remembers of them
journal    what waits in the log, and where anchors are noted
notes      the notes, kept to what the chain says
schedule   when: cheap for the time waited, never past the deadline
outbox     what is on its way, written down before it is sent
poster     one place, step by step, through crashes and reorganisations
fleet      all places of a log, none of which waits for another
"""

from __future__ import annotations

from veridict.chain.finality import Finality
from veridict.core.nouns import Anchor
from veridict.ledger.log import Log
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.services.anchoring.journal import Journal
from veridict.services.anchoring.places import (
    HOME,
    Place,
    genesis_of,
    log_id,
    log_key,
    remembered,
)
from veridict.services.anchoring.poster import Plan, Poster
from veridict.services.deploy import Network

__all__ = ["anchor", "home_place", "log_id", "log_key"]


def home_place(log: Log, network: Network) -> Place:
    """The log at the chain on which `network` stands, anchored by the account of its client."""
    since = next((place.since for place in remembered(log) if place.name == HOME), 0)
    return Place(
        name=HOME,
        contract=network.anchor,
        operator=network.client.address,
        key=log_key(log.verifier.vkey),
        chain_id=network.addresses.chain_id,
        genesis=genesis_of(network.client),
        since=since,
        final_block=Finality(network.client),
    )


def anchor(
    log: Log, network: Network, *, clock_ms: int, head: SignedCheckpoint | None = None
) -> tuple[Anchor, int] | None:
    """Anchor the head of a log that nobody else writes; with its gas, None if nothing is new.

    `head` is a checkpoint of this log to anchor instead: the one that witnesses cosigned.
    """
    journal = Journal.plain(log, lambda: clock_ms)
    return Poster(home_place(log, network), journal, Plan(deadline_s=0)).now(head)
