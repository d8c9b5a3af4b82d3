"""Before the first prediction: train on the past, compile, compare on every row, register."""

from __future__ import annotations

from typing import Any

import msgspec

from veridict.core.errors import EvidenceError
from veridict.core.progress import Progress, Step, silent
from veridict.models.card import ModelCard
from veridict.models.compile import Agreement, Compiled, agreement, compile_model
from veridict.models.image import image
from veridict.models.papers.croissant import read_croissant
from veridict.models.papers.libraries import libraries
from veridict.models.segments import row_policy
from veridict.models.source import DataSource
from veridict.models.thresholds import Choice
from veridict.services.node import Node
from veridict.services.papers.measures import card_metrics
from veridict.services.papers.rows import amounts_of
from veridict.watch.drift import WINDOW, WINDOWS, Reference
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table
from veridict.watch.thresholds import choose_all
from veridict.watch.training import Trained, train

LEAST_WINDOW = 150  # rows; in fewer, chance hides what matters


class Learned(msgspec.Struct, frozen=True):
    model_id: str
    model_bytes: int
    rows_agreeing: int
    rows_compared: int
    register_gas: int


def learn(node: Node, scenario: Scenario[Any], data: Table[Any], progress: Progress) -> Learned:
    """Puts a freshly trained model to work on `node`.

    Raises EvidenceError if the integer model decides one validation row otherwise
    than LightGBM does: then nothing is registered.
    """
    trained = train(scenario, data, progress=progress)
    compiled, agreed = compiled_and_compared(trained, progress)
    gas = node.register(compiled.working, card_of(scenario, data, trained, compiled))
    reference = reference_of(trained, compiled)
    if reference is not None:
        node.parts.shelf.put_reference(compiled.model.id, reference.save())
    progress(Step(None, "registered on chain", 1, 1, {"gas": gas}))
    return Learned(
        model_id=compiled.model.id.hex(),
        model_bytes=len(compiled.model.bytes),
        rows_agreeing=agreed.rows - agreed.decisions_flipped,
        rows_compared=agreed.rows,
        register_gas=gas,
    )


def compiled_and_compared(
    trained: Trained, progress: Progress = silent
) -> tuple[Compiled, Agreement]:
    """The canonical model, compared with LightGBM on every validation row. Raises EvidenceError."""
    compiled = compile_model(trained.booster, feature_names=trained.feature_names)
    agreed = agreement(
        compiled, trained.booster, trained.validation_features, policy=trained.policy
    )
    agreeing = agreed.rows - agreed.decisions_flipped
    progress(Step(None, "rows on which integers and LightGBM agree", agreeing, agreed.rows))
    if not agreed.holds:
        raise EvidenceError(
            f"the compiled model differs by {agreed.max_difference:g} where {agreed.bound:g} is "
            f"allowed, and decides {agreed.decisions_flipped} rows otherwise",
            remedy="do not register it; report the model to the maintainers",
            rows=agreed.rows,
        )
    return compiled, agreed


def reference_of(trained: Trained, compiled: Compiled) -> Reference | None:
    """What later rows are compared with: those the thresholds were chosen on, if they are enough.

    Windows are WINDOW rows, or as many as make the reference hold several.
    """
    images = image(trained.validation_features)
    window = min(WINDOW, len(images) // WINDOWS)
    if window < LEAST_WINDOW:
        return None
    scores = compiled.model.score(images)
    return Reference.of(trained.feature_names, images, scores, window=window)


def card_of(
    scenario: Scenario[Any],
    data: Table[Any],
    trained: Trained,
    compiled: Compiled,
    choice: Choice | None = None,
) -> ModelCard:
    """What is known when the model is registered: nothing of the rows that come later.

    Thresholds are chosen, by segment where `choice` has axes, and everything is measured with the
    integers that will decide, so that an audit finds the same.
    """
    split = trained.split
    validation = data.slice(split.train, split.test)
    images = image(trained.validation_features)
    scores = compiled.model.score(images)
    costs = scenario.costs
    choice = choice or Choice(costs.missed, costs.review, costs.held)
    amounts = amounts_of(scenario, validation, choice)
    features, labels = trained.feature_names, validation.labels
    pooled, chosen = choose_all(choice, features, images, scores, labels, amounts)
    policy = row_policy(chosen.policy(pooled, features), images)
    return ModelCard(
        model_id=compiled.model.id.hex(),
        annex=compiled.annex.digest.hex(),
        title=scenario.title,
        data=trained.data_digest.hex(),
        data_title=scenario.data_name,
        trained_from_s=split.starts_s,
        trained_to_s=split.test_starts_s,
        features=trained.feature_names,
        metrics=card_metrics(scenario, validation, scores, policy),
        limits=scenario.notices,
        review_at=str(pooled.review_at),
        hold_at=str(pooled.hold_at),
        measured_from_s=split.validation_starts_s,
        sources=sources_of(scenario),
        libraries=libraries(),
        chosen=chosen,
    )


def sources_of(scenario: Scenario[Any]) -> tuple[DataSource, ...]:
    """What the publisher of the scenario's data says of them; nothing of a user's own file."""
    return () if scenario.croissant is None else (read_croissant(scenario.croissant),)
