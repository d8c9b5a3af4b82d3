"""From parameters to a canonical model: through the compilers of scikit-learn's estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from veridict.federated.learners.learner import Scale
from veridict.models.compile import Compiled, compile_model


def behind_scale(scale: Scale, model: Any) -> Compiled:
    """`model`, an estimator with its parameters set, behind the federation's common scale."""
    n = len(scale.names)
    imputer = SimpleImputer(strategy="mean").fit(np.array([scale.means]))
    scaler = StandardScaler().fit(np.zeros((1, n)))
    scaler.mean_, scaler.scale_ = np.array(scale.means), np.array(scale.deviations)
    scaler.var_ = scaler.scale_**2
    model.n_features_in_ = n
    pipeline = Pipeline([("missing", imputer), ("scale", scaler), ("model", model)])
    return compile_model(pipeline, feature_names=scale.names)
