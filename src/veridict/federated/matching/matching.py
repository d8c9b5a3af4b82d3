"""Private set intersection by Diffie-Hellman (Meadows 1986; Huberman, Franklin & Hogg 1999).

    offer     each party: its identifiers as points, times its secret, in an order of no meaning
    answer    each party: the other's points, times its own secret as well, in the other's order
    matched   each party: what is equal in both, by the identifiers it has itself

Both learn which of their own identifiers the other has, and how many the other brought. Against
a party that follows the protocol nothing else is told (under DDH, with SHA-512 as an oracle). One
that does not may bring identifiers it only guesses, as in any matching, and learn which of them
the other has: `most` bounds how many. It may also answer falsely, and so make the other see
fewer matches or wrong ones; it cannot learn more by that. The first to receive an answer may
keep its own back.

    offer   "M" │ domain 32B │ points; answer  "m" │ SHA-256 of the offer 32B │ points
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from veridict.core.errors import BadInput, EvidenceError
from veridict.federated.matching.points import POINT_BYTES, hidden, hidden_again

MOST = 10_000_000
_HEAD = 33
_OFFER, _ANSWER = b"M", b"m"


@dataclass(frozen=True, slots=True)
class Matching:
    """One party's side. `domain`: 32 bytes that both agree on, fresh for each matching."""

    domain: bytes
    identifiers: tuple[bytes, ...]  # in the order in which they are offered
    secret: bytes

    @classmethod
    def of(cls, domain: bytes, identifiers: Sequence[bytes]) -> Matching:
        """Raises BadInput for none, or for the same twice: how often would be told."""
        if len(domain) != 32:
            raise BadInput("a matching's name has 32 bytes", remedy="hash what you agreed on")
        order = sorted(set(identifiers))
        if not order or len(order) != len(identifiers):
            raise BadInput(
                f"{len(identifiers)} identifiers, {len(order)} of them different",
                remedy="bring each identifier once, and at least one",
            )
        secrets.SystemRandom().shuffle(order)
        return cls(domain, tuple(order), secrets.token_bytes(32))

    def offer(self, processes: int = 0) -> bytes:
        """Identifiers never leave, nor their hashes: points that only this secret could undo."""
        points = hidden(self.domain, list(self.identifiers), self.secret, _many(processes))
        return _OFFER + self.domain + b"".join(points)

    def answer(self, offer: bytes, processes: int = 0, most: int = MOST) -> bytes:
        """Raises EvidenceError for an offer of another matching, or of more than `most`."""
        if offer[:1] != _OFFER or offer[1:_HEAD] != self.domain:
            raise _strange("an offer of another matching, or none")
        points = _points(offer)
        if len(points) > most:
            raise EvidenceError(
                f"the other party brings {len(points)} identifiers, {most} were agreed on",
                remedy="ask what it wants to match: with guesses it learns who is in your data",
                finding="matching.too-many",
            )
        if len(set(points)) != len(points):
            raise _strange("the same point twice")
        return (
            _ANSWER
            + sha256(offer).digest()
            + b"".join(hidden_again(points, self.secret, _many(processes)))
        )

    def matched(
        self, own_offer: bytes, own_answered: bytes, answer_given: bytes
    ) -> tuple[bytes, ...]:
        """The identifiers that both have, sorted. `own_answered`: the other's answer to
        `own_offer`; `answer_given`: this party's to the other's offer. Raises EvidenceError."""
        digest = sha256(own_offer).digest()
        if own_answered[:1] != _ANSWER or own_answered[1:_HEAD] != digest:
            raise _strange("an answer to another offer, or none")
        doubly = _points(own_answered)
        if len(doubly) != len(self.identifiers):
            raise _strange("an answer of another length than was offered")
        theirs = set(_points(answer_given))
        return tuple(
            sorted(
                identifier
                for identifier, point in zip(self.identifiers, doubly, strict=True)
                if point in theirs
            )
        )


def _points(message: bytes) -> list[bytes]:
    body = message[_HEAD:]
    if len(body) % POINT_BYTES or not body:
        raise _strange("something else than points")
    return [body[at : at + POINT_BYTES] for at in range(0, len(body), POINT_BYTES)]


def _many(processes: int) -> int:
    return processes or os.cpu_count() or 1


def _strange(what: str) -> EvidenceError:
    return EvidenceError(
        f"the other party sent {what}",
        remedy="agree on the matching again, and send whole files",
        finding="matching.malformed",
    )
