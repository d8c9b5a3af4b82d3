"""A member's card: where it listens, and the certificate it listens with.

Cards are passed on in the open. A card counts only if its certificate's key is the one that the
contract has for the member, so a forged one leads nowhere.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from veridict.core.errors import BadInput, StorageFailed
from veridict.proofs.certificates import key_in


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    member: int
    url: str
    certificate: str  # PEM

    def encode(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    @property
    def key(self) -> bytes:
        """Raises BadInput."""
        return key_in(self.certificate)


def read_card(data: bytes) -> Card:
    """Raises BadInput."""
    try:
        card = msgspec.json.decode(data, type=Card)
    except msgspec.MsgspecError as error:
        raise BadInput(
            f"this is no member's card: {error}", remedy="ask the member for card.json"
        ) from error
    if not card.url.startswith("https://"):
        raise BadInput(f"a card with the address {card.url}", remedy="use an https:// address")
    return card


def read_cards(paths: list[Path]) -> list[Card]:
    """Of files. Raises StorageFailed or BadInput."""
    cards = []
    for path in paths:
        try:
            cards.append(read_card(path.read_bytes()))
        except OSError as error:
            raise StorageFailed(
                f"the card {path} cannot be read: {error.strerror}", remedy="see that it is there"
            ) from error
    return cards
