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
from veridict.models.source import DataSource
from veridict.services.node import Node
from veridict.services.papers.measures import card_metrics
from veridict.watch.scenario import Scenario
from veridict.watch.stream import Table
from veridict.watch.training import Trained, train


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


def card_of(
    scenario: Scenario[Any], data: Table[Any], trained: Trained, compiled: Compiled
) -> ModelCard:
    """What is known when the model is registered: nothing of the rows that come later.

    Measured with the integers that will decide, so that an audit finds the same decimals.
    """
    split = trained.split
    validation = data.slice(split.train, split.test)
    scores = compiled.model.score(image(trained.validation_features))
    return ModelCard(
        model_id=compiled.model.id.hex(),
        annex=compiled.annex.digest.hex(),
        title=scenario.title,
        data=trained.data_digest.hex(),
        data_title=scenario.data_name,
        trained_from_s=split.starts_s,
        trained_to_s=split.test_starts_s,
        features=trained.feature_names,
        metrics=card_metrics(scenario, validation, scores, trained.policy),
        limits=scenario.notices,
        review_at=str(trained.policy.review_at),
        hold_at=str(trained.policy.hold_at),
        measured_from_s=split.validation_starts_s,
        sources=sources_of(scenario),
        libraries=libraries(),
    )


def sources_of(scenario: Scenario[Any]) -> tuple[DataSource, ...]:
    """What the publisher of the scenario's data says of them; nothing of a user's own file."""
    return () if scenario.croissant is None else (read_croissant(scenario.croissant),)
