"""The demo: the seven stages over a real or realistic stream, and then every lie being caught.

    a model     train on the past, compile to integers, compare, register on chain
    1–5         replay the later part live: request → features → score → commit → log
    6 act       pay a sample through a guard contract
    7 audit     audit everything; lie in seven ways on copies; dispute a false score on chain

Each part looks at what the node has already and goes on from there, so a run
that was cut off continues, and a finished one is only told again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from veridict.core.errors import Refused
from veridict.core.nouns import Check, Decision, Stage
from veridict.core.progress import Progress, Step, silent
from veridict.services.demo.learn import Learned, learn
from veridict.services.demo.lie import Dispute, publish_and_dispute
from veridict.services.demo.replay import LateLabels, replay
from veridict.services.demo.sample import WANTED, Payment, Sampled, logged_features, pay_sample
from veridict.services.demo.summary import (
    CheckSeen,
    DisputeSeen,
    PeriodSeen,
    SampleSeen,
    Summary,
    TamperingSeen,
    keep_summary,
    summary_of,
)
from veridict.services.demo.tamper import TAMPERINGS, Caught, tamper_and_audit
from veridict.services.node import Node
from veridict.services.views import finding_view
from veridict.services.watching import Watched, extractor_sees
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table
from veridict.watch.training import split_by_time

LEARNED = "demo.learned"
SUBJECT = "demo.subject"
HONEST_AND_LIE = 6


def demo(
    node: Node,
    scenario: Scenario[Any],
    directory: Path,
    *,
    rows: int | None = None,
    progress: Progress = silent,
) -> Summary:
    """Tell it all on `node`; `directory` keeps the second operator's log.

    `rows` cuts the stream short, for a quick look. A finished demo of the same
    scenario returns its summary at once. Raises Refused where `node` tells of another.
    """
    told = summary_of(node.log, scenario.name, scenario.data_name)
    if told is not None:
        return told
    _refuse_another(node, scenario)
    data: Table[Any] = scenario.load()
    data = data if rows is None else data.slice(0, rows)
    learned = _learned(node, scenario, data, progress)
    live = data.slice(split_by_time(data).test, len(data))
    extractor = scenario.extractor()
    extractor_sees(extractor, data.slice(0, len(data) - len(live)))
    watched, labels = replay(node, live, extractor, progress)
    sampled = pay_sample(node, _choose_sample(node, scenario, live, labels), progress)
    checks = node.audit(progress)
    caught = _tamper(node, progress)
    dispute = _dispute(node, live, labels, directory / "rival", progress)
    summary = _sum_up(node, scenario, learned, watched, sampled, checks, caught, dispute)
    keep_summary(node.log, summary)
    return summary


def _refuse_another(node: Node, scenario: Scenario[Any]) -> None:
    """One home, one story: a second would be told with the first one's model and labels."""
    stored = node.log.meta_get(SUBJECT)
    subject = f"{scenario.name} on {scenario.data_name}"
    if stored is not None and stored.decode() != subject:
        raise Refused(
            f"this home holds the demo of {stored.decode()}, not of {subject}",
            remedy="choose another --home (VERIDICT_HOME) for it",
            reason="another demo",
            held=stored.decode(),
        )
    if stored is None:
        node.log.meta_put(SUBJECT, subject.encode())


def _learned(node: Node, scenario: Scenario[Any], data: Table[Any], progress: Progress) -> Learned:
    stored = node.log.meta_get(LEARNED)
    if stored is not None and node.issuer is not None:
        return msgspec.json.decode(stored, type=Learned)
    learned = learn(node, scenario, data, progress)
    node.log.meta_put(LEARNED, msgspec.json.encode(learned))
    return learned


def _choose_sample(
    node: Node, scenario: Scenario[Any], live: Table[Any], labels: LateLabels
) -> list[Payment]:
    """The first few rows of each decision, as payments."""
    missing = dict(WANTED)
    chosen: list[Payment] = []
    for row in range(len(live)):
        if not any(missing.values()):
            break
        index = labels.index(row)
        decision = node.request_of(index)[0].decision
        if missing[decision]:
            missing[decision] -= 1
            paid = scenario.settlement(live.example(row))
            chosen.append(Payment(index, paid.payer, paid.payee, paid.amount_minor))
    return chosen


def _tamper(node: Node, progress: Progress) -> list[Caught]:
    caught = []
    for number, tampering in enumerate(TAMPERINGS, 1):
        caught.append(tamper_and_audit(node, tampering))
        for finding in caught[-1].findings[:1]:
            node.bus.publish("finding", finding_view(finding))
        progress(
            Step(
                Stage.AUDIT,
                f"lie: {tampering.title}",
                number,
                len(TAMPERINGS),
                {"found": tampering.caught_as if caught[-1].named else "nothing"},
            )
        )
    return caught


def _dispute(
    node: Node, live: Table[Any], labels: LateLabels, directory: Path, progress: Progress
) -> Dispute:
    """The rival decides the same first rows, from the same logged inputs."""
    indices = [labels.index(row) for row in range(HONEST_AND_LIE)]
    requests = [live.example(row).request for row in range(HONEST_AND_LIE)]
    features = logged_features(node, indices)
    dispute = publish_and_dispute(node, requests, features, directory)
    progress(
        Step(
            Stage.AUDIT,
            "the judge contract ran the model and slashed",
            1,
            1,
            {"gas": dispute.slashing.gas_used, "honest": dispute.honest_refusal},
        )
    )
    return dispute


def _sum_up(
    node: Node,
    scenario: Scenario[Any],
    learned: Learned,
    watched: Watched,
    sampled: Sampled,
    checks: list[Check],
    caught: list[Caught],
    dispute: Dispute,
) -> Summary:
    quality = node.board.quality()
    counts = node.board.counts
    gas = sum(gas for _, gas in watched.anchors)
    outcomes = [settled.outcome for settled in sampled.settled]
    return Summary(
        scenario=scenario.name,
        data=scenario.data_name,
        notices=scenario.notices,
        model_id=learned.model_id,
        model_bytes=learned.model_bytes,
        rows_agreeing=learned.rows_agreeing,
        rows_compared=learned.rows_compared,
        register_gas=learned.register_gas,
        predictions=node.board.predictions,
        allowed=counts[Decision.ALLOW],
        reviewed=counts[Decision.REVIEW],
        held=counts[Decision.HOLD],
        per_second=watched.per_second,
        precision=_mean([(p.precision, p.flagged) for p in quality]),
        recall=_mean([(p.recall, p.positives) for p in quality]),
        periods=tuple(
            PeriodSeen(p.label, p.predictions, p.positives, p.precision, p.recall) for p in quality
        ),
        anchors=len(watched.anchors),
        anchor_gas=gas,
        gas_per_prediction=gas / max(1, watched.decided),
        sample=SampleSeen(
            allowed=outcomes.count("allowed"),
            review=outcomes.count("review"),
            held=outcomes.count("held"),
            released_by_human=sampled.released,
            refused_by_human=sampled.refused_by_human,
            cheat_refused=sampled.cheat_refused,
            signed_gas=sampled.signed_gas,
            anchored_gas=sampled.anchored_gas,
        ),
        checks=tuple(CheckSeen(c.number, c.title, c.examined, c.passed) for c in checks),
        tamperings=tuple(
            TamperingSeen(c.tampering.name, c.tampering.title, c.tampering.caught_as, c.named)
            for c in caught
        ),
        dispute=DisputeSeen(
            claimed=dispute.slashing.claimed,
            actual=dispute.slashing.actual,
            slashed_wei=str(dispute.slashing.slashed_wei),
            judge_gas=dispute.slashing.gas_used,
            honest_refusal=dispute.honest_refusal,
        ),
    )


def _mean(weighted: list[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in weighted if value is not None]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None
