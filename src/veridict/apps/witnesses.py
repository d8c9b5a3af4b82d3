"""A node's witnesses, from its settings: the policy, whom to ask, and where their answers go."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from veridict.apps.peers import post
from veridict.apps.settings import Settings
from veridict.core.errors import BadInput, StorageFailed
from veridict.core.ports import Clock
from veridict.ledger.keys import load_or_create_cosigner
from veridict.ledger.log import Log
from veridict.ledger.view import LogView
from veridict.proofs.cosignature import Cosigner, Kind
from veridict.proofs.tlog_policy import MAX_BYTES, Policy
from veridict.services.bus import Bus
from veridict.services.views import finding_view
from veridict.services.witnessing import Answer, Post, Witnesses

POLICY_FILE = "policy.txt"
SECOND_KEY = "log-ml-dsa-44.key"
_ANSWER = "witness "  # and the URL: the log's meta key of the last answer

_log = logging.getLogger(__name__)


class Told(msgspec.Struct, frozen=True):
    """The last answer of one witness, as it is kept and told to listeners."""

    url: str
    size: int
    cosigned: bool
    finding: str | None
    message: str
    time_ms: int


def read_policy(path: Path) -> Policy:
    """Raises StorageFailed, BadInput."""
    try:
        with path.open("rb") as file:
            return Policy.parse(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise StorageFailed(
            f"the policy {path} cannot be read: {error.strerror}",
            remedy="see that the file is there, or unset VERIDICT_POLICY",
            path=str(path),
        ) from error


def policy_of(settings: Settings) -> Policy | None:
    """The policy that was set, else the home's, else none."""
    own = settings.home / POLICY_FILE
    path = settings.policy or (own if own.exists() else None)
    policy = read_policy(path) if path else None
    if policy is None and settings.witnesses:
        raise BadInput(
            "VERIDICT_WITNESSES names witnesses, and no policy says by what keys to know them",
            remedy=f"write their keys and the quorum to {own}, or set VERIDICT_POLICY",
        )
    return policy if policy is not None and policy.witnesses else None


def second_key(settings: Settings, name: str) -> Cosigner | None:
    """The log's ML-DSA-44 key, where the settings ask for one; made at the first call."""
    if not settings.ml_dsa:
        return None
    return load_or_create_cosigner(settings.home / "log" / SECOND_KEY, name, Kind.ML_DSA_44)


def second_vkey(settings: Settings, name: str) -> str | None:
    """The verifier key of the log's second key, if it has one."""
    path = settings.home / "log" / SECOND_KEY
    if not path.exists():
        return None
    return load_or_create_cosigner(path, name, Kind.ML_DSA_44).verifier.vkey


def witnesses_of(
    settings: Settings, log: Log, bus: Bus, clock: Clock, send: Post = post
) -> Witnesses | None:
    """None without a policy. From then on the log judges by it which records are witnessed."""
    policy = policy_of(settings)
    if policy is None:
        return None
    log.expect_witnesses(policy)
    named = [witness.url for witness in policy.witnesses if witness.url]
    urls = tuple(dict.fromkeys([*named, *settings.witnesses]))
    return Witnesses(log, policy, urls, send, tell=_teller(log, bus, clock))


def last_answers(log: LogView, urls: tuple[str, ...]) -> list[Told]:
    """What each of `urls` said last, of those that were ever asked."""
    found = [log.meta_get(_ANSWER + url) for url in urls]
    return [msgspec.json.decode(data, type=Told) for data in found if data is not None]


def _teller(log: Log, bus: Bus, clock: Clock) -> Callable[[Answer], None]:
    """Keeps every answer with the log, tells it to listeners, and warns of what is not well."""

    def tell(answer: Answer) -> None:
        finding = answer.finding.code if answer.finding else None
        told = Told(
            answer.url, answer.size, bool(answer.cosigned), finding, answer.sentence(), clock()
        )
        log.meta_put(_ANSWER + answer.url, msgspec.json.encode(told))
        bus.publish("witness", told)
        if answer.finding is not None:
            bus.publish("finding", finding_view(answer.finding))
            _log.error("%s", answer.sentence())
        elif answer.problem is not None:
            _log.warning("witness %s: %s", answer.url, answer.sentence())

    return tell
