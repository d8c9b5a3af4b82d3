"""What the web needs of a node. `services.node.Node` is one; the tests have a small true one."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal, Protocol

from veridict.ledger.lookup import Query
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.tlog_tiles import TilePath
from veridict.services import views
from veridict.services.cases.casework import Casework
from veridict.services.cases.suppressing import Limits
from veridict.services.cases.views import ActView, CaseView
from veridict.services.records import Ground

ActName = Literal["release", "confirm"]
CaseFace = Casework  # what is told and done of cases by a node with a log


class NodeEvent(Protocol):
    """`kind` is prediction, status, step, case or finding; `data` is the dataclass that says it."""

    @property
    def kind(self) -> str: ...
    @property
    def data(self) -> object: ...


class Subscription(Protocol):
    def get(self, *, timeout: float) -> NodeEvent:
        """The next event. Raises queue.Empty when none comes in `timeout` seconds."""


class EventBus(Protocol):
    def subscribe(self) -> AbstractContextManager[Subscription]:
        """A bounded queue of events from now on; slow readers lose the oldest."""


class NodeFace(Protocol):
    """Thread-safe reads, and what a human does. All errors are of `core.errors`."""

    @property
    def bus(self) -> EventBus: ...
    def status(self) -> views.StatusView: ...
    def predictions(
        self, *, before: int | None, limit: int, decision: str | None
    ) -> list[views.PredictionRow]: ...
    def prediction(self, index: int) -> views.PredictionView: ...
    def receipt_json(self, index: int) -> bytes: ...
    def cases(
        self, *, status: str | None, limit: int, order: str, assigned: str | None
    ) -> list[CaseView]: ...
    def act(
        self,
        index: int,
        act: ActName,
        *,
        by: str,
        note: str,
        seen: int | None,
        stop: Limits | None,
    ) -> ActView: ...
    def erase(
        self, subject: str, *, ground: Ground, by: str, note: str
    ) -> list[views.ErasedView]: ...
    def find(
        self, query: Query, *, start: int, limit: int, newest: bool
    ) -> list[views.FoundView]: ...
    def model(self) -> views.ModelView | None: ...
    def plots(self) -> views.PlotsView: ...
    def checkpoint_text(self) -> str: ...
    def audit(self) -> list[views.CheckView]: ...
    def predict_json(
        self, ids: list[str], rows: list[list[float | None]]
    ) -> list[views.PredictionRow]: ...


class PublicLog(Protocol):
    """A log as strangers may read it: `ledger.faces.LogFiles` is one."""

    def checkpoint(self) -> SignedCheckpoint | None: ...
    def tile(self, path: TilePath) -> bytes | None:
        """None where no checkpoint needs that tile or bundle."""
