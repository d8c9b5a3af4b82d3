"""A node on the air: its dashboard, its chain's RPC, and a heartbeat that anchors and tells."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from veridict.apps.feeds import Ways, assets_of, feed_of, posting_of
from veridict.apps.settings import Settings
from veridict.apps.staff import Staff
from veridict.core.errors import VeridictError
from veridict.ledger.faces import LogFiles
from veridict.services.anchoring.poster import Plan
from veridict.services.federation import views as federations
from veridict.services.feeding.beside import following
from veridict.services.feeding.telling import feed_views
from veridict.services.garbage import only_new_garbage
from veridict.services.ingest import Ingest
from veridict.services.network.views import FOLDER, kept
from veridict.services.node import Node
from veridict.services.window import Window
from veridict.watch.scenario import Scenario

BEAT_S = 1.0
ENERGY_S = 600.0  # between records of what the work cost
SWITCH_S = 0.0005

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    node: Node
    window: Window
    web_url: str
    rpc_url: str


@contextmanager
def serving(
    node: Node,
    settings: Settings,
    *,
    host: str,
    port: int,
    anchor_every_s: int,
    scenario: Scenario[Any] | None = None,
    sources: Sequence[str] = (),
) -> Iterator[Serving]:
    """Serve `node` until the block ends; records wait `anchor_every_s` for their anchor at most.

    Where its `scenario` is payments, it can be asked about single ones, and follows `sources`.
    """
    from veridict.apps.web.app import create_app
    from veridict.apps.web.routes import payments
    from veridict.apps.web.server import WebServer

    window = Window(node)
    files = LogFiles(node.log)
    ingest = Ingest(node.log, node.parts.clock)
    token = settings.access_token()
    asked = scenario is not None and scenario.name == "payments"
    posting = posting_of(node, settings, scenario) if scenario is not None and asked else None
    told = payments.router_of(
        posting.feed if posting else None,
        assets_of(settings),
        lambda: feed_views(node.log, node.board.feeds),
    )
    app = create_app(
        window, token=token, hosts=(host,), log=files, ingest=ingest,
        outlook=lambda: kept(settings.home / FOLDER),
        work=window.casework, staff=Staff(settings.home), payments=told,
        federations=lambda: federations.kept(settings.home),
    )  # fmt: skip
    rpc_url = node.rpc_url
    node.fleet.home.ready().plan = Plan(anchor_every_s)
    stop = threading.Event()
    heart = threading.Thread(
        target=_beat, args=(node, window, stop, anchor_every_s), name="heart", daemon=True
    )
    with (
        only_new_garbage(),
        _prompt_threads(),
        ingest,
        posting or nullcontext(),
        WebServer(app, host, port) as server,
        ExitStack() as opened,
    ):
        if posting is not None:
            ways = Ways(assets_of(settings))
            feeds = [feed_of(source, ways, node, opened) for source in sources]
            opened.enter_context(following(node, posting, feeds))
        heart.start()
        try:
            yield Serving(node, window, server.url, rpc_url)
        finally:
            stop.set()
            heart.join()


@contextmanager
def _prompt_threads() -> Iterator[None]:
    """A thread that comes back from the disk waits half a millisecond for a busy one, not five.

    A batch of records goes to the disk and back some twenty times.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _beat(node: Node, window: Window, stop: threading.Event, anchor_every_s: int) -> None:
    """Every second: see what others logged, tend the chains, tell the status if anything moved.

    Witnesses that did not answer before are asked again every `anchor_every_s`.
    """
    told, waited, unmetered = -1, 0.0, 0.0
    while not stop.wait(BEAT_S):
        waited, unmetered = waited + BEAT_S, unmetered + BEAT_S
        try:
            node.follow()
            node.fleet.tend()
            if waited >= anchor_every_s:
                waited = 0.0
                node.ask_witnesses()
            if unmetered >= ENERGY_S:
                unmetered = 0.0
                node.tell_energy()
            if node.log.size != told:
                told = node.log.size
                window.bus.publish("status", window.status())
        except VeridictError as problem:  # the chain is away: records wait, nothing is lost
            _log.warning("%s: %s", problem.code, problem.message)
