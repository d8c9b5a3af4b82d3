"""The web application of one node: routes, gate, pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from veridict import __version__
from veridict.apps.staff import Staff
from veridict.apps.web import reports
from veridict.apps.web.face import CaseFace, NodeFace, PublicLog
from veridict.apps.web.replies import install_error_replies
from veridict.apps.web.routes import (
    audit,
    cases,
    erasure,
    events,
    federation,
    health,
    log_files,
    network,
    predictions,
    statements,
    status,
)
from veridict.apps.web.security import Gate
from veridict.services.ingest import Ingest

STATIC = Path(__file__).parent / "static"


def create_app(
    node: NodeFace,
    *,
    token: str,
    hosts: Sequence[str] = (),
    log: PublicLog | None = None,
    ingest: Ingest | None = None,
    outlook: network.Outlook = network.nothing_kept,
    work: CaseFace | None = None,
    staff: Staff | None = None,
    payments: APIRouter | None = None,
    federations: federation.Federations = federation.none_joined,
) -> WebApp:
    """The dashboard and API of `node`, the files of `log` under /log, what `outlook` has kept.

    Statements are taken where there is an `ingest`, cases worked on where there is `work`, by
    the `staff` too. `payments`: routes to ask about them (`routes.payments`).
    `federations`: those this home has joined.

    `token` is asked of everything but GET and HEAD; `hosts` are names, beside
    the loopback ones, under which this may be reached. Raises BadInput for an
    empty token.
    """
    app = WebApp(
        title="veridict",
        version=__version__,
        docs_url=None,  # the bundled pages load scripts from another host
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.node = node
    app.state.desk = events.Desk()
    app.state.audit_running = Lock()
    if work is not None:
        app.include_router(cases.router_of(work, reports.draw))
    for part in (health, status, predictions, cases, erasure, audit, events):
        app.include_router(part.router)
    app.include_router(network.router_of(outlook))
    app.include_router(federation.router_of(federations))
    if payments is not None:
        app.include_router(payments)
    if log is not None:
        app.include_router(log_files.router_of(log))
    if ingest is not None:
        app.include_router(statements.router_of(ingest))
    app.mount("/", StaticFiles(directory=STATIC, html=True), name="pages")
    install_error_replies(app)
    whose = {} if staff is None else {"whose": staff.whose}
    app.gate, app.ingest = Gate(app.inside, token=token, hosts=tuple(hosts), **whose), ingest
    app.heads = {}
    return app


class WebApp(FastAPI):
    """Behind a gate that is cheaper to pass than the framework's own machinery."""

    gate: Gate
    ingest: Ingest | None
    heads: dict[bytes, int]  # of statements that the gate let in, and the length of their bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gate(scope, receive, send)

    async def inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)
