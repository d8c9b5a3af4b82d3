"""A model whose thresholds differ by segment: chosen, registered, decided by, audited, guarded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.chain.artifacts import Artifact
from veridict.chain.deployment import deploy
from veridict.core.nouns import Decision, Policy
from veridict.models.card import ModelCard
from veridict.models.segments import Segmented
from veridict.models.thresholds import Axis, Band
from veridict.services.acting import erase
from veridict.services.demo.learn import card_of, compiled_and_compared
from veridict.services.node import Node
from veridict.services.papers.audit import audit_model
from veridict.services.settle import Bounds, deploy_guard
from veridict.services.watching import extractor_sees, watch
from veridict.solutions.finance.payments import Payments
from veridict.watch.stream import Table
from veridict.watch.training import Size, train

ROWS, LIVE = 12_000, 700
PAYMENTS = Payments.amlsim()
AXES = (Axis("amount", ("100", "300")), Axis("payer_paid_30d", ("1",)))


@dataclass(frozen=True, slots=True)
class Live:
    """A node that decided `LIVE` payments by segment."""

    node: Node
    data: Table[Any]
    card: ModelCard
    first: int


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    data = PAYMENTS.load()
    cut = data.slice(0, ROWS)
    trained = train(PAYMENTS, cut, size=Size(trees=12, leaves=7))
    compiled, _ = compiled_and_compared(trained)
    choice = replace(PAYMENTS.segments, axes=AXES, least_rows=60, least_events=8)
    card = card_of(PAYMENTS, cut, trained, compiled, choice)
    with open_node(Settings(tmp_path_factory.mktemp("segments")), PAYMENTS) as node:
        node.register(compiled.working, card)
        extractor, start = PAYMENTS.extractor(), trained.split.test
        extractor_sees(extractor, cut.slice(0, start))
        first = node.log.size
        watch(node, cut.slice(start, start + LIVE), extractor)
        node.anchor()
        yield Live(node, data, card, first)


def bands(card: ModelCard) -> tuple[Band, ...]:
    assert card.chosen is not None
    return card.chosen.bands


def test_segments_have_thresholds_of_their_own_or_say_why_not(live: Live) -> None:
    own = [band for band in bands(live.card) if band.own]
    assert len({band.policy for band in own}) >= 2
    assert all(band.cost <= band.pooled_cost for band in own)
    assert sum(band.cost for band in own) < sum(band.pooled_cost for band in own)
    pooled = Policy(int(live.card.review_at), int(live.card.hold_at))
    assert all(band.policy == pooled for band in bands(live.card) if not band.own)


def test_live_decisions_follow_their_segment(live: Live) -> None:
    policy = live.card.policy
    assert isinstance(policy, Segmented)
    otherwise = 0
    for index in range(live.first, live.first + LIVE):
        record, payload = live.node.prediction(index)
        assert payload is not None
        assert record.decision is policy.at(payload.inputs).decide(record.score)
        otherwise += record.decision is not policy.decide(record.score)
    assert otherwise > 0  # the pooled thresholds would have decided these otherwise


def test_the_audit_follows_them_too_and_names_who_did_not(live: Live) -> None:
    node = live.node
    assert [check.title for check in node.audit() if not check.passed] == []
    model = node.model(bytes.fromhex(live.card.model_id))
    assert model is not None
    pooled = Policy(int(live.card.review_at), int(live.card.hold_at))
    extractor = PAYMENTS.extractor()
    rows = live.data.slice(0, LIVE)
    node.predict_by(model.id, pooled, extractor.batch(rows), rows.requests())
    eighth = node.audit()[7]
    assert {finding.code for finding in eighth.findings} == {"decision.false"}


def test_of_an_erased_row_any_segment_s_decision_is_possible(live: Live) -> None:
    node = live.node
    before = {finding.where for finding in node.audit()[7].findings}
    index = next(
        at for at, case in node.board.cases.items() if case.record.decision is Decision.REVIEW
    )
    _, payload = node.prediction(index)
    assert payload is not None
    erase(node, payload.request.subject, ground="request", by="officer")
    assert {finding.where for finding in node.audit()[7].findings} <= before


def test_the_audit_of_the_model_chooses_again(live: Live) -> None:
    def audited(card: ModelCard) -> dict[int, set[str]]:
        node = live.node
        checks = audit_model(card, PAYMENTS, live.data, node.network, node.parts.shelf)
        pooled = [band.name for band in bands(card) if not band.own]
        assert checks[6].notes == (f"pooled for want of data: {', '.join(pooled)}",)
        return {c.number: {f.where for f in c.findings} for c in checks if not c.passed}

    assert audited(live.card) == {}
    chosen = live.card.chosen
    assert chosen is not None
    at = next(number for number, band in enumerate(chosen.bands) if band.own)
    lie = replace(chosen.bands[at], cost=0)
    told = (*chosen.bands[:at], lie, *chosen.bands[at + 1 :])
    cheat = replace(live.card, chosen=replace(chosen, bands=told))
    assert audited(cheat) == {1: {f"model {cheat.model_id[:16]}…"}, 7: {lie.name}}


def test_a_guard_pays_nothing_that_any_segment_holds(live: Live) -> None:
    node, client = live.node, live.node.network.client
    token = deploy(client, Artifact.load("PaymentToken"))
    model_id = bytes.fromhex(live.card.model_id)
    guard = deploy_guard(node.network, token, model_id, live.card.policy, node.operator, Bounds())
    reviews, holds = zip(
        *((band.policy.review_at, band.policy.hold_at) for band in bands(live.card)), strict=True
    )
    assert guard.call("review_at") == min(reviews)
    assert guard.call("hold_at") == min(holds)
