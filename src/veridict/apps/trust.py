"""Reading logs as a stranger does: where they lie, and whom to believe about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from veridict.apps.peers import fetcher
from veridict.apps.settings import Settings
from veridict.apps.vaults import open_vault
from veridict.apps.witnesses import read_policy
from veridict.core.errors import BadInput, NotFound
from veridict.ledger.filestores import open_store
from veridict.ledger.log import Log
from veridict.ledger.published import Fetch, PublishedLog, Trust
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.cosignature import log_verifier


def trust_of(vkeys: Sequence[str], policy: Path | None) -> Trust:
    """Any of `vkeys`, all of one log, and the quorum of the policy file, whose logs count too.

    Raises BadInput where neither is given.
    """
    if not vkeys and policy is None:
        raise BadInput(
            "whom to believe is not said",
            remedy="pass the log's key with --vkey, or logs and witnesses with --policy",
        )
    verifiers = [log_verifier(vkey) for vkey in vkeys]
    if policy is not None:
        known = read_policy(policy)
        return lambda signed: known.verify(signed, verifiers)
    if len({verifier.name for verifier in verifiers}) > 1:
        raise BadInput("these are keys of several logs", remedy="name the log in a policy file")

    def trust(signed: SignedCheckpoint) -> Checkpoint:
        return signed.verify(verifiers, verifiers[0].name)

    return trust


@contextmanager
def open_log(settings: Settings, *, sealed: bool = False) -> Iterator[Log]:
    """The home's log for reading, also while its node runs; `sealed` payloads too.

    Raises NotFound, StorageFailed.
    """
    directory = settings.home / "log"
    if not directory.is_dir():
        raise NotFound(
            f"{settings.home} holds no log",
            remedy="name the home of a node with --home, or run `veridict demo` first",
        )
    vault = open_vault(settings, writable=False) if sealed else None
    with Log.open_readonly(directory, store=settings.store, vault=vault) as log:
        yield log


def open_published(place: str, trust: Trust) -> PublishedLog:
    """A published log in a folder, at a URL, or in a store of fsspec's."""
    remote = place.startswith(("http://", "https://"))
    fetch: Fetch = fetcher(place) if remote else open_store(place).read
    return PublishedLog(fetch, trust)
