"""A federation for whoever has a DataFrame and scikit-learn, and nothing else.

    FederatedClassifier().fit(X, y, groups=hospital)        silos on this machine, to try it out
    FederatedClassifier(contract="0x…", rules="rules.json", root="public.csv",
                        url="https://HOST:PORT", rpc=URL, peers=["card.json"]).fit(X, y)
                                                            this party's part in a real one

Both end with a canonical model, `canonical_`, which can be registered and judged on chain.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from veridict.core.errors import BadInput
from veridict.core.nouns import SCORE_ONE
from veridict.federated.fixed import F64
from veridict.federated.learners import Learner, Rows, learner_of
from veridict.federated.learners.prepared import Prepared
from veridict.federated.privacy.accounting import epsilon_of
from veridict.federated.rules import rule_named
from veridict.federated.simulation import silos_of, simulate
from veridict.federated.statistics import Feature
from veridict.models.canonical import CanonicalModel
from veridict.models.image import image
from veridict.services.federation.drafts import Budget, private_learner

_MARGIN = 0.1  # of a feature's range in the root batch, on both sides


class FederatedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Two classes; features are numbers, NaN where missing.

    `learner`: logistic, network, torch or trees; `settings`: its own, else as usual. `rule`: how
    updates are joined, by a public batch of a share `root_share` of the rows where it needs one.
    `epsilon`: of differential privacy for each row, with noise of each silo alone (`local`) or
    of their sum (`shared`); None promises none. `silos`: how many, where `fit` is given no groups.
    """

    def __init__(
        self,
        learner: str = "logistic",
        *,
        settings: dict[str, int | float] | None = None,
        rule: str = "trust",
        faulty: int = 0,
        root_share: float = 0.1,
        silos: int = 4,
        epsilon: float | None = None,
        delta: float = 1e-5,
        noise: str = "local",
        random_state: Any = None,
        contract: str | None = None,
        rules: str | None = None,
        root: str | None = None,
        url: str | None = None,
        rpc: str | None = None,
        home: str | None = None,
        peers: Any = (),
    ) -> None:
        self.learner = learner
        self.settings = settings
        self.rule = rule
        self.faulty = faulty
        self.root_share = root_share
        self.silos = silos
        self.epsilon = epsilon
        self.delta = delta
        self.noise = noise
        self.random_state = random_state
        self.contract = contract
        self.rules = rules
        self.root = root
        self.url = url
        self.rpc = rpc
        self.home = home
        self.peers = peers

    # -- scikit-learn's habits --------------------------------------------------------------------

    def fit(self, X: Any, y: Any, groups: Any = None) -> FederatedClassifier:  # noqa: N803
        """`groups`: which silo each row belongs to; a key of the data, as a hospital or branch.

        Raises ValueError as scikit-learn does, and veridict's errors for what concerns parties.
        """
        features, labels = validate_data(
            self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2
        )
        if np.isinf(features).any():
            raise ValueError("Input X contains infinity")
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if type_of_target(labels) != "binary":
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(labels)}."
            )
        if len(self.classes_) < 2:
            raise ValueError("This classifier needs two classes; the labels hold one class")
        rows = Rows(features, codes.astype(np.int8))
        joined = self.contract is not None
        self.model_bytes_ = (self._join(rows) if joined else self._simulate(rows, groups)).bytes
        return self

    @property
    def canonical_(self) -> CanonicalModel:
        return _decoded(self.model_bytes_)

    def decision_function(self, X: Any) -> F64:  # noqa: N803
        """Log-odds of `classes_[1]`, as the canonical model scores them: units of 2^-32."""
        check_is_fitted(self)
        features = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False
        )
        if np.isinf(features).any():
            raise ValueError("Input X contains infinity")
        scores: F64 = self.canonical_.score(image(features)) / SCORE_ONE
        return scores

    def predict_proba(self, X: Any) -> F64:  # noqa: N803
        chance = 0.5 * (1.0 + np.tanh(0.5 * self.decision_function(X)))
        return np.stack([1.0 - chance, chance], axis=1)

    def predict(self, X: Any) -> Any:  # noqa: N803
        chosen = (self.decision_function(X) > 0).astype(int)
        return self.classes_[chosen]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    # -- a federation -----------------------------------------------------------------------------

    def _simulate(self, rows: Rows, groups: Any) -> CanonicalModel:
        random = check_random_state(self.random_state)
        public = random.permutation(len(rows)) < max(2, round(self.root_share * len(rows)))
        if public.all() or self.root_share <= 0:
            public = np.ones(len(rows), bool)
        held = np.ones(len(rows), bool) if public.all() else ~public
        rule = rule_named(self.rule, self.faulty)
        root = Rows(rows.features[public], rows.labels[public])
        own = Rows(rows.features[held], rows.labels[held])
        if groups is None:
            names = random.permutation(len(own)) % max(1, min(self.silos, len(own)))
        else:
            if len(groups) != len(rows):
                raise ValueError(f"{len(groups)} groups for {len(rows)} rows")
            names = np.asarray(groups)[held]
        parties = silos_of(own, names.tolist())
        learner = self._learner(root, parties)
        state = simulate(learner, parties, rule, root)
        self.n_silos_ = len(parties)
        self.n_rounds_ = learner.rounds
        self.epsilon_ = self._spent(learner)
        return learner.compiled(state).model

    def _learner(self, root: Rows, parties: list[Rows]) -> Learner:
        names = tuple(f"x{i}" for i in range(root.features.shape[1]))
        names = tuple(map(str, getattr(self, "feature_names_in_", names)))
        rows_max, settings = max(map(len, parties)), dict(self.settings or {})
        if self.epsilon is not None:
            shared = self.noise == "shared"
            budget = Budget(
                self.epsilon,
                self.delta,
                "shared" if shared else "local",
                rows_min=min(map(len, parties)),
                sharers=len(parties) if shared else 1,
            )
            return private_learner(budget, self.learner, settings, names, root, rows_max)
        columns = zip(names, root.features.T, strict=True)
        features = [_feature(name, column) for name, column in columns]
        return Prepared(features, rows_max, lambda scale: learner_of(self.learner, settings, scale))

    def _spent(self, learner: Learner) -> float | None:
        guard = getattr(learner, "guard", None)
        return None if guard is None else epsilon_of(guard.multiplier, learner.rounds, guard.delta)

    def _join(self, rows: Rows) -> CanonicalModel:
        from veridict.apps.federating.seats import join_with_rows, train_member
        from veridict.apps.settings import Settings

        if self.rules is None or self.root is None or self.url is None:
            raise BadInput(
                "a federation is joined with its rules, its public batch and an address",
                remedy="give rules=, root= and url=, as `veridict federate join` takes them",
            )
        settings = Settings.read(home=Path(self.home) if self.home else None, rpc=self.rpc)
        names = [str(name) for name in getattr(self, "feature_names_in_", ())]
        contract, cards = str(self.contract), [Path(card) for card in self.peers]
        rules, root = Path(self.rules), Path(self.root)
        join_with_rows(settings, contract, rules, rows, names, root, self.url)
        host = urlsplit(self.url).hostname or "127.0.0.1"
        trained = train_member(settings, contract, cards, host, lambda told: None)
        return CanonicalModel(trained.data)


@lru_cache(maxsize=8)
def _decoded(data: bytes) -> CanonicalModel:
    return CanonicalModel(data)


def _feature(name: str, column: F64) -> Feature:
    present = column[~np.isnan(column)]
    low, high = (float(present.min()), float(present.max())) if len(present) else (0.0, 1.0)
    margin = _MARGIN * (high - low) or max(1.0, abs(low)) * _MARGIN
    return Feature(name, low - margin, high + margin)
