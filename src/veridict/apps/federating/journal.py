"""What a member's updates cost in privacy, in a log of its own that nobody can change afterwards.

home/federation/<contract>/log/, an RFC 6962 log under the member's Ed25519 key: `veridict audit`
and `veridict log` read it as any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from veridict.apps.federating.home import MemberHome
from veridict.ledger.entry import Entry
from veridict.ledger.log import Log
from veridict.proofs.note import Signer
from veridict.services.federation.records import PrivacyRecord
from veridict.services.federation.rules import FederationRules
from veridict.services.federation.spending import Journal
from veridict.services.records import decode, encode


@contextmanager
def journal_of(home: MemberHome, rules: FederationRules) -> Iterator[Journal]:
    """Writes nothing where the rules promise no privacy. Raises StorageFailed, NodeRunning."""
    if rules.privacy is None:
        yield lambda record: None
        return
    signer = Signer("veridict.federation/" + home.path.name, home.key().key)
    with closing(Log.open(home.path / "log", signer=signer)) as log:

        def keep(record: PrivacyRecord) -> None:
            log.append([Entry(encode(record))])

        yield keep


def spendings(home: MemberHome) -> list[PrivacyRecord]:
    """What was kept, in order; none where nothing was promised or spent."""
    if not (home.path / "log").exists():
        return []
    with closing(Log.open_readonly(home.path / "log")) as log:
        records = [decode(body) for body in log.bodies()]
    return [record for record in records if isinstance(record, PrivacyRecord)]
