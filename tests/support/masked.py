"""A masked sum of honest members, with nobody leaving."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from veridict.federated.fixed import I64
from veridict.federated.masking.combiner import Combiner
from veridict.federated.masking.party import Party
from veridict.federated.masking.session import Session


def masked_sum(keys: Sequence[Ed25519PrivateKey], vectors: Sequence[I64], about: bytes) -> I64:
    roster = tuple(key.public_key().public_bytes_raw() for key in keys)
    session = Session(about, roster, len(vectors[0]))
    parties = [Party(session, member, key) for member, key in enumerate(keys)]
    combiner = Combiner(session)
    for party in parties:
        combiner.take(party.member, party.advertise())
    ads = combiner.advance()
    for party in parties:
        combiner.take(party.member, party.share(ads))
    shares = combiner.advance()
    for party in parties:
        combiner.take(party.member, party.mask(shares, vectors[party.member]))
    combiner.advance()
    for party in parties:
        combiner.take(party.member, party.confirm(combiner.alive))
    confirmations = combiner.advance()
    for party in parties:
        combiner.take(party.member, party.unmask(confirmations))
    return combiner.open().values
