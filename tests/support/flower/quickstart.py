"""A ClientApp as Flower's quickstart for scikit-learn writes it: a NumPyClient and a client_fn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from flwr.client import NumPyClient
from flwr.clientapp import ClientApp
from sklearn.linear_model import LogisticRegression

WEIGHTS = np.array([1.5, -1.0, 0.8, 0.0])


def load_data(partition: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(partition)
    features = rng.normal(rng.normal(0, 0.4, 4), 1.0, (120, 4))
    chance = 1 / (1 + np.exp(0.3 - features @ WEIGHTS))
    return features, (rng.random(120) < chance).astype(int)


class FlowerClient(NumPyClient):  # type: ignore[misc]
    def __init__(self, model: Any, features: Any, labels: Any) -> None:
        self.model, self.features, self.labels = model, features, labels

    def fit(self, parameters: list[Any], config: dict[str, Any]) -> tuple[list[Any], int, Any]:
        self.model.coef_, self.model.intercept_ = parameters
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.model.fit(self.features, self.labels)
        return [self.model.coef_, self.model.intercept_], len(self.labels), {}


def client_fn(context: Any) -> Any:
    features, labels = load_data(int(context.node_config["partition-id"]))
    model = LogisticRegression(max_iter=context.run_config.get("local-epochs", 1), warm_start=True)
    model.classes_ = np.array([0, 1])
    return FlowerClient(model, features, labels).to_client()


app = ClientApp(client_fn=client_fn)
