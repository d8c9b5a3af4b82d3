"""Is what a model's card says true? Everything on it is done again, trusting nobody.

    1  registered   the chain has this model with this card, and bytes that hash to its id
    2  kept         the keeper's copy and annex are the model's and the card's
    3  data         the rows of the card's period, read again, have the card's digest
    4  card         period, features and sources are what the data and the model say
    5  metrics      every measure over all rows, computed again, is the same decimal
    6  groups       so is every measure of a group, and every difference between groups
    7  thresholds   chosen again by the card's costs, pooled and by segment, they are the same
    8  papers       where they are given: signed by the log, unaltered, and of this card

The scores behind 5 to 7 are made by the bytes on chain, from features that are
extracted anew. The caller's duty: know whose registry this is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veridict.core.errors import BadInput, VeridictError
from veridict.core.nouns import Check, Finding, Policy
from veridict.core.progress import Progress, silent
from veridict.models.canonical import CanonicalModel
from veridict.models.card import Metric, ModelCard
from veridict.models.image import image
from veridict.models.segments import row_policy
from veridict.models.shelf import Shelf
from veridict.proofs.note import Verifier
from veridict.services.deploy import Network
from veridict.services.papers.files import check_papers
from veridict.services.papers.measures import card_metrics
from veridict.services.papers.rows import Reread, amounts_of, measured_features, reread
from veridict.services.registering import is_registered, model_on_chain
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table
from veridict.watch.thresholds import choose_all

Verdict = tuple[int, list[Finding]]
THRESHOLDS = 7


@dataclass(frozen=True, slots=True)
class Scored:
    """The rows that a card was measured on: u64 [n, n_features], int64 [n]."""

    images: NDArray[np.uint64]
    scores: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Papers:
    """Files of a directory of papers, and the key that must have signed them."""

    files: Mapping[str, bytes]
    key: Verifier


def audit_model(
    card: ModelCard,
    scenario: Scenario[Any],
    data: Table[Any],
    network: Network,
    shelf: Shelf,
    papers: Papers | None = None,
    progress: Progress = silent,
) -> list[Check]:
    """The checks above over `card`; raises only if chain or data cannot be read."""
    model, registered = _registered(card, network)
    rows = reread(card, data)
    scored = scored_again(scenario, model, rows, progress)
    again = _metrics(card, scenario, rows, scored)
    whole, groups = by_group(card.metrics), by_group(again)
    verdicts: list[tuple[str, Verdict]] = [
        ("the chain has this model with this card", registered),
        ("the keeper's copies are the model and the card's annex", _kept(card, shelf)),
        ("the rows read again are those the card names", same_rows(card, rows)),
        ("period, features and sources are told truly", _told(card, scenario, model, rows)),
        ("every measure over all rows, made again, is the same", compare(whole[0], groups[0])),
        ("every measure of a group, made again, is the same", compare(whole[1], groups[1])),
    ]
    chosen, notes = _chosen(card, scenario, rows, scored)
    verdicts.append(("the thresholds, chosen again by cost, are the card's", chosen))
    if papers is not None:
        found = check_papers(papers.files, papers.key, card)
        verdicts.append(("the papers are signed, unaltered and of this card", found))
    return [
        Check(number, title, examined, tuple(findings), notes if number == THRESHOLDS else ())
        for number, (title, (examined, findings)) in enumerate(verdicts, 1)
    ]


def _registered(card: ModelCard, network: Network) -> tuple[CanonicalModel | None, Verdict]:
    model_id, where = bytes.fromhex(card.model_id), f"model {card.model_id[:16]}…"
    findings = []
    model: CanonicalModel | None = None
    try:
        model = CanonicalModel(model_on_chain(network, model_id))
    except VeridictError as problem:
        found = Finding("model.chain", where, "its bytes in the registry", problem.message)
        findings.append(found)
    if is_registered(network, model_id):
        entry = network.registry.call("model", model_id)
        if entry[1] != card.digest:
            findings.append(Finding("model.card", where, entry[1].hex(), card.digest.hex()))
        if model is not None and entry[2] != model.n_features:
            told, due = str(entry[2]), str(model.n_features)
            findings.append(Finding("model.features", where, due, told))
    return model, (1, findings)


def _kept(card: ModelCard, shelf: Shelf) -> Verdict:
    model_id = bytes.fromhex(card.model_id)
    copies = {
        "model": (shelf.get(model_id), card.model_id),
        "annex": (shelf.annex(model_id), card.annex),
    }
    findings = []
    for what, (data, due) in copies.items():
        if data is None:
            findings.append(Finding(f"{what}.missing", "the shelf", due, "nothing"))
        elif sha256(data).hexdigest() != due:
            found = sha256(data).hexdigest()
            findings.append(Finding(f"{what}.altered", "the shelf", due, found))
    return len(copies), findings


def same_rows(card: ModelCard, rows: Reread) -> Verdict:
    digest = rows.past.digest().hex()
    wrong = [] if digest == card.data else [Finding("data.other", "rows", card.data, digest)]
    return len(rows.past), wrong


def _told(
    card: ModelCard, scenario: Scenario[Any], model: CanonicalModel | None, rows: Reread
) -> Verdict:
    times = rows.past.times_s.tolist()
    measured = times[rows.measured] if rows.measured < len(times) else None
    described = scenario.croissant
    sources = [] if described is None else [sha256(described).hexdigest()]
    due: dict[str, tuple[object, object]] = {
        "trained_from_s": (times[0] if times else None, card.trained_from_s),
        "measured_from_s": (measured, card.measured_from_s),
        "trained_to_s": (rows.following_s, card.trained_to_s),
        "features": (list(scenario.feature_names), list(card.features)),
        "sources": (sources, [source.croissant for source in card.sources]),
    }
    if model is not None:
        due["number of features"] = (model.n_features, len(card.features))
    wrong = [
        Finding("card.false", name, str(true), str(told))
        for name, (true, told) in due.items()
        if true != told
    ]
    return len(due), wrong


def measured_again(
    card: ModelCard,
    scenario: Scenario[Any],
    model: CanonicalModel | None,
    rows: Reread,
    progress: Progress,
) -> Sequence[Metric]:
    """Nothing where the model cannot be run on these features: then no measure is confirmed."""
    return _metrics(card, scenario, rows, scored_again(scenario, model, rows, progress))


def scored_again(
    scenario: Scenario[Any], model: CanonicalModel | None, rows: Reread, progress: Progress
) -> Scored | None:
    """None where the model cannot be run on these features, or there are no rows."""
    if model is None or model.n_features != len(scenario.feature_names):
        return None
    if rows.measured == len(rows.past):
        return None
    images = image(measured_features(scenario, rows, progress))
    return Scored(images, model.score(images))


def _metrics(
    card: ModelCard, scenario: Scenario[Any], rows: Reread, scored: Scored | None
) -> Sequence[Metric]:
    if scored is None:
        return ()
    policy = row_policy(card.policy, scored.images)
    return card_metrics(scenario, rows.measured_rows, scored.scores, policy)


def _chosen(
    card: ModelCard, scenario: Scenario[Any], rows: Reread, scored: Scored | None
) -> tuple[Verdict, tuple[str, ...]]:
    """Every threshold of the card; those of a card that names no costs are taken as given."""
    if card.chosen is None:
        return (2, []), ("taken as given: the card does not say by which costs they were chosen",)
    if scored is None:
        return (0, []), ()
    amounts = amounts_of(scenario, rows.measured_rows, card.chosen)
    labels = rows.measured_rows.labels
    try:
        pooled, again = choose_all(
            card.chosen, card.features, scored.images, scored.scores, labels, amounts
        )
    except BadInput as problem:
        found = Finding("thresholds.false", "pooled", "thresholds chosen by cost", problem.message)
        return (1, [found]), ()
    told = Policy(int(card.review_at), int(card.hold_at))
    findings = []
    if pooled != told:
        findings.append(Finding("thresholds.false", "pooled", str(pooled), str(told)))
    for due, band in zip(again.bands, card.chosen.bands, strict=True):
        if due != band:
            findings.append(Finding("thresholds.false", due.name, str(due), str(band)))
    want = [band.name for band in again.bands if not band.own]
    notes = [f"pooled for want of data: {', '.join(want)}"] if want else []
    return (1 + len(again.bands), findings), tuple(notes)


def by_group(metrics: Sequence[Metric]) -> tuple[list[Metric], list[Metric]]:
    return [m for m in metrics if not m.group], [m for m in metrics if m.group]


def compare(told: Sequence[Metric], again: Sequence[Metric]) -> Verdict:
    """A measure may neither be wrong, nor invented, nor left out because it is unfavourable."""
    due = {(m.group, m.name): m for m in again}
    claims = [(m.group, m.name) for m in told]
    findings = [
        Finding("metric.twice", _place(*key), "once", f"{claims.count(key)} times")
        for key in sorted(set(claims))
        if claims.count(key) > 1
    ]
    for metric in told:
        true = due.get((metric.group, metric.name))
        if true != metric:
            where = _place(metric.group, metric.name)
            findings.append(Finding("metric.false", where, _spelled(true), _spelled(metric)))
    findings += [
        Finding("metric.missing", _place(*key), _spelled(true), "nothing")
        for key, true in due.items()
        if key not in claims
    ]
    return len(again), findings


def _place(group: str, name: str) -> str:
    return f"{name}, {group}" if group else name


def _spelled(metric: Metric | None) -> str:
    return "nothing" if metric is None else f"{metric.value} of {metric.rows} rows"
