"""A member's posts and states, and how it comes by those of others: by asking its peers.

Nothing is pushed and nobody is needed: what one member has, all that reach it will have. A
post is kept only under its sender's signature, so it does not matter who passed it on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from veridict.core.errors import BadInput, EvidenceError, PeerUnavailable
from veridict.proofs.signing import PrivateKey
from veridict.services.federation.posts import Peer, Place, Post, Venue
from veridict.services.federation.shelf import Shelf


class Exchange:
    """`keys`: the members', by number; replaced as members join. Itself a `Peer` for others."""

    def __init__(
        self, venue: Venue, shelf: Shelf, key: PrivateKey, peers: Sequence[Peer] = ()
    ) -> None:
        self.venue, self.shelf = venue, shelf
        self.peers: list[Peer] = list(peers)
        self.keys: Mapping[int, bytes] = {}
        self.findings: list[EvidenceError] = []
        self.key = key

    # -- what this member says -----------------------------------------------------------------

    def say(self, round_: int, kind: str, sender: int, body: bytes) -> None:
        """Once a kind and round: what was said first stays."""
        post = Post.sign(self.venue, self.key, round_, kind, sender, body)
        self.shelf.put_post(round_, post.place, post.data)

    # -- what it has heard ---------------------------------------------------------------------

    def heard(self, round_: int, kind: str) -> dict[int, bytes]:
        """Sender → body. Signatures were checked when the posts were kept."""
        return {
            sender: Post.parse(data).body
            for sender, data in self.shelf.posts(round_, kind).items()
            if sender in self.keys
        }

    def listen(self, round_: int) -> int:
        """Fetch from all peers what is missing of a round; how many posts were new.

        A peer that is away is passed over; a forged post is a finding against nobody but it.
        """
        new = 0
        for peer in self.peers:
            try:
                offered = peer.posts(round_, self.shelf.places(round_))
            except PeerUnavailable:
                continue
            for data in offered:
                try:
                    post = Post.read(self.venue, data, self.keys)
                except (BadInput, EvidenceError) as error:
                    if isinstance(error, EvidenceError):
                        self.findings.append(error)
                    continue
                if post.round == round_:
                    new += self.shelf.put_post(round_, post.place, post.data)
        return new

    def find_state(self, digest: bytes) -> bytes | None:
        """From the shelf, or else from any peer; it is what its digest says or it is not taken."""
        found = self.shelf.state(digest)
        for peer in self.peers if found is None else ():
            try:
                offered = peer.state(digest)
            except PeerUnavailable:
                continue
            if offered is not None and sha256(offered).digest() == digest:
                self.shelf.put_state(offered)
                return offered
        return found

    # -- as a peer -----------------------------------------------------------------------------

    def posts(self, round_: int, have: frozenset[Place]) -> list[bytes]:
        return self.shelf.others(round_, have)

    def state(self, digest: bytes) -> bytes | None:
        return self.shelf.state(digest)
