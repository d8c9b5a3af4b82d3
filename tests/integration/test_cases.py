"""Cases: who took them, what was noted, who was quicker, and what a cleared one stops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cases import decided, payment
from tests.support.told import opened, told_copy
from veridict.core.errors import BadInput, NotFound, Refused
from veridict.core.nouns import Decision
from veridict.services.acting import act, erase
from veridict.services.cases import desk
from veridict.services.cases.outcomes import Outcome, outcomes
from veridict.services.cases.records import CaseRecord, SuppressedRecord, SuppressionRecord
from veridict.services.cases.suppressing import DAY_MS, Limits, revoke, suppress
from veridict.services.node import Node
from veridict.services.records import decode
from veridict.services.sayings import Assignment, Suppressing, read_words


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return told_copy(tmp_path_factory.mktemp("cases") / "home")


@pytest.fixture(scope="module")
def node(home: Path) -> Iterator[Node]:
    with opened(home) as node:
        yield node


def status(node: Node, index: int) -> str:
    return node.board.cases[index].status


def test_assignments_and_notes_are_records_that_name_nobody(node: Node) -> None:
    (made,) = decided(node, [payment("assigned", "ann", "bob")])
    at, record = desk.assign(node, made.index, to="Cleo", by="Dan", note="you know ann")
    assert (
        decode(node.log.body(at))
        == record
        == CaseRecord("assign", made.index, record.said, record.time_ms)
    )
    assert read_words(node.log.payload(at), Assignment) == Assignment("Dan", "you know ann", "Cleo")
    noted, _ = desk.note(node, made.index, note="ann moved house", by="Cleo")
    assert b"Cleo" not in node.log.body(noted)
    case = node.board.cases[made.index]
    assert (case.assigned, case.last, case.status) == (at, noted, "open")
    with pytest.raises(BadInput):
        desk.note(node, made.index, note="  ", by="Cleo")
    with pytest.raises(NotFound):
        desk.note(node, node.log.size + 5, note="x", by="Cleo")


def test_who_comes_second_is_told_by_whom(node: Node) -> None:
    (made,) = decided(node, [payment("raced", "ann", "bob")])
    seen = node.board.cases[made.index].last
    desk.assign(node, made.index, to="Cleo", by="Cleo", seen=seen)
    size = node.log.size
    with pytest.raises(Refused, match="assigned by Cleo since you looked") as refused:
        desk.assign(node, made.index, to="Dan", by="Dan", seen=seen)
    assert refused.value.facts["by"] == "Cleo"
    with pytest.raises(Refused, match="since you looked"):
        act(node, made.index, "confirm", by="Dan", note="", seen=seen)
    assert node.log.size == size
    act(node, made.index, "release", by="Cleo", note="", seen=node.board.cases[made.index].last)
    with pytest.raises(Refused, match="was released before, by Cleo"):
        act(node, made.index, "confirm", by="Dan", note="")
    with pytest.raises(Refused, match="released before, by Cleo"):
        desk.assign(node, made.index, to="Dan", by="Dan")


def test_a_cleared_case_stops_its_children_within_limits(node: Node) -> None:
    like = payment("parent", "pia", "quin", 5_000)
    parent, *others = decided(node, [like, payment("other pair", "pia", "rex", 5_000)])
    with pytest.raises(Refused, match="nothing to stop others by"):
        suppress(node, parent.index, Limits(), by="Cleo")
    act(node, parent.index, "release", by="Cleo", note="known supplier")
    at, record = suppress(node, parent.index, Limits(days=30, most=2), by="Cleo")
    assert record.until_ms == record.time_ms + 30 * DAY_MS
    assert read_words(node.log.payload(at), Suppressing) == Suppressing(
        "Cleo", "", "pia", "quin", 5_000
    )
    child, other, dearer = decided(
        node,
        [
            payment("child", "pia", "quin", 4_999),
            payment("back", "quin", "pia", 100),
            payment("dearer", "pia", "quin", 5_001),
        ],
    )
    assert [status(node, one.index) for one in (child, other, dearer)] == [
        "suppressed", "open", "open",
    ]  # fmt: skip
    assert child.record.decision is Decision.HOLD  # what was predicted stands
    assert status(node, others[0].index) == "open"
    second, third = decided(node, [payment(f"next {n}", "pia", "quin") for n in range(2)])
    assert [status(node, one.index) for one in (second, third)] == ["suppressed", "open"]
    assert node.board.book.suppressions[at].stopped == [child.index, second.index]


def test_a_suppression_ends_when_it_is_taken_back_or_over(node: Node) -> None:
    parent = decided(node, [payment("revoked parent", "sue", "tom")])[0]
    act(node, parent.index, "release", by="Cleo", note="")
    at, record = suppress(node, parent.index, Limits(), by="Cleo")
    assert node.board.book.suppressions[at].is_active(record.until_ms - 1)
    assert not node.board.book.suppressions[at].is_active(record.until_ms)
    revoke(node, at, by="Dan", note="too wide")
    child = decided(node, [payment("revoked child", "sue", "tom")])[0]
    assert status(node, child.index) == "open"
    with pytest.raises(Refused, match="taken back before"):
        revoke(node, at, by="Dan")
    with pytest.raises(NotFound):
        revoke(node, parent.index, by="Dan")
    for days, most in ((0, 1), (1, 0), (400, 1), (1, 10_000)):
        with pytest.raises(BadInput):
            Limits(days, most)


def test_an_erased_subject_is_forgotten_by_notes_and_suppressions(node: Node) -> None:
    parent = decided(node, [payment("forgotten", "una", "vic")])[0]
    noted, _ = desk.note(node, parent.index, note="una called from abroad", by="Cleo")
    act(node, parent.index, "release", by="Cleo", note="")
    at, _ = suppress(node, parent.index, Limits(), by="Cleo")
    erase(node, "una", ground="request", by="officer")
    assert node.log.payload(noted) is None
    assert node.log.payload(at) is None
    child = decided(node, [payment("after", "una", "vic")])[0]
    assert status(node, child.index) == "open"


def test_outcomes_tell_labels_from_when_they_were_known(node: Node) -> None:
    fraud, fine, waiting = decided(
        node, [payment(f"outcome {n}", f"w{n}", "shop") for n in range(3)]
    )
    confirmed, record = act(node, fraud.index, "confirm", by="Cleo", note="")
    act(node, fine.index, "release", by="Cleo", note="")
    found = {outcome.index: outcome for outcome in outcomes(node.board.book)}
    assert found[fraud.index] == Outcome(
        fraud.index, fraud.record.sequence, 1, confirmed, record.time_ms
    )
    assert found[fine.index].label == 0
    assert waiting.index not in found
    told = [outcome.act for outcome in outcomes(node.board.book)]
    assert told == sorted(told)


def test_the_log_alone_tells_all_of_it_again_and_the_audit_passes(home: Path, node: Node) -> None:
    book = node.board.book
    node.anchor()
    checks = node.audit()
    assert [check.title for check in checks if not check.passed] == []
    node.close()
    with opened(home) as again:
        assert again.board.book.cases == book.cases
        assert again.board.book.suppressions == book.suppressions


def test_the_audit_names_what_was_stopped_without_right(tmp_path: Path) -> None:
    with opened(told_copy(tmp_path / "home")) as node:
        parent, child = decided(node, [payment(f"kept {n}", "xena", "yan") for n in range(2)])
        act(node, parent.index, "release", by="Cleo", note="")
        at, record = suppress(node, parent.index, Limits(most=1), by="Cleo")
        for suppression in (at, parent.index):  # before it was made; and one that is none
            node.append(SuppressedRecord(child.index, suppression, record.time_ms))
        late = SuppressionRecord(node.log.size + 9, "", 0, 0, 1, record.said, 0)
        node.append(late, node.log.payload(at))
        ninth = node.audit()[8]
        codes = [finding.code for finding in ninth.findings]
        assert codes == ["suppression.exceeded", "act.baseless", "act.baseless"]
