"""The ten questions of an auditor, one file each, in the order in which they are asked."""

from __future__ import annotations

from veridict.services.pack.answers import Case, Question
from veridict.services.pack.questions.authentic import Authentic
from veridict.services.pack.questions.bodies import Bodies
from veridict.services.pack.questions.metrics import MetricsAgain
from veridict.services.pack.questions.nothing_left_out import NothingLeftOut
from veridict.services.pack.questions.outcome import BeforeOutcome
from veridict.services.pack.questions.past_only import PastOnly
from veridict.services.pack.questions.same_again import SameAgain
from veridict.services.pack.questions.stream_rows import StreamRows
from veridict.services.pack.questions.which_data import WhichData
from veridict.services.pack.questions.which_model import WhichModel
from veridict.services.pack.questions.who_allowed import WhoAllowed
from veridict.services.pack.settled import Settlements


def all_ten(case: Case, rows: StreamRows, settled: Settlements) -> tuple[Question, ...]:
    """In order; `rows` and `settled` are shared by several and shown the log once, before them."""
    return (
        WhichModel(case),
        WhichData(case),
        PastOnly(case, rows),
        SameAgain(case),
        BeforeOutcome(case),
        NothingLeftOut(case, settled),
        MetricsAgain(case),
        WhoAllowed(case, settled),
        Authentic(case, rows, settled),
        Bodies(case),
    )
