"""What the commands of a federation do: from settings to a seat, a card, a finished model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from veridict.apps.federating.cards import read_cards
from veridict.apps.federating.home import MemberHome
from veridict.apps.federating.running import running
from veridict.apps.federating.table import read_rows
from veridict.apps.settings import Settings
from veridict.chain.client import Client
from veridict.chain.http import HttpRpc
from veridict.chain.keyring import Keyring
from veridict.core.errors import BadInput, Refused
from veridict.models.compile import Compiled
from veridict.services.federation.member import Told
from veridict.services.federation.rules import FederationRules
from veridict.services.federation.seat import Seat

ROLE = "operator"


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
    settings: Settings, contract: str, rules: Path, table: Path, root: Path, url: str
) -> tuple[int, Path]:
    """The member's number, and its card. Raises BadInput where anything does not fit the rules."""
    where = urlsplit(url)
    if where.scheme != "https" or not where.hostname or not where.port:
        raise BadInput(f"{url!r} is no address", remedy="give https://HOST:PORT")
    agreed = FederationRules.decode(rules.read_bytes().strip())
    names = [feature.name for feature in agreed.features]
    seat = Seat.at(client_of(settings), contract)
    seat.check(agreed)
    home = MemberHome.at(settings.home, seat.contract.address)
    rows = read_rows(table, agreed.label, names)[1]
    home.settle(agreed, rows, read_rows(root, agreed.label, names)[1])
    number = seat.join(home.key().public, agreed.stake)
    home.make_card(number, url)
    return number, home.path / "card.json"


def train_member(
    settings: Settings, contract: str, peers: list[Path], host: str, tell: Callable[[Told], None]
) -> Compiled:
    """Until the model is finished."""
    client = client_of(settings)
    home = MemberHome.at(settings.home, Seat.at(client, contract).contract.address)
    port = urlsplit(home.card().url).port or 0
    with running(home, client, contract, read_cards(peers), host, port) as member:
        state = member.train(tell)
        return member.member.learner.compiled(state)


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
