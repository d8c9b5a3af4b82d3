"""A node as people see it: the views of dashboard and CLI, made from the log and the board."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput, Refused
from veridict.core.nouns import (
    Anchor,
    Decision,
    RecordState,
    Request,
)
from veridict.core.version import VERSION
from veridict.ledger.lookup import Query
from veridict.services import acting, views
from veridict.services.anchoring.telling import place_views
from veridict.services.bus import Bus
from veridict.services.cases.casework import Casework
from veridict.services.cases.suppressing import Limits
from veridict.services.cases.views import ActView, CaseView
from veridict.services.looking import found_views
from veridict.services.node import Node
from veridict.services.once import predict_once
from veridict.services.predict import Prediction
from veridict.services.records import Ground, is_prediction
from veridict.services.rows import prediction_row
from veridict.services.seven import stages

PAGE = 256
ANCHORS_SHOWN = 50
SHOWN_EVERY_MS = 60


class Window:
    """The face that the web asks of a node. Reads; and the two acts of a human."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.casework = Casework(node)
        self._shown_ms = 0
        self.demo = ""
        node.listeners.append(self._show)

    @property
    def bus(self) -> Bus:
        return self._node.bus

    def status(self) -> views.StatusView:
        node = self._node
        board = node.board
        return views.StatusView(
            version=VERSION,
            scenario=node.face.name,
            title=node.face.title,
            words=node.face.words,
            notices=list(node.face.notices),
            model_id=node.issuer.model.id.hex() if node.issuer else None,
            predictions=board.predictions,
            counts={decision.word: board.counts[decision] for decision in Decision},
            open_cases=board.open_cases,
            rate_per_s=board.rate(node.parts.clock()),
            started_ms=node.started_ms,
            demo=self.demo,
            chain=self.chain(),
            log=self.log(),
            energy=node.energy.view(),
        )

    def chain(self) -> views.ChainView:
        node, client = self._node, self._node.network.client
        addresses = node.network.addresses
        contracts = {
            "registry": addresses.registry,
            "anchor": addresses.anchor,
            "stakes": addresses.stakes,
            "judge": addresses.judge,
        }
        if node.guard is not None:
            contracts["guard"] = node.guard.address
        return views.ChainView(
            chain_id=addresses.chain_id,
            name=node.parts.chain_name,
            block_number=client.block_number(),
            rpc_url=node.parts.rpc_url,
            operator=node.operator,
            balance_wei=str(client.balance(node.operator)),
            bond_wei=str(node.network.stakes.call("bond", node.operator)),
            contracts=contracts,
        )

    def log(self) -> views.LogView:
        log, finals = self._node.log, self._node.final_blocks()
        anchors = log.anchors()
        head = log.last_checkpoint()
        return views.LogView(
            origin=log.origin,
            size=log.size,
            checkpointed=head.size if head else 0,
            anchored=max((a.size for a in anchors), default=0),
            final=max((a.size for a in anchors if _is_final(a, finals)), default=0),
            root=log.root().hex(),
            verifier_key=log.verifier.vkey,
            witnessed=log.witnessed(),
            anchors=[
                self._anchor(anchor, _is_final(anchor, finals))
                for anchor in reversed(anchors[-ANCHORS_SHOWN:])
            ],
            places=place_views(self._node.fleet),
        )

    def _anchor(self, anchor: Anchor, is_final: bool) -> views.AnchorView:
        names = {place.place.chain_id: place.place.name for place in self._node.fleet.posters()}
        return views.AnchorView(
            size=anchor.size,
            root=anchor.root.hex(),
            time_s=anchor.time_s,
            block_number=anchor.block_number,
            tx_hash=anchor.tx_hash,
            gas_used=self._node.gas_of(anchor),
            chain=names.get(anchor.chain_id, f"chain {anchor.chain_id}"),
            chain_id=anchor.chain_id,
            contract=anchor.contract,
            state=(RecordState.FINAL if is_final else RecordState.ANCHORED).word,
        )

    def predictions(
        self, *, before: int | None, limit: int, decision: str | None
    ) -> list[views.PredictionRow]:
        """Newest first: those with a log index below `before`, all without it."""
        wanted = None if decision is None else Decision[decision.upper()]
        return [self.row(index) for index in islice(self._indices(before, wanted), limit)]

    def row(self, index: int) -> views.PredictionRow:
        record, payload = self._node.prediction(index)
        return prediction_row(self._node, index, record, payload)

    def prediction(self, index: int) -> views.PredictionView:
        row = self.row(index)
        told, ready = stages(self._node, index, row)
        return views.PredictionView(row, told, ready)

    def receipt_json(self, index: int) -> bytes:
        return self._node.receipt(index).to_json()

    def cases(
        self,
        *,
        status: str | None,
        limit: int,
        order: str = "newest",
        assigned: str | None = None,
    ) -> list[CaseView]:
        return self.casework.cases(status=status, limit=limit, order=order, assigned=assigned)

    def act(
        self,
        index: int,
        act: acting.Act,
        *,
        by: str,
        note: str,
        seen: int | None = None,
        stop: Limits | None = None,
    ) -> ActView:
        return self.casework.act(index, act, by=by, note=note, seen=seen, stop=stop)

    def erase(
        self, subject: str, *, ground: Ground, by: str, note: str = ""
    ) -> list[views.ErasedView]:
        done = acting.erase(self._node, subject, ground=ground, by=by, note=note)
        return [views.ErasedView(e.index, e.count, e.subject, e.salt) for e in done]

    def find(self, query: Query, *, start: int, limit: int, newest: bool) -> list[views.FoundView]:
        """Those from `start` on that fit, in order or newest first."""
        log = self._node.log
        start = min(start, log.size)
        indices = log.find(query, start, most=limit, newest=newest)
        return found_views(log, indices, self._node.accounts)

    def model(self) -> views.ModelView | None:
        shown = self._node.board.model
        if shown is None:
            return None
        model_id = bytes.fromhex(shown[1].model_id)
        model, _ = self._node.parts.shelf.need(model_id)
        on_chain = self._node.network.registry
        entry = on_chain.call("model", model_id)
        return views.ModelView(
            model_id=shown[1].model_id,
            card=shown[1].card,
            n_features=entry[2],
            n_bytes=len(model),
            chunks=len(on_chain.call("chunks", model_id)),
            active=on_chain.call("is_active", model_id),
            registered_at_block=entry[3],
        )

    def plots(self) -> views.PlotsView:
        board = self._node.board
        return views.PlotsView(board.scores(), board.quality(), board.throughput())

    def checkpoint_text(self) -> str:
        head = self._node.log.last_checkpoint()
        if head is None:
            raise Refused(
                "this log has no checkpoint yet",
                remedy="wait for the first anchor",
                reason="no checkpoint",
            )
        return head.text

    def audit(self) -> list[views.CheckView]:
        return [
            views.CheckView(
                check.number,
                check.title,
                check.examined,
                check.passed,
                [views.finding_view(finding) for finding in check.findings],
                list(check.notes),
            )
            for check in self._node.audit()
        ]

    def predict_json(
        self, ids: list[str], rows: list[list[float | None]]
    ) -> list[views.PredictionRow]:
        """Rows of features as JSON has them, null for missing. An id is decided once."""
        if len({len(row) for row in rows}) > 1:
            raise BadInput("rows of different lengths", remedy="send every feature in every row")
        features = np.array(
            [[math.nan if value is None else value for value in row] for row in rows], np.float64
        )
        now_s = self._node.parts.clock() // 1000
        requests = [Request(name, "", now_s, canonical_json({"id": name})) for name in ids]
        decided = predict_once(self._node, features, requests)
        return [prediction_row(self._node, one.index, one.record, one.payload) for one in decided]

    def _show(self, made: Sequence[Prediction]) -> None:
        """Tell the listeners the gravest of `made`, a few times a second: people read slowly."""
        now = self._node.parts.clock()
        if 0 <= now - self._shown_ms < SHOWN_EVERY_MS:
            return
        self._shown_ms = now
        gravest = max(made, key=lambda p: p.record.score)
        # without what is usual: the stream does not wait for the past to be looked up
        row = prediction_row(
            self._node, gravest.index, gravest.record, gravest.payload, compare=False
        )
        self.bus.publish("prediction", row)

    def _indices(self, before: int | None, wanted: Decision | None) -> Iterator[int]:
        top = self._node.log.size if before is None else max(0, min(before, self._node.log.size))
        cases = self._node.board.cases
        if wanted in (Decision.REVIEW, Decision.HOLD):
            for index in reversed(list(cases)):
                if index < top and cases[index].decision is wanted:
                    yield index
            return
        for stop in range(top, 0, -PAGE):
            start = max(0, stop - PAGE)
            page = list(self._node.log.bodies(start, stop))
            for offset in reversed(range(len(page))):
                allowed = wanted is None or start + offset not in cases
                if is_prediction(page[offset]) and allowed:
                    yield start + offset


def _is_final(anchor: Anchor, finals: Mapping[int, int]) -> bool:
    return anchor.block_number <= finals.get(anchor.chain_id, -1)
