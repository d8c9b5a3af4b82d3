"""Walk every prediction backwards: audit → act → log → commit → score, without trusting the keeper.

The argument, in numbered checks. Each names what it found wrong; one that had
nothing to examine does not pass.

    1  records      every index is there, every body hashes to its leaf, no leaf is unreadable
    2  checkpoints  each is signed by the log's key and is the root of the bodies replayed
    3  anchors      each chain's roots are roots of these same bodies, and notes and records agree
    4  models       each model's bytes hash to its id, here and on chain, as does its card
    5  sequence     the issuer's predictions are numbered without a gap, each after its model
    6  commitments  every payload opens its record's commitments, and what is gone was erased
    7  scores       each model, run again on the logged inputs, gives the same integers and reasons
    8  decisions    each decision follows from its score by the registered policy
    9  outcomes     labels were logged after the predictions they judge; acts name predictions

The caller's duty: know whose contracts and which operator these are. Without a chain, check 3
holds the keeper's notes against the tree alone, and check 4 his copies against their digests:
say so wherever the checks are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veridict.core.nouns import Check, Stage
from veridict.core.progress import Progress, Step, silent
from veridict.services.anchoring.places import Elsewhere
from veridict.services.audit.anchors import Anchors
from veridict.services.audit.commitments import Commitments
from veridict.services.audit.models import Models
from veridict.services.audit.outcomes import Outcomes
from veridict.services.audit.predictions import Decisions, Scores, Sequences
from veridict.services.audit.source import Copies, Source
from veridict.services.audit.tree import Checkpoints, Records, Tree
from veridict.services.audit.walk import Examiner, Onlooker, Row, rows_of
from veridict.services.deploy import Network

CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Nine:
    """The checks above before they have seen anything; `replay` shows them the log."""

    tree: Tree
    models: Models
    roster: tuple[Examiner, ...]

    @classmethod
    def over(
        cls,
        log: Source,
        network: Network | None,
        operator: str,
        shelf: Copies,
        elsewhere: Sequence[Elsewhere] = (),
        since: int = 0,
        earlier: bool = False,
    ) -> Nine:
        anchors = Anchors(log, network, operator, elsewhere, since, earlier)
        tree = Tree(log, wanted=anchors.sizes())
        models = Models(network, shelf)
        roster = (
            Records(log),
            Checkpoints(log, tree),
            anchors.under(tree),
            models,
            Sequences(models),
            Commitments(),
            Scores(models),
            Decisions(models),
            Outcomes(),
        )
        return cls(tree, models, roster)

    def checks(self) -> list[Check]:
        return [
            Check(number, examiner.title, *examiner.verdict(), notes=_notes(examiner))
            for number, examiner in enumerate(self.roster, 1)
        ]


def _notes(examiner: Examiner) -> tuple[str, ...]:
    return tuple(examiner.notes) if isinstance(examiner, Commitments) else ()


def audit(
    log: Source,
    network: Network | None,
    *,
    operator: str,
    shelf: Copies,
    elsewhere: Sequence[Elsewhere] = (),
    since: int = 0,
    progress: Progress = silent,
) -> list[Check]:
    """All nine checks over the whole log. Raises only if the log or the chain cannot be read.

    `operator` is the address whose anchors count; `shelf` holds the keeper's copies of the
    models; `elsewhere` are the other chains on which the log is anchored, of which one that
    cannot be read is a finding. No anchor on the home chain is older than block `since`.
    """
    nine = Nine.over(log, network, operator, shelf, elsewhere, since)
    replay(log, nine.tree, nine.roster, progress)
    return nine.checks()


def replay(
    log: Source, tree: Tree, roster: Sequence[Onlooker], progress: Progress = silent
) -> None:
    """Show every row of `log`, in order, to `tree` and then to each of `roster`."""
    size = log.size
    for start in range(0, size, CHUNK):
        rows: list[Row] = rows_of(log, start, min(start + CHUNK, size))
        tree.see(rows)
        for examiner in roster:
            examiner.see(rows)
        progress(Step(Stage.AUDIT, "replaying the log", min(start + CHUNK, size), size))
