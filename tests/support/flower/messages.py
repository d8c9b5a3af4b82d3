"""The same client as Flower's newer templates write it: a function over messages."""

from __future__ import annotations

from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

WEIGHTS = np.array([1.5, -1.0, 0.8, 0.0])
app = ClientApp()


@app.train()  # type: ignore[untyped-decorator]
def train(msg: Message, context: Context) -> Message:
    rng = np.random.default_rng(int(context.node_config["partition-id"]))
    features = rng.normal(rng.normal(0, 0.4, 4), 1.0, (120, 4))
    labels = rng.random(120) < 1 / (1 + np.exp(0.3 - features @ WEIGHTS))
    coef, intercept = (array.astype(float) for array in msg.content["arrays"].to_numpy_ndarrays())
    for _ in range(5):
        error = 1 / (1 + np.exp(-(features @ coef[0] + intercept))) - labels
        coef = coef - 0.5 * (error @ features / len(labels))
        intercept = intercept - 0.5 * error.mean()
    metrics: dict[str, Any] = {"num-examples": len(labels), "loss": float(abs(error).mean())}
    content = RecordDict(
        {"arrays": ArrayRecord([coef, intercept]), "metrics": MetricRecord(metrics)}
    )
    return Message(content=content, reply_to=msg)
