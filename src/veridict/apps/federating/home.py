"""A member's folder: home/federation/<contract>/

rules.json         what was agreed
key, tls.key,      the member's Ed25519 key in two forms, 0600
tls.crt, card.json its certificate, and its card for the others
rows.npz           its own rows, never sent
root.npz           the public root batch
cards/             those of others, by member number
member.sqlite      states, drafts, posts
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from veridict.apps.federating.cards import Card, read_card, read_cards
from veridict.core.errors import BadInput, NotFound, StorageFailed
from veridict.core.files import SECRET, replace_file
from veridict.federated.learners.learner import Rows
from veridict.proofs.certificates import private_pem, self_signed
from veridict.proofs.signing import PrivateKey
from veridict.services.federation.rules import FederationRules, root_digest


@dataclass(frozen=True, slots=True)
class MemberHome:
    """Opened with `at`; everything in it is this party's alone."""

    path: Path

    @classmethod
    def at(cls, home: Path, contract: str) -> MemberHome:
        return cls(home / "federation" / contract.lower())

    @property
    def certificate(self) -> Path:
        return self.path / "tls.crt"

    @property
    def tls_key(self) -> Path:
        return self.path / "tls.key"

    @property
    def shelf(self) -> Path:
        return self.path / "member.sqlite"

    def key(self) -> PrivateKey:
        """Made at the first call."""
        return PrivateKey.load_or_create(self.path / "key")

    def settle(self, rules: FederationRules, rows: Rows, root: Rows) -> None:
        """Keep what a member brings. Raises BadInput where it does not fit the rules."""
        if root_digest(root) != rules.root:
            raise BadInput(
                "this root batch is not the one that the rules name",
                remedy="ask who made the rules for the same file",
                rules=rules.root,
            )
        names = [feature.name for feature in rules.features]
        if rows.features.shape[1] != len(names) or len(rows) > rules.rows_max:
            raise BadInput(
                f"{len(rows)} rows of {rows.features.shape[1]} features do not fit the rules",
                remedy=f"bring at most {rules.rows_max} rows of: {', '.join(names)}",
            )
        self._write("rules.json", rules.encode())
        self._write("rows.npz", _packed(rows))
        self._write("root.npz", _packed(root))

    def settle_arrays(self, rules: FederationRules) -> None:
        """The same where the party's own code trains, over rows that stay with it."""
        if rules.learner != "arrays":
            raise BadInput(
                f"the learner {rules.learner} is trained on a table",
                remedy="join with --table and --root",
            )
        self._write("rules.json", rules.encode())

    def make_card(self, member: int, url: str) -> Card:
        key = self.key()
        certificate = self_signed(key, f"member {member}")
        self._write("tls.key", private_pem(key))
        self._write("tls.crt", certificate.encode())
        card = Card(member, url, certificate)
        self._write("card.json", card.encode())
        return card

    def card(self) -> Card:
        return read_card(self._read("card.json"))

    def rules(self) -> FederationRules:
        return FederationRules.decode(self._read("rules.json"))

    def rows(self) -> Rows:
        return _unpacked(self._read("rows.npz"))

    def root(self) -> Rows:
        return _unpacked(self._read("root.npz"))

    def keep_card(self, card: Card) -> None:
        self._write(f"cards/{card.member}.json", card.encode())

    def cards(self) -> list[Card]:
        """Of others, as they were kept."""
        return read_cards(sorted((self.path / "cards").glob("*.json")))

    def _write(self, name: str, data: bytes) -> None:
        path = self.path / name
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, data, mode=SECRET)
        except OSError as error:
            raise StorageFailed(
                f"{path.name} cannot be written: {error.strerror}",
                remedy="make the folder writable for this user",
            ) from error

    def _read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise NotFound(
                f"there is no {name} for this federation here",
                remedy="join it with `veridict federate join`",
            ) from error


def _packed(rows: Rows) -> bytes:
    out = io.BytesIO()
    np.savez(out, features=rows.features, labels=rows.labels)
    return out.getvalue()


def _unpacked(data: bytes) -> Rows:
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        return Rows(kept["features"], kept["labels"])
