"""The body of a SHARE message: everybody's shares of one dealer's two seeds.

    ads 32B │ own-seed commitment 32B │ per member that advertised, in order:
        commitment of its pair share 32B │ of its own share 32B │ sealed shares 48B

`ads` is the transcript of the ADVERTISE messages the dealer saw. A sealed pair of shares is
ChaCha20-Poly1305 under a key that X25519 gives dealer and holder for this session and
direction. The dealer's own pair is sealed to itself: no exception in the layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from veridict.federated.masking.pads import derive
from veridict.federated.masking.session import KEY_BYTES, Session, guilty
from veridict.federated.masking.shares import SHARE_BYTES, commitment, deal, seed_commitment

PAIR, OWN = b"pair", b"own"
_HASH = 32
_SEALED = 2 * SHARE_BYTES + 16
_ENTRY = 2 * _HASH + _SEALED
_NONCE = bytes(12)  # each key seals one message


@dataclass(frozen=True, slots=True)
class Advert:
    """What a member advertised: whereto seal for it, and the public half of its pads."""

    seal_key: bytes
    pair_key: bytes

    @classmethod
    def parse(cls, body: bytes, sender: int) -> Advert:
        if len(body) != 2 * KEY_BYTES:
            raise guilty("masking.malformed", sender, "advertised something else than two keys")
        return cls(body[:KEY_BYTES], body[KEY_BYTES:])


@dataclass(frozen=True, slots=True)
class Entry:
    """For one holder: commitments to its two shares, and the shares, sealed."""

    pair: bytes
    own: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Dealt:
    """A SHARE body, read."""

    dealer: int
    ads: bytes
    own_seed: bytes
    entries: dict[int, Entry]

    @classmethod
    def parse(cls, body: bytes, dealer: int, holders: tuple[int, ...]) -> Dealt:
        if len(body) != 2 * _HASH + _ENTRY * len(holders):
            raise guilty("masking.malformed", dealer, "dealt shares for another group")
        entries = {}
        for place, holder in enumerate(holders):
            at = 2 * _HASH + place * _ENTRY
            pair, own = body[at : at + _HASH], body[at + _HASH : at + 2 * _HASH]
            entries[holder] = Entry(pair, own, body[at + 2 * _HASH : at + _ENTRY])
        return cls(dealer, body[:_HASH], body[_HASH : 2 * _HASH], entries)

    def committed(self, session: Session, holder: int, what: bytes, share: bytes) -> bool:
        """Whether `share` is the one that was dealt."""
        entry = self.entries[holder]
        said = entry.pair if what == PAIR else entry.own
        return commitment(session.id, self.dealer, holder, what, share) == said

    def unseal(self, session: Session, holder: int, key: bytes) -> tuple[bytes, bytes]:
        """The holder's (pair, own) shares. Raises EvidenceError against the dealer."""
        try:
            plain = ChaCha20Poly1305(key).decrypt(_NONCE, self.entries[holder].sealed, None)
        except InvalidTag:
            raise guilty(
                "masking.dealt-badly", self.dealer, f"sealed no shares for member {holder}"
            ) from None
        pair, own = plain[:SHARE_BYTES], plain[SHARE_BYTES:]
        if not (
            self.committed(session, holder, PAIR, pair)
            and self.committed(session, holder, OWN, own)
        ):
            raise guilty(
                "masking.dealt-badly", self.dealer, f"dealt member {holder} other shares than said"
            )
        return pair, own


def deal_all(
    session: Session,
    dealer: int,
    seeds: tuple[bytes, bytes],
    seal_key: X25519PrivateKey,
    adverts: Mapping[int, Advert],
    ads: bytes,
) -> bytes:
    """The body of a SHARE message for `seeds` = (pair, own)."""
    pair_seed, own_seed = seeds
    pairs = deal(pair_seed, session.threshold, session.n)
    owns = deal(own_seed, session.threshold, session.n)
    body = [ads, seed_commitment(session.id, dealer, own_seed)]
    for holder in sorted(adverts):
        key = sealing_key(session, seal_key, adverts[holder].seal_key, dealer, holder)
        body += (
            commitment(session.id, dealer, holder, PAIR, pairs[holder]),
            commitment(session.id, dealer, holder, OWN, owns[holder]),
            ChaCha20Poly1305(key).encrypt(_NONCE, pairs[holder] + owns[holder], None),
        )
    return b"".join(body)


def sealing_key(
    session: Session, mine: X25519PrivateKey, theirs: bytes, dealer: int, holder: int
) -> bytes:
    """Known to dealer and holder only. Raises EvidenceError for a key that is none."""
    try:
        secret = mine.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError:  # a point of small order
        raise guilty("masking.bad-key", holder, "advertised a key of small order") from None
    return derive(secret, session.id, b"seal %d to %d" % (dealer, holder))
