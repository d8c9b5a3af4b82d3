"""A federation in one process: the same arithmetic as between parties, without the network.

Masks are left out, since they cancel: a sum of masked updates is the sum of the updates, bit for
bit. Noise is added where the learner promises privacy, each party its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from veridict.federated.learners.learner import Learner, Rows
from veridict.federated.privacy.private import Private
from veridict.federated.round import GroupSum, turn
from veridict.federated.rules import Rule
from veridict.federated.rules.combined import CombinedRule

Tell = Callable[[int, bytes], None]  # round, state


def simulate(
    learner: Learner,
    parties: Sequence[Rows],
    rule: Rule,
    root: Rows | None = None,
    tell: Tell = lambda round_, state: None,
) -> bytes:
    """The finished state. `root`: the public batch, for a rule that measures by one.

    With shared noise all parties are one group, whose sum alone is seen. Raises as `turn`.
    """
    state, number = learner.start(), 0
    measured = isinstance(rule, CombinedRule) and rule.needs_root and root is not None
    while not learner.finished(state):
        number += 1
        updates = [learner.update(state, rows, number) for rows in parties]
        together = False
        if isinstance(learner, Private):
            updates = [learner.guarded(state, update) for update in updates]
            together = learner.guard.noise == "shared"
        members = range(len(parties))
        sums = (
            [GroupSum.of(members, updates)]
            if together
            else [GroupSum.of([n], [updates[n]]) for n in members]
        )
        toward = learner.update(state, root) if measured and root is not None else None
        state = turn(learner, state, sums, rule, toward).state
        tell(number, state)
    return state


def silos_of(rows: Rows, groups: Sequence[object]) -> list[Rows]:
    """One party for each different group, in the order of their text."""
    kinds = sorted(set(map(str, groups)))
    names = [str(group) for group in groups]
    places: dict[str, list[int]] = {kind: [] for kind in kinds}
    for at, name in enumerate(names):
        places[name].append(at)
    return [Rows(rows.features[places[kind]], rows.labels[places[kind]]) for kind in kinds]
