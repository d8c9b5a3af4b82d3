"""What a person does with a case short of deciding it, and who was quicker.

Two people may look at one case. Who acts tells what they saw: the log index of the last record
about it (`seen`). Where another record came since, the act is refused, and the refusal names
whose that was. Deciding is `services.acting.act`, which asks the same.
"""

from __future__ import annotations

from datetime import UTC, datetime

from veridict.core.errors import BadInput, NotFound, Refused
from veridict.core.nouns import Payload
from veridict.ledger.entry import owner_of
from veridict.services.cases.book import STATUS, Case
from veridict.services.cases.records import CaseRecord, Step
from veridict.services.node import Node
from veridict.services.records import ActRecord
from veridict.services.sayings import Assignment, Export, Words, read_words, said, saying

ERASED = "someone whose name was erased"
MAX_NAME, MAX_NOTE = 80, 2000
_DONE = {"assign": "assigned", "note": "noted upon", "export": "exported"}


def case_of(node: Node, index: int) -> Case:
    """Raises NotFound where `index` is no case."""
    case = node.board.cases.get(index)
    if case is None:
        raise NotFound(
            f"record {index} is not a case", remedy="choose one from the case list", index=index
        )
    return case


def need_unseen(node: Node, case: Case, seen: int | None) -> None:
    """Raises Refused, naming who was quicker, where the case moved on after record `seen`."""
    if seen is None or case.last == seen:
        return
    who, what = last_touch(node, case)
    raise Refused(
        f"case {case.index} was {what} by {who} since you looked (record {case.last})",
        remedy="look at it again, then act",
        reason="moved on",
        index=case.index,
        by=who,
        last=case.last,
    )


def need_open(node: Node, case: Case) -> None:
    """Raises Refused, naming who decided it."""
    if not case.acts:
        return
    at, act = case.acts[-1]
    who = by_whom(node, at)
    raise Refused(
        f"case {case.index} was {STATUS[act.act]} before, by {who}",
        remedy="a decided case stays decided; note a correction on it",
        reason=case.status,
        index=case.index,
        by=who,
        last=case.last,
    )


def last_touch(node: Node, case: Case) -> tuple[str, str]:
    """Who wrote the last record about it, and what that did."""
    touches: list[tuple[int, ActRecord | CaseRecord]] = [*case.acts[-1:], *case.steps[-1:]]
    at, record = max(touches, key=lambda touch: touch[0], default=(case.index, None))
    if record is None or (case.stopped and case.stopped[0] > at):
        return "a suppression", "stopped"
    if isinstance(record, ActRecord):
        return by_whom(node, at), STATUS[record.act]
    return by_whom(node, at), _DONE[record.step]


def by_whom(node: Node, index: int) -> str:
    """Whose words stand at record `index`."""
    words = read_words(node.log.payload(index), Words)
    return words.by if words else ERASED


def assign(
    node: Node, index: int, *, to: str, by: str, note: str = "", seen: int | None = None
) -> tuple[int, CaseRecord]:
    """Give case `index` to `to`. Raises NotFound, Refused where it is decided or moved on."""
    with node.lock:
        case = case_of(node, index)
        need_open(node, case)
        need_unseen(node, case, seen)
        return _step(node, case, "assign", Assignment(_name(by), _text(note), _name(to)))


def note(node: Node, index: int, *, note: str, by: str) -> tuple[int, CaseRecord]:
    """Write `note` upon case `index`, decided or not. Raises NotFound, BadInput if it is empty."""
    if not note.strip():
        raise BadInput("the note is empty", remedy="write what should be remembered")
    with node.lock:
        return _step(node, case_of(node, index), "note", Words(_name(by), _text(note)))


def exported(
    node: Node, index: int, *, by: str, note: str, redacted: bool, sha256: str
) -> tuple[int, CaseRecord]:
    """A report on case `index` was handed out; its digest is sealed with who did it."""
    with node.lock:
        words = Export(_name(by), _text(note), redacted, sha256)
        return _step(node, case_of(node, index), "export", words)


def _step(
    node: Node, case: Case, step: Step, words: Words | Assignment | Export
) -> tuple[int, CaseRecord]:
    now_ms = node.parts.clock()
    payload = saying(
        words,
        name=f"{step} on record {case.index}",
        subject=subject_of(node, case.index),
        time_ms=now_ms,
    )
    record = CaseRecord(step, case.index, said(payload), now_ms)
    return node.append(record, payload), record


def subject_of(node: Node, index: int) -> str:
    """Under whose key words about record `index` are sealed; "" once that is erased."""
    about: Payload | None = node.log.payload(index)
    return owner_of(about) if about else ""


def moment(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _name(text: str) -> str:
    if not 1 <= len(text.strip()) <= MAX_NAME:
        raise BadInput("nobody is named", remedy=f"give a name of 1 to {MAX_NAME} characters")
    return text.strip()


def _text(text: str) -> str:
    if len(text) > MAX_NOTE:
        raise BadInput(f"the note has {len(text)} characters", remedy=f"write {MAX_NOTE} or fewer")
    return text
