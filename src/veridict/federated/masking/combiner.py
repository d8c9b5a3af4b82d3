"""The combiner: collects what members say, and opens the sum. It holds no secret.

Any number of combiners may run side by side: given the same messages they find the same sum.
A message that is wrong is refused by name, and the rest goes on while enough members are left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veridict.core.errors import BadInput
from veridict.federated.fixed import I64
from veridict.federated.masking.dealing import OWN, PAIR, Advert, Dealt
from veridict.federated.masking.pads import (
    U32,
    from_ring,
    own_pad,
    pair_key,
    pair_pad,
    public_bytes,
)
from veridict.federated.masking.party import BITS_BYTES, confirmation
from veridict.federated.masking.session import Kind, Session, bits_of, guilty
from veridict.federated.masking.shares import SHARE_BYTES, restore, seed_commitment

_HASH = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """The sum over `members`, int64[length]."""

    values: I64
    members: tuple[int, ...]


class Combiner:
    """`take` messages of the current step, then `advance`; after the last step, `open`."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.step = Kind.ADVERTISE
        self._said: dict[Kind, dict[int, bytes]] = {kind: {} for kind in Kind}
        self._transcripts: dict[Kind, bytes] = {}
        self._adverts: dict[int, Advert] = {}
        self._dealt: dict[int, Dealt] = {}
        self._masked: dict[int, U32] = {}
        self._opened: dict[int, dict[int, bytes]] = {}  # dealer → holder → share

    @property
    def expected(self) -> tuple[int, ...]:
        """Who may speak in this step: those who did in the last one that counts."""
        before = {
            Kind.ADVERTISE: range(self.session.n),
            Kind.SHARE: self._adverts,
            Kind.MASK: self._dealt,
        }
        return tuple(sorted(before.get(self.step, self._masked)))

    @property
    def alive(self) -> tuple[int, ...]:
        return tuple(sorted(self._masked))

    def take(self, sender: int, message: bytes) -> None:
        """Raises EvidenceError naming the sender; then nothing is kept of the message."""
        if sender not in self.expected:
            raise guilty("masking.out-of-turn", sender, f"has no part in the step {self.step.word}")
        if self._said[self.step].get(sender, message) != message:
            raise guilty("masking.two-faced", sender, f"sent two {self.step.word} messages")
        body = self.session.open(message, self.step, sender)
        getattr(self, f"_take_{self.step.word}")(sender, body)
        self._said[self.step][sender] = message

    def advance(self) -> dict[int, bytes]:
        """Ends the step: what all members are to see of it. Raises EvidenceError for too few."""
        said = self._said[self.step]
        self.session.enough(said, f"took the step {self.step.word}")
        self._transcripts[self.step] = self.session.transcript(said)
        if self.step is Kind.UNMASK:
            raise BadInput("there is no step after unmask", remedy="open the sum")
        self.step = Kind(self.step + 1)
        return dict(said)

    def open(self) -> Opened:
        """The sum of those who sent a masked vector. Raises EvidenceError, naming who lied."""
        self.session.enough(self._said[Kind.UNMASK], "opened their shares")
        total = np.zeros(self.session.length, np.uint32)
        for vector in self._masked.values():
            total += vector
        for dealer in self._dealt:
            if dealer in self._masked:
                seed = self._seed(dealer)
                total -= own_pad(seed, self.session.id, self.session.length)
            else:
                total -= self._left_behind(dealer)
        return Opened(from_ring(total), self.alive)

    # -- one step each ------------------------------------------------------------------------

    def _take_advertise(self, sender: int, body: bytes) -> None:
        self._adverts[sender] = Advert.parse(body, sender)

    def _take_share(self, sender: int, body: bytes) -> None:
        dealt = Dealt.parse(body, sender, tuple(sorted(self._adverts)))
        if dealt.ads != self._transcripts[Kind.ADVERTISE]:
            raise guilty("masking.split-view", sender, "answers to other keys than were advertised")
        self._dealt[sender] = dealt

    def _take_mask(self, sender: int, body: bytes) -> None:
        if len(body) != _HASH + 4 * self.session.length:
            raise guilty("masking.malformed", sender, "sent a vector of another length")
        if body[:_HASH] != self._transcripts[Kind.SHARE]:
            raise guilty("masking.split-view", sender, "answers to other shares than were dealt")
        self._masked[sender] = np.frombuffer(body, "<u4", offset=_HASH).astype(np.uint32)

    def _take_confirm(self, sender: int, body: bytes) -> None:
        if body != confirmation(self._transcripts[Kind.SHARE], self.alive):
            raise guilty("masking.split-view", sender, "confirms another list of who is alive")

    def _take_unmask(self, sender: int, body: bytes) -> None:
        dealers = sorted(self._dealt)
        if len(body) != BITS_BYTES + SHARE_BYTES * len(dealers):
            raise guilty("masking.malformed", sender, "opened another number of shares")
        if int.from_bytes(body[:BITS_BYTES], "big") != bits_of(self.alive):
            raise guilty("masking.split-view", sender, "opens for another list of who is alive")
        shares = {
            dealer: body[BITS_BYTES + place * SHARE_BYTES :][:SHARE_BYTES]
            for place, dealer in enumerate(dealers)
        }
        for dealer, share in shares.items():
            what = OWN if dealer in self._masked else PAIR
            if not self._dealt[dealer].committed(self.session, sender, what, share):
                raise guilty("masking.lying-unmask", sender, f"opened no share of member {dealer}")
        for dealer, share in shares.items():
            self._opened.setdefault(dealer, {})[sender] = share

    # -- opening ------------------------------------------------------------------------------

    def _seed(self, dealer: int) -> bytes:
        seed = restore(self._opened[dealer], self.session.threshold)
        if dealer in self._masked:
            true = seed_commitment(self.session.id, dealer, seed) == self._dealt[dealer].own_seed
        else:
            public = public_bytes(pair_key(seed, self.session.id))
            true = public == self._adverts[dealer].pair_key
        if not true:
            # Every share is the one it dealt, so no holder can have caused this.
            raise guilty("masking.dealt-badly", dealer, "dealt shares of no seed it stands by")
        return seed

    def _left_behind(self, dead: int) -> U32:
        """What the living added for pads with a member that then sent nothing."""
        session = self.session
        key = pair_key(self._seed(dead), session.id)
        total = np.zeros(session.length, np.uint32)
        for member in self._masked:
            pad = pair_pad(key, self._adverts[member].pair_key, session.id, session.length)
            total = total + pad if member < dead else total - pad
        return total
