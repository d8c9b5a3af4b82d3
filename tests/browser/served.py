"""Nodes behind a real server on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.small_node import SmallNode
from veridict.apps.serving import serving
from veridict.apps.settings import Settings
from veridict.apps.web.app import create_app
from veridict.apps.web.server import WebServer
from veridict.apps.wire import open_node
from veridict.models.image import float_of, unpack
from veridict.services.cases.views import CaseView
from veridict.services.demo.story import demo
from veridict.services.node import Node
from veridict.services.views import PredictionRow
from veridict.services.window import Window
from veridict.solutions.roster import scenario_of

TOKEN = "correct-horse-battery-staple"
ROWS = 6000


@dataclass(frozen=True, slots=True)
class Real:
    """A node that has told the demo on the first `ROWS` payments of the shipped stream."""

    url: str
    node: Node
    window: Window
    told: int

    def example(self, decision: str) -> PredictionRow:
        """The newest prediction of the demo's own stream that was decided so, anchored by now."""
        rows = self.window.predictions(before=self.told, limit=60, decision=decision)
        return next(row for row in rows if not row.request_id.startswith("0x"))

    def decide(self, request_id: str, decision: str) -> PredictionRow:
        """A new prediction about `request_id`, with the features of one that was decided so."""
        index = self.example(decision).index
        record, payload = self.node.prediction(index)
        model = self.node.model(record.model_id)
        assert payload is not None
        assert model is not None
        images = unpack(payload.inputs, model.n_features)[0].tolist()
        features: list[float | None] = [float_of(image) for image in images]
        made = self.window.predict_json([request_id], [features])[0]
        assert made.decision == decision
        return made

    def open_payment(self) -> CaseView:
        """A case whose payment the guard contract still holds."""
        cases = self.window.cases(status="open", limit=500)
        return next(case for case in cases if case.payment_id is not None)


@contextmanager
def serve_real(home: Path) -> Iterator[Real]:
    settings = Settings(home, token=TOKEN)
    scenario = scenario_of("payments")
    with open_node(settings, scenario) as node:
        demo(node, scenario, home, rows=ROWS)
        node.anchor()
        told = node.log.size
        with serving(node, settings, host="127.0.0.1", port=0, anchor_every_s=3600) as served:
            served.window.demo = "done"
            yield Real(served.web_url, node, served.window, told)


@contextmanager
def serve_small() -> Iterator[str]:
    """The address of a node in memory whose audit finds something."""
    node = SmallNode()
    node.add("pay-1", 3.0)
    with WebServer(create_app(node, token=TOKEN)) as server:
        yield server.url
