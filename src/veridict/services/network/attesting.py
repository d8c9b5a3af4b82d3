"""Forecasts as predictions: logged, anchored, and judged like any other.

One canonical model a horizon; its last input chooses the quantile, so a forecast of one
horizon is three predictions by one model. What is attested is what the model said; the
stretch of its intervals by calibration follows from the blocks that came since.
"""

from __future__ import annotations

import numpy as np

from veridict.control.blocks import F64
from veridict.control.forecast import Forecast
from veridict.control.horizons import LEVELS
from veridict.control.learning import FeeModel, FeeModels
from veridict.core.codec import canonical_json
from veridict.core.nouns import INT64_MAX, Policy, Request
from veridict.models.card import ModelCard
from veridict.models.papers.libraries import libraries
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.registering import is_registered

NO_ACTION = Policy(INT64_MAX, INT64_MAX)  # a forecast is never held up


def register_models(node: Node, models: FeeModels) -> int:
    """Put every horizon's model on chain and into the log; returns the gas used."""
    gas = 0
    for horizon in models.horizons:
        model = models.models[horizon]
        if node.model(model.compiled.model.id) is None or not is_registered(
            node.network, model.compiled.model.id
        ):
            gas += node.register(model.compiled.working, card_of(models, model))
    return gas


def attest(node: Node, forecast: Forecast, models: FeeModels, row: F64) -> list[Prediction]:
    """Log what every model says of `row`, the features of the forecast's head block."""
    made: list[Prediction] = []
    for horizon in models.horizons:
        rows = np.hstack([np.repeat(row, len(LEVELS), axis=0), np.array(LEVELS)[:, None]])
        requests = [request_of(forecast, horizon, level) for level in LEVELS]
        model_id = models.models[horizon].compiled.model.id
        made += node.predict_by(model_id, NO_ACTION, rows, requests)
    return made


def request_of(forecast: Forecast, horizon: int, level: float) -> Request:
    """What was asked: which quantile of which block's fee, told at which block."""
    content = canonical_json(
        {
            "ask": "base fee",
            "at_block": forecast.number,
            "of_block": forecast.number + horizon,
            "level_percent": round(100 * level),
            "next_fee_wei": str(forecast.next_fee_wei),
        }
    )
    name = f"fee/{forecast.number}/{horizon}/{round(100 * level)}"
    return Request(name, f"fee {horizon} blocks ahead", forecast.time_s, content)


def card_of(models: FeeModels, model: FeeModel) -> ModelCard:
    """Its data are the blocks that were learned from: their columns' digest, their numbers."""
    span = f"blocks {models.first} to {models.last}"
    seconds = (models.last - models.first) * models.block_time_s
    policy = str(NO_ACTION.review_at)
    return ModelCard(
        model_id=model.compiled.model.id.hex(),
        annex=model.compiled.annex.digest.hex(),
        title=f"Base fee {model.horizon} blocks ahead",
        data=models.data,
        data_title=span,
        trained_from_s=models.last_time_s - seconds,
        trained_to_s=models.last_time_s + 1,
        features=model.compiled.feature_names,
        metrics=(),
        limits=(
            "The answer is the logarithm of the fee over the next block's, which is exact.",
            "It knows nothing of what no earlier month has shown.",
        ),
        review_at=policy,
        hold_at=policy,
        libraries=libraries(),
    )
