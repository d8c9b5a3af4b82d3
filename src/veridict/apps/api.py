"""The Python API: what `import veridict` offers a data scientist."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from veridict.apps import wire
from veridict.apps.settings import Settings
from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput
from veridict.core.nouns import SCORE_ONE, Policy
from veridict.models.card import ModelCard
from veridict.models.compile import Compiled, Link, compile_model
from veridict.models.image import image, pack
from veridict.models.papers.libraries import libraries as installed
from veridict.services.node import Node
from veridict.services.papers.measures import grouped_metrics
from veridict.services.receipt import Receipt
from veridict.watch.fairness import SEPARATOR

__all__ = ["Compiled", "Node", "Receipt", "card", "compile", "open_node"]


def compile(
    model: object,
    *,
    feature_names: Sequence[str] | None = None,
    rows: ArrayLike | None = None,
) -> Compiled:
    """A trained estimator as exact integers: `compiled.model`, and `compiled.annex` to explain.

    `rows` tell a linear model or a network which values occur, for a tighter bound. Raises
    UnsupportedModel, naming the reason, for what has no canonical form.
    """
    return compile_model(model, feature_names=feature_names, rows=rows)


def card(
    compiled: Compiled,
    *,
    title: str,
    review_at: float,
    hold_at: float,
    X: ArrayLike,  # noqa: N803  scikit-learn's name
    y: ArrayLike,
    period_s: tuple[int, int] = (0, 0),
    limits: Sequence[str] = (),
    groups: Mapping[str, Sequence[object]] | None = None,
    libraries: Sequence[str] = (),
) -> ModelCard:
    """The card that is registered with a model.

    `review_at` and `hold_at` are probabilities for a classifier, outputs for a
    regression. `X`, `y`: held-out rows and their 0/1 labels, on which the card's
    metrics are measured and whose digest it carries. `period_s`: first and last
    second of the training data. `groups`: who the held-out rows are about, one list
    an attribute ({"sex": ["female", …]}); the card tells how each group fares and how
    far they lie apart. `libraries`: names of installed packages that made the model,
    whose versions the card keeps. Raises BadInput.
    """
    rows, labels = image(np.asarray(X)), np.asarray(y, dtype=np.int8)
    policy = Policy(_raw(review_at, compiled.link), _raw(hold_at, compiled.link))
    names = _groups(groups or {}, len(rows))
    shape = canonical_json(["float64 image", *rows.shape])
    return ModelCard(
        model_id=compiled.model.id.hex(),
        annex=compiled.annex.digest.hex(),
        title=title,
        data=sha256(shape + pack(rows) + labels.tobytes()).hexdigest(),
        data_title="held-out rows",
        trained_from_s=period_s[0],
        trained_to_s=period_s[1],
        features=compiled.feature_names,
        metrics=grouped_metrics(names, compiled.model.score(rows), labels, policy),
        limits=tuple(limits),
        review_at=str(policy.review_at),
        hold_at=str(policy.hold_at),
        libraries=installed(libraries) if libraries else (),
    )


def _groups(groups: Mapping[str, Sequence[object]], rows: int) -> list[tuple[str, ...]]:
    """Each row's groups, named as `watch.fairness` reads them."""
    for attribute, members in groups.items():
        if len(members) != rows or SEPARATOR in attribute or not attribute:
            raise BadInput(
                f"group {attribute!r} has {len(members)} members for {rows} rows, or no plain name",
                remedy="pass one value a held-out row, under a name without ': '",
            )
    columns = [[f"{name}{SEPARATOR}{member}" for member in of] for name, of in groups.items()]
    return list(zip(*columns, strict=True)) if columns else [()] * rows


def open_node(
    home: str | Path | None = None, *, rpc: str | None = None, chains: Sequence[str] = ()
) -> Node:
    """A node in directory `home` (VERIDICT_HOME, else ~/.veridict), on the chain at `rpc`.

    Without `rpc` (VERIDICT_RPC) it stands on its own embedded chain. `chains` are others to
    anchor on, each as "NAME=URL", besides those of `chains.toml` in the home. Close it, or
    use it as a context manager. Raises NodeRunning, WrongChain, NoFunds,
    RpcUnavailable, StorageFailed.
    """
    place = Path(home) if home else None
    return wire.open_node(Settings.read(home=place, rpc=rpc, chains=chains))


def _raw(threshold: float, link: Link) -> int:
    """A threshold on the model's answer as one on its raw score, in units of 2^-32."""
    if link is Link.LOGIT:
        if not 0 < threshold < 1:
            raise BadInput(
                f"{threshold} is no probability between 0 and 1", remedy="pass, say, 0.5"
            )
        threshold = math.log(threshold / (1 - threshold))
    elif link is Link.LOG:
        threshold = math.log(threshold)
    elif link is Link.ANOMALY:
        if not 0 < threshold <= 1:
            raise BadInput(
                f"{threshold} is no anomaly score between 0 and 1", remedy="pass, say, 0.6"
            )
        threshold = math.log2(threshold)
    return round(threshold * SCORE_ONE)
