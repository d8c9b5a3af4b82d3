"""A promise of privacy added to a federation's rules."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from veridict.apps.federating.table import read_rows
from veridict.core.errors import BadInput
from veridict.federated.privacy.private import Private
from veridict.services.federation.drafts import Budget, private_settings, promise_of
from veridict.services.federation.promise import keeps
from veridict.services.federation.rules import FederationRules, Setting, root_digest


def promised(rules: FederationRules, root: Path, budget: Budget) -> FederationRules:
    """The rules with `budget` kept by as little noise as it takes. Raises BadInput."""
    names = [feature.name for feature in rules.features]
    _, public = read_rows(root, rules.label, names)
    if root_digest(public) != rules.root:
        raise BadInput("this root batch is not the one that the rules name", remedy="pass that one")
    own = {name: float(value) for name, value in rules.settings.items()}
    settings = private_settings(rules.learner, own)
    whole = {n: int(v) if float(v).is_integer() else float(v) for n, v in settings.items()}
    privacy = promise_of(budget, rules.learner, whole, names, public, rules.rows_max)
    texts: dict[str, Setting] = {
        name: value if isinstance(value, int) else repr(value) for name, value in whole.items()
    }
    made = replace(rules, settings=texts, privacy=privacy)
    made.check()
    learner = made.learner_()
    assert isinstance(learner, Private)
    learner.headroom(learner.start())  # raises where so few rows cannot hide so much
    keeps(learner)
    return made
