"""Ask all ten of a case: one pass over the log, one over the data, and the chain where needed.

The audit's nine checks are the ground of most answers, so that a node and a pack of it are
judged by the same code; what a question asks beyond them stands in its own file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from veridict.core.nouns import Anchor, Check
from veridict.core.progress import Progress, silent
from veridict.services.audit import Nine, replay
from veridict.services.audit.anchors import Anchors
from veridict.services.pack.answers import Answer, Case
from veridict.services.pack.questions import all_ten
from veridict.services.pack.questions.stream_rows import StreamRows
from veridict.services.pack.settled import Settlements


@dataclass(frozen=True, slots=True)
class Examination:
    """Ten answers, the nine checks that they rest on, and how many anchors the chain holds."""

    answers: tuple[Answer, ...]
    checks: tuple[Check, ...]
    anchored: int


def examine(case: Case, progress: Progress = silent) -> Examination:
    """Raises only where the source, the chain or the data cannot be read."""
    nine = Nine.over(
        case.log, case.network, case.operator, case.shelf, case.elsewhere, case.since, case.earlier
    )
    case = replace(case, on_chain=_on_chain(nine))
    rows, settled = StreamRows(case), Settlements(case)
    questions = all_ten(case, rows, settled)
    replay(case.log, nine.tree, (*nine.roster, rows, settled, *questions), progress)
    rows.compare(progress)
    checks = nine.checks()
    answers = tuple(q.answer(number, checks) for number, q in enumerate(questions, 1))
    return Examination(answers, tuple(checks), len(case.on_chain))


def _on_chain(nine: Nine) -> tuple[Anchor, ...]:
    return tuple(a for e in nine.roster if isinstance(e, Anchors) for a in e.on_chain)
