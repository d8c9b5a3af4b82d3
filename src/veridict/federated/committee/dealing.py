"""A member's update as it is dealt to the committee: what is hashed, committed to, revealed.

    weight u32 │ ephemeral X25519 key 32B │ commitments to three component keys 3 × 32B │
    for each seat the keys of its two components, sealed 80B │ the last component

The seats' X25519 keys are those that belong to the members' Ed25519 keys, so nobody has to be
there when an update is dealt. A dealer keeps the component keys: when the committee is late
it seals those of the first two seats for the stand-bys as well.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256, sha512

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from veridict.core.errors import BadInput
from veridict.federated.committee.components import (
    COMPONENTS,
    KEY_BYTES,
    Component,
    component_bytes,
    split,
)
from veridict.federated.committee.field import P
from veridict.federated.committee.proof import Shape, prove
from veridict.federated.fixed import I64, WEIGHT_ONE, check_length

SEATS = 3
_BOX = 2 * KEY_BYTES + 16
_HEAD = 4 + 32 + 32 * COMPONENTS
_CURVE = 2**255 - 19


def held_by(seat: int) -> tuple[int, int]:
    """The components of a seat."""
    return seat, (seat + 1) % COMPONENTS


@dataclass(frozen=True, slots=True)
class Dealt:
    """What is public of an update. `context`: 32 bytes that name federation, round and model."""

    dealer: int
    context: bytes
    length: int
    weight: int
    ephemeral: bytes
    commitments: tuple[bytes, ...]
    boxes: tuple[bytes, ...]
    sent: bytes
    digest: bytes

    @classmethod
    def parse(cls, body: bytes, context: bytes, dealer: int, length: int) -> Dealt:
        """Raises BadInput for what is malformed."""
        check_length(length)
        weight = int.from_bytes(body[:4], "big")
        if len(body) != dealt_bytes(length) or not 0 < weight <= WEIGHT_ONE:
            raise BadInput(
                f"{len(body)} bytes are no update of {length} values for a committee",
                remedy="deal components as the federation's model asks for them",
            )
        rest = body[_HEAD + SEATS * _BOX :]
        return cls(
            dealer,
            context,
            length,
            weight,
            body[4:36],
            tuple(body[36 + 32 * k : 68 + 32 * k] for k in range(COMPONENTS)),
            tuple(body[_HEAD + _BOX * s : _HEAD + _BOX * (s + 1)] for s in range(SEATS)),
            rest,
            sha256(body).digest(),
        )

    @property
    def point(self) -> int:
        """Where the proof is checked: fixed by all that was dealt."""
        drawn = sha512(b"point\0" + self.context + self.digest).digest()
        return int.from_bytes(drawn, "little") % P

    def unseal(self, key: Ed25519PrivateKey, seat: int) -> dict[int, Component] | None:
        """The seat's components by number; None where they are not what was committed to."""
        return self._opened(key, seat, self.ephemeral, self.boxes[seat])

    def inherit(
        self, key: Ed25519PrivateKey, seat: int, heir: bytes
    ) -> dict[int, Component] | None:
        """The same from what the dealer sealed for a stand-by later."""
        if len(heir) != 32 + _BOX:
            return None
        return self._opened(key, seat, heir[:32], heir[32:])

    def _opened(
        self, key: Ed25519PrivateKey, seat: int, ephemeral: bytes, box: bytes
    ) -> dict[int, Component] | None:
        try:
            secret = _private(key).exchange(X25519PublicKey.from_public_bytes(ephemeral))
            plain = _cipher(secret, self.context, self.dealer, seat).decrypt(bytes(12), box, None)
        except (InvalidTag, ValueError):
            return None
        found = {}
        for place, number in enumerate(held_by(seat)):
            part = plain[KEY_BYTES * place : KEY_BYTES * (place + 1)]
            if _commitment(self.context, self.dealer, number, part) != self.commitments[number]:
                return None
            found[number] = Component.of(number, part, self.sent, self.length)
        return found


def dealt_bytes(length: int) -> int:
    return _HEAD + SEATS * _BOX + component_bytes(length)


def deal(
    values: I64, weight: int, seats: Sequence[bytes], context: bytes, dealer: int
) -> tuple[bytes, bytes]:
    """The body, and the three component keys. `seats`: Ed25519 keys of the committee.

    `values`: the update without its weight, of norm <= ONE, as `fixed.mean` gives it.
    """
    keys = [secrets.token_bytes(KEY_BYTES) for _ in range(COMPONENTS)]
    blinds = [secrets.randbelow(P) for _ in range(Shape(len(values)).columns)]
    sent = split(values, prove(values, blinds), keys)
    ephemeral = X25519PrivateKey.generate()
    body = [weight.to_bytes(4, "big"), ephemeral.public_key().public_bytes_raw()]
    body += [_commitment(context, dealer, k, key) for k, key in enumerate(keys)]
    for seat, to in enumerate(seats):
        body.append(_sealed(keys, seat, to, ephemeral, context, dealer))
    return b"".join([*body, sent]), b"".join(keys)


def bequeath(kept: bytes, seat: int, to: bytes, context: bytes, dealer: int) -> bytes:
    """For a stand-by: the keys of a seat's components, from those `deal` gave."""
    keys = [kept[KEY_BYTES * k : KEY_BYTES * (k + 1)] for k in range(COMPONENTS)]
    ephemeral = X25519PrivateKey.generate()
    box = _sealed(keys, seat, to, ephemeral, context, dealer)
    return ephemeral.public_key().public_bytes_raw() + box


def exchange_key(signing: bytes) -> X25519PublicKey:
    """The X25519 key of an Ed25519 one: u = (1 + y) / (1 - y) (RFC 7748, 4.1).

    Raises BadInput for the one key that has none.
    """
    y = int.from_bytes(signing, "little") & ((1 << 255) - 1)
    if (1 - y) % _CURVE == 0:
        raise BadInput("an Ed25519 key of small order", remedy="make another key")
    u = (1 + y) * pow(1 - y, -1, _CURVE) % _CURVE
    return X25519PublicKey.from_public_bytes(u.to_bytes(32, "little"))


def _private(key: Ed25519PrivateKey) -> X25519PrivateKey:
    """RFC 8032 hashes the seed to the scalar; RFC 7748 clamps it the same way."""
    return X25519PrivateKey.from_private_bytes(sha512(key.private_bytes_raw()).digest()[:32])


def _sealed(
    keys: Sequence[bytes],
    seat: int,
    to: bytes,
    ephemeral: X25519PrivateKey,
    context: bytes,
    dealer: int,
) -> bytes:
    cipher = _cipher(ephemeral.exchange(exchange_key(to)), context, dealer, seat)
    return cipher.encrypt(bytes(12), b"".join(keys[k] for k in held_by(seat)), None)


def _cipher(secret: bytes, context: bytes, dealer: int, seat: int) -> ChaCha20Poly1305:
    """Each key seals one message."""
    info = b"committee %d to seat %d" % (dealer, seat)
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt=context, info=info).derive(secret))


def _commitment(context: bytes, dealer: int, number: int, key: bytes) -> bytes:
    head = dealer.to_bytes(2, "big") + bytes([number])
    return sha256(b"component\0" + context + head + key).digest()
