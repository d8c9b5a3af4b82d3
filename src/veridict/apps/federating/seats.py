"""What the commands of a federation do: from settings to a seat, a card, a finished model."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from veridict.apps.federating.cards import read_cards
from veridict.apps.federating.flower import ClientAppAt
from veridict.apps.federating.home import MemberHome
from veridict.apps.federating.running import running
from veridict.apps.federating.table import read_rows
from veridict.apps.settings import Settings
from veridict.chain.client import Client
from veridict.chain.http import HttpRpc
from veridict.chain.keyring import Keyring
from veridict.core.errors import BadInput, Refused
from veridict.federated.learners.arrays import Arrays
from veridict.federated.learners.learner import Rows, digest_of
from veridict.services.federation.member import Told
from veridict.services.federation.rules import FederationRules
from veridict.services.federation.seat import Seat

ROLE = "operator"


@dataclass(frozen=True, slots=True)
class Trained:
    """`data`: the canonical model, named by `id`; or named arrays as .npz, and their state's."""

    id: bytes
    data: bytes


def client_of(settings: Settings) -> Client:
    """Members of a federation share a chain, so there is a URL. Raises BadInput without."""
    if settings.rpc is None:
        raise BadInput(
            "the members of a federation meet on a chain that all of them reach",
            remedy="give --rpc URL; a running `veridict up` prints one for this machine",
        )
    account = Keyring(settings.home / "accounts.json").account(ROLE)
    return Client(HttpRpc(settings.rpc), account)


def join_federation(
    settings: Settings, contract: str, rules: Path, table: Path | None, root: Path | None, url: str
) -> tuple[int, Path]:
    """The member's number, and its card. Raises BadInput where anything does not fit the rules.

    Without `table` and `root` for members whose own code trains.
    """
    agreed = FederationRules.decode(rules.read_bytes().strip())
    if table is None or root is None:
        return _join(settings, contract, agreed, None, url)
    names = [feature.name for feature in agreed.features]
    rows, public = (read_rows(path, agreed.label, names)[1] for path in (table, root))
    return _join(settings, contract, agreed, (rows, public), url)


def _join(
    settings: Settings,
    contract: str,
    agreed: FederationRules,
    tables: tuple[Rows, Rows] | None,
    url: str,
) -> tuple[int, Path]:
    """`tables`: this party's rows, and the public batch."""
    where = urlsplit(url)
    if where.scheme != "https" or not where.hostname or not where.port:
        raise BadInput(f"{url!r} is no address", remedy="give https://HOST:PORT")
    seat = Seat.at(client_of(settings), contract)
    seat.check(agreed)
    home = MemberHome.at(settings.home, seat.contract.address)
    if tables is None:
        home.settle_arrays(agreed)
    else:
        home.settle(agreed, *tables)
    number = seat.join(home.key().public, agreed.stake)
    home.make_card(number, url)
    return number, home.path / "card.json"


def join_with_rows(
    settings: Settings,
    contract: str,
    rules: Path,
    rows: Rows,
    names: Sequence[str],
    root: Path,
    url: str,
) -> int:
    """As `join_federation`, for rows in memory; `names` of their features, if they have any."""
    agreed = FederationRules.decode(rules.read_bytes().strip())
    features = [feature.name for feature in agreed.features]
    if names and list(names) != features:
        raise BadInput(
            f"features {', '.join(names)}", remedy=f"bring, in this order: {', '.join(features)}"
        )
    public = read_rows(root, agreed.label, features)[1]
    return _join(settings, contract, agreed, (rows, public), url)[0]


def train_member(
    settings: Settings,
    contract: str,
    peers: list[Path],
    host: str,
    tell: Callable[[Told], None],
    clientapp: ClientAppAt | None = None,
) -> Trained:
    """Until the model is finished."""
    client = client_of(settings)
    home = MemberHome.at(settings.home, Seat.at(client, contract).contract.address)
    port = urlsplit(home.card().url).port or 0
    with running(home, client, contract, read_cards(peers), host, port, clientapp) as member:
        state = member.train(tell)
        learner = member.member.learner
        if isinstance(learner, Arrays):
            out = io.BytesIO()
            np.savez(out, **learner.arrays(state))  # type: ignore[arg-type]
            return Trained(digest_of(state), out.getvalue())
        model = learner.compiled(state)
        return Trained(model.model.id, model.model_bytes)


def leave_federation(settings: Settings, contract: str) -> str:
    """ "leaving", or "withdrawn" once the delay is over. Raises Refused in between."""
    seat = Seat.at(client_of(settings), contract)
    number = seat.number
    if number is None:
        raise Refused("this account is no member", remedy="look with `veridict federate status`")
    if number in seat.glance().standing:
        seat.leave()
        return "leaving"
    seat.contract.send("withdraw")
    return "withdrawn"
