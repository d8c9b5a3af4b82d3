"""Cases of a home: worked on here, or over the API of the node that runs there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import httpx
import msgspec

from veridict.apps.remote import TIMEOUT_S, answer_of
from veridict.apps.running import Running, running_node
from veridict.apps.settings import Settings
from veridict.apps.web.reports import draw
from veridict.apps.wire import face_of, open_node
from veridict.core.errors import VeridictError
from veridict.services.acting import Act
from veridict.services.cases.casework import Casework
from veridict.services.cases.suppressing import Limits
from veridict.services.cases.views import (
    ActView,
    CaseView,
    LinksView,
    ReportView,
    StepView,
    SuppressionView,
)
from veridict.services.node import Node
from veridict.solutions.roster import scenario_of_data

T = TypeVar("T")


class Work(Protocol):
    """What `services.cases.casework` does, wherever the node is."""

    def cases(
        self, *, status: str | None, limit: int, order: str, assigned: str | None
    ) -> list[CaseView]: ...
    def case(self, index: int) -> CaseView: ...
    def links(self, index: int) -> LinksView: ...
    def suppressions(self) -> list[SuppressionView]: ...
    def act(self, index: int, act: Act, *, by: str, note: str, stop: Limits | None) -> ActView: ...
    def assign(self, index: int, *, to: str, by: str, note: str) -> StepView: ...
    def note(self, index: int, *, note: str, by: str) -> StepView: ...
    def suppress(self, index: int, limits: Limits, *, by: str, note: str) -> SuppressionView: ...
    def revoke(self, index: int, *, by: str, note: str) -> SuppressionView: ...
    def export(self, index: int, *, by: str, note: str, redacted: bool) -> ReportView: ...


class Here(Casework):
    """The home's own node, opened by this process."""

    def export(self, index: int, *, by: str, note: str, redacted: bool) -> ReportView:
        return draw(self, index, by, note, redacted)


class There:
    """Another process's. Raises Refused with that node's own words."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def cases(
        self, *, status: str | None, limit: int, order: str, assigned: str | None
    ) -> list[CaseView]:
        asked = {"status": status, "limit": limit, "order": order, "assigned": assigned}
        given = {name: value for name, value in asked.items() if value is not None}
        return self._get("", list[CaseView], given)

    def case(self, index: int) -> CaseView:
        return self._get(f"/{index}", CaseView)

    def links(self, index: int) -> LinksView:
        return self._get(f"/{index}/links", LinksView)

    def suppressions(self) -> list[SuppressionView]:
        return self._get("/suppressions", list[SuppressionView])

    def act(self, index: int, act: Act, *, by: str, note: str, stop: Limits | None) -> ActView:
        limits = None if stop is None else {"days": stop.days, "most": stop.most}
        return self._post(f"/{index}/{act}", ActView, by=by, note=note, stop=limits)

    def assign(self, index: int, *, to: str, by: str, note: str) -> StepView:
        return self._post(f"/{index}/assign", StepView, by=by, note=note, to=to)

    def note(self, index: int, *, note: str, by: str) -> StepView:
        return self._post(f"/{index}/note", StepView, by=by, note=note)

    def suppress(self, index: int, limits: Limits, *, by: str, note: str) -> SuppressionView:
        return self._post(
            f"/{index}/suppress",
            SuppressionView,
            by=by,
            note=note,
            days=limits.days,
            most=limits.most,
        )

    def revoke(self, index: int, *, by: str, note: str) -> SuppressionView:
        return self._post(f"/suppressions/{index}/revoke", SuppressionView, by=by, note=note)

    def export(self, index: int, *, by: str, note: str, redacted: bool) -> ReportView:
        return self._post(f"/{index}/export", ReportView, by=by, note=note, redacted=redacted)

    def _get(self, path: str, kind: type[T], given: dict[str, Any] | None = None) -> T:
        reply = self._client.get(f"api/cases{path}", params=given)
        return msgspec.json.decode(answer_of(reply), type=kind)

    def _post(self, path: str, kind: type[T], **body: object) -> T:
        reply = self._client.post(f"api/cases{path}", content=msgspec.json.encode(body))
        return msgspec.json.decode(answer_of(reply), type=kind)


@contextmanager
def work_of(settings: Settings) -> Iterator[Work]:
    """The running node's, with the token of `settings`; else the home's, opened here."""
    running = running_node(settings.home)
    if running is None:
        with open_node(settings) as node:
            _tell_as_its_model(node, settings)
            yield Here(node)
        return
    with asked(running, settings) as work:
        yield work


@contextmanager
def asked(running: Running, settings: Settings) -> Iterator[There]:
    """The node that runs, in the name of whom the token of `settings` is."""
    headers = {"Authorization": f"Bearer {settings.access_token()}"}
    with httpx.Client(
        base_url=running.web, headers=headers, timeout=TIMEOUT_S, trust_env=False
    ) as client:
        yield There(client)


def _tell_as_its_model(node: Node, settings: Settings) -> None:
    """Reasons in the words of the scenario that the model's card names, where it is known."""
    if node.board.model is None:
        return
    title = node.board.model[1].model_card().data_title
    try:
        node.face = face_of(scenario_of_data(title, data_root=settings.data))
    except VeridictError:  # a file of the user's, which need not be here to work on cases
        return
