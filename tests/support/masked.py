"""A masked sum of honest members, with nobody leaving."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from veridict.federated.fixed import I64
from veridict.federated.masking.combiner import Combiner
from veridict.federated.masking.party import Party
from veridict.federated.masking.session import Session


class Group:
    """`sent`: bytes that all members sent."""

    def __init__(
        self, keys: Sequence[Ed25519PrivateKey], length: int, about: bytes = bytes(32)
    ) -> None:
        roster = tuple(key.public_key().public_bytes_raw() for key in keys)
        session = Session(about, roster, length)
        self.parties = [Party(session, member, key) for member, key in enumerate(keys)]
        self.combiner = Combiner(session)
        self.sent = 0

    def sum(self, vectors: Sequence[I64] | I64) -> I64:
        ads = self._step([party.advertise() for party in self.parties])
        shares = self._step([party.share(ads) for party in self.parties])
        masked = [party.mask(shares, np.asarray(vectors[party.member])) for party in self.parties]
        self._step(masked)
        alive = self.combiner.alive
        confirmations = self._step([party.confirm(alive) for party in self.parties])
        for party in self.parties:
            self._take(party.member, party.unmask(confirmations))
        return self.combiner.open().values

    def _step(self, messages: Sequence[bytes]) -> dict[int, bytes]:
        for member, message in enumerate(messages):
            self._take(member, message)
        return self.combiner.advance()

    def _take(self, member: int, message: bytes) -> None:
        self.sent += len(message)
        self.combiner.take(member, message)


def masked_sum(keys: Sequence[Ed25519PrivateKey], vectors: Sequence[I64], about: bytes) -> I64:
    return Group(keys, len(vectors[0]), about).sum(vectors)
