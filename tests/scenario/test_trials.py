"""A pilot acts on nothing and tells the truth; a challenger sees what the model at work sees."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.card_fraud import DELAY_S, write
from tests.support.cli import run
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.core.errors import BadInput, NotFound
from veridict.core.nouns import Decision, PredictionRecord, TrialRecord
from veridict.models.image import image, unpack
from veridict.services import releasing
from veridict.services.audit.predictions import Decisions, Scores
from veridict.services.demo.learn import learn
from veridict.services.demo.replay import replay
from veridict.services.node import Node
from veridict.services.records import decode, is_prediction, is_trial
from veridict.services.trial import challenger
from veridict.services.trial.comparing import labels_of, report
from veridict.services.trial.pilot import Pilot, piloted
from veridict.services.trial.promoting import promote
from veridict.services.trial.retraining import retrain, with_feedback
from veridict.services.watching import watch
from veridict.solutions.finance.payments import Payments
from veridict.watch.features.together import FeatureSet
from veridict.watch.outlook import outlook

PAST, SEEN = 4800, 5600  # rows learned from; rows piloted, and then decided for good


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("cards"))


@pytest.fixture(scope="module")
def cards(stream: Path) -> Payments:
    return Payments.file(stream, label_delay_s=DELAY_S, sets=("payments", "habits"))


@pytest.fixture(scope="module")
def home(cards: Payments, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model learned from the past, a pilot of what follows; then both models side by side."""
    folder = tmp_path_factory.mktemp("trials") / "home"
    rows = cards.load()
    with open_node(Settings(folder), cards) as node:
        learn(node, cards, rows, lambda step: None)
        pilot(node, cards, SEEN)
    return folder


def pilot(node: Node, cards: Payments, stop: int) -> int:
    return watch(node, cards.load().slice(0, stop), cards.extractor(), decider=Pilot(node)).decided


def test_a_pilot_leaves_nothing_but_trials(cards: Payments, home: Path) -> None:
    with open_node(Settings(home), cards) as node:
        kinds = Counter(body[0] for body in node.log.bodies())
        assert kinds[2] == SEEN
        assert kinds[1] == 0
        assert (node.board.predictions, len(node.board.cases)) == (0, 0)
        assert node.at_work().next_sequence == 0
        checks = {check.title: check for check in node.audit()}
        assert not [finding for check in checks.values() for finding in check.findings]
        assert checks[Scores.title].examined == SEEN  # run again
        assert checks[Decisions.title].examined == SEEN
        assert pilot(node, cards, SEEN) == 0  # each row once
        with pytest.raises(NotFound, match="none of these rows"):
            piloted(node, cards, cards.load().slice(SEEN, SEEN + 10))


def test_its_report_is_what_the_model_would_have_done(
    cards: Payments, stream: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = cards.load().slice(0, SEEN)
    with open_node(Settings(home), cards) as node:
        found = outlook(piloted(node, cards, rows), cards.costs)
        work = node.at_work()
        scores = work.model.score(image(cards.extractor().batch(rows)))
        policy = work.policy
    flagged, held = scores >= policy.review_at, scores >= policy.hold_at
    events, money = rows.labels == 1, rows.integers("amount_minor")
    assert (found.flagged, found.held) == (int(flagged.sum()), int(held.sum()))
    assert found.precision.value == float(events[flagged].mean())
    assert found.recall.value == float(flagged[events].mean())
    assert found.held_minor == int(money[held].sum())
    assert found.missed_minor == int(money[events & ~flagged].sum())
    assert sum(n for _, n in found.causes) <= found.flagged
    page = home.parent / "pilot.html"
    ran = run(
        capsys, "pilot", "--report-only", "--home", home, "--page", page, "--json",
        "--stream", stream,
    )  # fmt: skip
    assert ran.status == 0, ran.out + ran.err
    assert ran.json["flagged"] == found.flagged
    assert f"{found.flagged:,} ({found.held:,} held)" in page.read_text()


def test_a_challenger_stands_beside_every_prediction(cards: Payments, home: Path) -> None:
    rows = cards.load()
    with open_node(Settings(home), cards) as node:
        champion = node.at_work().model.id
        working, card = retrain(node, cards, rows.slice(0, PAST), seed=9)
        assert working.id != champion
        with pytest.raises(BadInput, match="other features"):
            challenger.begin(node, working, replace(card, features=card.features[:-1]))
        node.listeners.append(challenger.begin(node, working, card))
        watched, _ = replay(node, rows.slice(PAST, 5400), extractor(cards, PAST), lambda _: None)
        assert watched.decided == 5400 - PAST
        node.listeners.clear()  # as if it had died here
        watch(node, rows.slice(0, SEEN).slice(5400, SEEN), extractor(cards, 5400))
    with open_node(Settings(home), cards) as node:  # catches up
        bodies = list(node.log.bodies())
        made = {r.sequence: r for b in bodies if is_prediction(b) for r in [_prediction(b)]}
        beside = [
            TrialRecord.decode(b).prediction
            for b in bodies
            if is_trial(b) and b[32:64] == working.id
        ]
        assert [trial.sequence for trial in beside] == sorted(made) == list(range(SEEN - PAST))
        for trial in beside:
            due = made[trial.sequence]
            assert (trial.request, trial.inputs) == (due.request, due.inputs)
        payloads = [node.log.payload(i) for i, b in enumerate(bodies) if is_prediction(b)]
        shown = b"".join(payload.inputs for payload in payloads if payload is not None)
        again = working.score(unpack(shown, working.n_features))
        assert again.tolist() == [trial.score for trial in beside]
        assert node.at_work().model.id == champion
        assert sum(node.board.counts.values()) == SEEN - PAST


def test_the_comparison_counts_what_both_did(cards: Payments, home: Path) -> None:
    with open_node(Settings(home), cards) as node:
        found = report(node, cards.costs)
        labels = labels_of(node.log)
        assert len(labels) == 5400 - PAST  # of the rest nobody has heard
        assert found.first.known == found.second.known == len(labels)
        assert found.first.rows == SEEN - PAST
        assert found.first.flagged == sum(
            n for decision, n in node.board.counts.items() if decision is not Decision.ALLOW
        )
        assert found.recall.low is not None
        assert found.recall.low <= (found.recall.value or 0.0)
        rows = cards.load()
        unlabelled = with_feedback(node, rows.unlabelled())
        known = unlabelled.labels >= 0
        assert int(known.sum()) == len(labels)
        assert (unlabelled.labels[known] == rows.labels[known]).all()


def test_promotion_is_a_release_that_waits(cards: Payments, home: Path) -> None:
    with open_node(Settings(home), cards) as node:
        champion = node.at_work().model.id
        model_id = bytes.fromhex(challenger.card_of(node).model_id)
        contract = releasing.releases(node.log, node.network)
        line = releasing.begin(contract, "cards", guardian=node.operator, delay_s=2)
        assert promote(node, line).state == "proposed"
        assert node.at_work().model.id == champion
        time.sleep(3)
        assert promote(node, line).state == "active"
        assert releasing.active(line) == model_id
        assert node.at_work().model.id == model_id
        with pytest.raises(NotFound, match="no model challenges"):
            challenger.card_of(node)
        assert all(check.passed for check in node.audit())


def test_rows_unlike_the_past_are_an_alarm_in_the_log(
    cards: Payments, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def alarms() -> set[str]:
        ran = run(capsys, "drift", "--home", home, "--json")
        assert ran.status == 0, ran.out + ran.err
        return {alarm["what"] for alarm in ran.json}

    rows = cards.load().slice(0, PAST)
    x = cards.extractor().batch(rows)[2880:3840]  # where its thresholds were chosen
    with open_node(Settings(home), cards) as node:
        node.predict(x)
    before = alarms()
    x[:, cards.feature_names.index("amount")] *= 2.5
    with open_node(Settings(home), cards) as node:
        node.predict(x)
    assert "amount" not in before
    assert "amount" in alarms()


def extractor(cards: Payments, seen: int) -> FeatureSet:
    """As it stands after the first `seen` rows."""
    made = cards.extractor()
    made.batch(cards.load().slice(0, seen))
    return made


def _prediction(body: bytes) -> PredictionRecord:
    record = decode(body)
    assert isinstance(record, PredictionRecord)
    return record
