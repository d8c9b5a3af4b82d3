"""One member's side of the protocol: five steps, each once, in order."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from veridict.core.errors import BadInput, EvidenceError
from veridict.federated.fixed import I64, ONE
from veridict.federated.masking.dealing import Advert, Dealt, deal_all, sealing_key
from veridict.federated.masking.pads import (
    SEED_BYTES,
    own_pad,
    pair_key,
    pair_pad,
    public_bytes,
    to_ring,
)
from veridict.federated.masking.session import (
    Kind,
    Session,
    bits_of,
    guilty,
)

BITS_BYTES = 2


class Party:
    """Holds the secrets of one session; drop it when the session ends.

    Every step returns the signed message for everybody. A step raises EvidenceError where the
    others' messages are not what honest members send; then this member says no more.
    """

    def __init__(self, session: Session, member: int, key: Ed25519PrivateKey) -> None:
        if key.public_key().public_bytes_raw() != session.roster[member]:
            raise BadInput(
                f"member {member} has another key", remedy="use the key that is in the roster"
            )
        self.session, self.member = session, member
        self._key = key
        self._pair_seed = secrets.token_bytes(SEED_BYTES)
        self._own_seed = secrets.token_bytes(SEED_BYTES)
        self._pair_key = pair_key(self._pair_seed, session.id)
        self._seal_key = X25519PrivateKey.generate()
        self._next: Kind | None = Kind.ADVERTISE
        self._ads = self._dealings = b""
        self._adverts: dict[int, Advert] = {}
        self._shares: dict[int, tuple[bytes, bytes]] = {}
        self._alive: tuple[int, ...] = ()

    def advertise(self) -> bytes:
        self._enter(Kind.ADVERTISE)
        return self._say(
            Kind.ADVERTISE, public_bytes(self._seal_key) + public_bytes(self._pair_key)
        )

    def share(self, ads: Mapping[int, bytes]) -> bytes:
        """`ads`: the ADVERTISE messages by sender, this member's own among them."""
        self._enter(Kind.SHARE)
        self.session.enough(ads, "advertised keys")
        self._adverts = {
            sender: Advert.parse(self.session.open(message, Kind.ADVERTISE, sender), sender)
            for sender, message in ads.items()
        }
        mine = self._adverts.get(self.member)
        if mine != Advert(public_bytes(self._seal_key), public_bytes(self._pair_key)):
            raise _left_out(self.member)
        self._ads = self.session.transcript(ads)
        seeds = (self._pair_seed, self._own_seed)
        body = deal_all(self.session, self.member, seeds, self._seal_key, self._adverts, self._ads)
        return self._say(Kind.SHARE, body)

    def mask(self, shares: Mapping[int, bytes], values: I64) -> bytes:
        """`shares`: the SHARE messages by sender. `values`: int64[length], |each| <= ONE."""
        self._enter(Kind.MASK)
        if values.shape != (self.session.length,) or int(abs(values).max()) > ONE:
            raise BadInput(
                f"{values.shape[0]} values for a sum of {self.session.length}, or one above 2^27",
                remedy="encode the update with the federation's clip",
            )
        self.session.enough(shares, "dealt shares")
        if self.member not in shares:
            raise _left_out(self.member)
        holders = tuple(sorted(self._adverts))
        for dealer, message in shares.items():
            self._shares[dealer] = self._unseal(dealer, message, holders)
        self._dealings = self.session.transcript(shares)
        return self._say(Kind.MASK, self._dealings + self._padded(values))

    def confirm(self, alive: Sequence[int]) -> bytes:
        """`alive`: who sent a masked vector. This member will open for this list alone."""
        self._enter(Kind.CONFIRM)
        self.session.enough(alive, "sent a masked vector")
        if self.member not in alive or not set(alive) <= set(self._shares):
            raise _left_out(self.member)
        self._alive = tuple(sorted(set(alive)))
        return self._say(Kind.CONFIRM, confirmation(self._dealings, self._alive))

    def unmask(self, confirmations: Mapping[int, bytes]) -> bytes:
        """`confirmations`: the CONFIRM messages by sender: enough of them for one list."""
        self._enter(Kind.UNMASK)
        self.session.enough(confirmations, "confirmed who is alive")
        mine = confirmation(self._dealings, self._alive)
        for sender, message in confirmations.items():
            if self.session.open(message, Kind.CONFIRM, sender) != mine:
                raise EvidenceError(
                    f"member {sender} was told another list of who is alive",
                    remedy="somebody shows members different lists: run the round again elsewhere",
                    finding="masking.split-view",
                    member=sender,
                )
        # The one place where shares leave: of a member's two, never both.
        opened = [
            self._shares[dealer][1 if dealer in self._alive else 0]
            for dealer in sorted(self._shares)
        ]
        self._shares.clear()
        bits = bits_of(self._alive).to_bytes(BITS_BYTES, "big")
        return self._say(Kind.UNMASK, bits + b"".join(opened))

    # -- parts of the steps -------------------------------------------------------------------

    def _unseal(self, dealer: int, message: bytes, holders: tuple[int, ...]) -> tuple[bytes, bytes]:
        if dealer not in self._adverts:
            raise guilty("masking.malformed", dealer, "deals shares but advertised no key")
        dealt = Dealt.parse(self.session.open(message, Kind.SHARE, dealer), dealer, holders)
        if dealt.ads != self._ads:
            raise EvidenceError(
                f"member {dealer} was shown other keys",
                remedy="somebody shows members different keys: run the round again elsewhere",
                finding="masking.split-view",
                member=dealer,
            )
        theirs = self._adverts[dealer].seal_key
        key = sealing_key(self.session, self._seal_key, theirs, dealer, self.member)
        return dealt.unseal(self.session, self.member, key)

    def _padded(self, values: I64) -> bytes:
        session = self.session
        total = to_ring(values) + own_pad(self._own_seed, session.id, session.length)
        for other in self._shares:
            if other == self.member:
                continue
            theirs = self._adverts[other].pair_key
            pad = pair_pad(self._pair_key, theirs, session.id, session.length)
            total = total + pad if self.member < other else total - pad
        return total.astype("<u4").tobytes()

    def _enter(self, step: Kind) -> None:
        if step is not self._next:
            raise BadInput(
                f"the step {step.word} of this session is past or not yet due",
                remedy="take the steps once and in order; a new round is a new session",
            )
        # Before the step's work: one that failed is not tried again with other messages.
        self._next = None if step is Kind.UNMASK else Kind(step + 1)

    def _say(self, kind: Kind, body: bytes) -> bytes:
        return self.session.sign(self._key, kind, self.member, body)


def confirmation(dealings: bytes, alive: Sequence[int]) -> bytes:
    """The body of a CONFIRM message: the transcript of SHARE messages, and who is alive."""
    return dealings + bits_of(alive).to_bytes(BITS_BYTES, "big")


def _left_out(member: int) -> EvidenceError:
    return EvidenceError(
        f"member {member} was left out, or its message was changed",
        remedy="take part in the next round",
        finding="masking.left-out",
        member=member,
    )
