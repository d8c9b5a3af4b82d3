"""The loop of one member: serve its peers, take a step, look for new cards, again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from veridict.apps.federating.cards import Card, read_card
from veridict.apps.federating.flower import ClientAppAt, FlowerTrainer
from veridict.apps.federating.home import MemberHome
from veridict.apps.federating.journal import journal_of
from veridict.apps.federating.peers import HttpsPeer
from veridict.apps.federating.serving import FederationServer
from veridict.apps.federating.tls import client_context, server_context
from veridict.chain.client import Client
from veridict.core.errors import BadInput, OperatorError
from veridict.services.federation.chronicle import Chronicle
from veridict.services.federation.exchange import Exchange
from veridict.services.federation.member import Member, Told
from veridict.services.federation.posts import Venue
from veridict.services.federation.seat import Seat
from veridict.services.federation.shelf import Shelf

STEP_S = 0.5
CARD = "card"  # kind of the posts of round 0, by which members learn of each other

_log = logging.getLogger(__name__)


class Running:
    """A member on the air. `step` once, or `train` until it is finished."""

    def __init__(
        self, member: Member, home: MemberHome, server: FederationServer, cards: list[Card]
    ) -> None:
        self.member, self._home, self._server = member, home, server
        self._known: dict[int, Card] = {}
        self._chronicle = Chronicle(member, member.counting.root, home.path)
        self.meet(cards)

    def step(self) -> Told:
        told = self.member.step()
        self._chronicle.note(told)
        self._learn_of_others()
        return told

    def train(self, tell: Callable[[Told], None], step_s: float = STEP_S) -> bytes:
        """The finished state. Troubles of chain and network are waited out."""
        last: Told | None = None
        while True:
            try:
                told = self.step()
            except OperatorError as problem:
                _log.warning("%s: %s", problem.code, problem.message)
                time.sleep(step_s)
                continue
            if told != last:
                tell(told)
                last = told
            if told.did == "finished":
                state = self.member.state()
                assert state is not None
                return state
            time.sleep(step_s)

    def meet(self, cards: list[Card]) -> None:
        """Talk to these members too, where their keys are those of the contract."""
        for card in cards:
            own = card.member == self.member.number
            if own or self._known.get(card.member) == card:
                continue
            if self.member.seat.key_of(card.member) != card.key:
                _log.warning("the card of member %d is not the member's", card.member)
                continue
            self._known[card.member] = card
            self._home.keep_card(card)
            self._server.trust([card])
            context = client_context(self._home.certificate, self._home.tls_key, card)
            self.member.exchange.peers.append(HttpsPeer(card.url, context))

    def _learn_of_others(self) -> None:
        exchange = self.member.exchange
        exchange.listen(0)
        heard = exchange.heard(0, CARD)
        if len(heard) <= len(self._known):
            return
        found = []
        for sender, body in heard.items():
            try:
                card = read_card(body)
            except BadInput:
                continue
            if card.member == sender:
                found.append(card)
        self.meet(found)


@contextmanager
def running(
    home: MemberHome,
    client: Client,
    contract: str,
    cards: list[Card],
    host: str,
    port: int,
    clientapp: ClientAppAt | None = None,
) -> Iterator[Running]:
    """Raises NotFound where this member never joined, BadInput where the port is taken.

    `clientapp` trains in place of rows.
    """
    with ExitStack() as opened:
        seat, shelf = Seat.at(client, contract), Shelf(home.shelf)
        opened.callback(shelf.close)
        exchange = Exchange(Venue(client.chain_id, seat.contract.address), shelf, home.key())
        rules = home.rules()
        if clientapp is not None:
            trainer = FlowerTrainer(rules.learner_(), clientapp)
            opened.callback(trainer.close)
            member = Member(rules, seat, exchange, trainer, None, time.monotonic)
        else:
            journal = opened.enter_context(journal_of(home, rules))
            member = Member(
                rules, seat, exchange, home.rows(), home.root(), time.monotonic, journal
            )
        own = home.card()
        known = [*home.cards(), *cards]
        context = server_context(home.certificate, home.tls_key, [own, *known])
        server = opened.enter_context(FederationServer(exchange, context, host, port))
        exchange.keys = {n: seat.key_of(n) for n in range(seat.glance().count)}
        exchange.say(0, CARD, member.number, msgspec.json.encode(own))
        yield Running(member, home, server, known)
