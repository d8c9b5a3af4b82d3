"""The small parts of cases: the fold, what a request says, where accounts stand."""

from __future__ import annotations

import pytest

from tests.support.cases import payment
from veridict.chain.abi import encode_arguments
from veridict.core.nouns import NO_REASON, Decision, PredictionRecord, Request
from veridict.services.cases.book import Book
from veridict.services.cases.drawing import places
from veridict.services.cases.facts import Facts, facts_of
from veridict.services.cases.naming import Numbered, Plain
from veridict.services.cases.records import CaseRecord, RevocationRecord, SuppressedRecord
from veridict.services.cases.ring import Edge, Graph
from veridict.services.feeding.records import VerdictRecord
from veridict.services.records import ActRecord, LogRecord


def predicted(decision: Decision, sequence: int = 0) -> PredictionRecord:
    reasons = (NO_REASON,) * 3
    return PredictionRecord(decision, reasons, sequence, 1, 0, bytes(32), bytes(32), bytes(32))


def test_a_verdict_makes_a_case_of_what_the_model_allowed() -> None:
    book = Book()
    book.see(0, predicted(Decision.ALLOW))
    book.see(1, VerdictRecord("00", "hold", "00", 1))
    book.see(2, predicted(Decision.HOLD, 1))
    book.see(3, VerdictRecord("00", "review", "00", 1))
    assert {at: case.decision for at, case in book.cases.items()} == {
        0: Decision.HOLD, 2: Decision.HOLD,
    }  # fmt: skip
    book.see(5, VerdictRecord("00", "hold", "00", 1))  # behind no prediction
    assert list(book.cases) == [0, 2]
    assert book.open_cases == 2


def test_records_about_what_is_no_case_change_nothing() -> None:
    book = Book()
    book.see(0, predicted(Decision.ALLOW))
    named: list[LogRecord] = [
        ActRecord("release", 0, "", None, None, 1),
        CaseRecord("note", 7, "", 1),
        SuppressedRecord(0, 3, 1),
        RevocationRecord(3, "", 1),
    ]
    for at, record in enumerate(named, 1):
        book.see(at, record)
    assert not book.cases
    assert not book.suppressions


def test_last_is_the_newest_record_about_a_case() -> None:
    book = Book()
    book.see(4, predicted(Decision.REVIEW))
    case = book.cases[4]
    assert (case.last, case.status) == (4, "open")
    book.see(6, SuppressedRecord(4, 2, 1))
    assert (case.last, case.status) == (6, "suppressed")
    book.see(7, CaseRecord("assign", 4, "", 1))
    book.see(9, ActRecord("confirm", 4, "", None, None, 1))
    assert (case.last, case.status, case.assigned) == (9, "confirmed", 7)


def test_what_a_request_says_of_parties_and_amounts() -> None:
    told = facts_of(payment("p", "ann", "bob", 12, device="phone 1", ip="10.0.0.1"))
    assert told == Facts(
        "ann", "bob", 12, 1_700_000_000, (("device", "phone 1"), ("network address", "10.0.0.1"))
    )
    assert facts_of(payment("p", "ann", "ann")).accounts == ("ann",)


def test_a_guard_s_payment_is_read_by_its_words() -> None:
    payer, payee, guard = ("0x" + digit * 40 for digit in "123")
    kinds = ["uint256", "address", "uint256", "address", "address", "uint256"]
    content = encode_arguments("settlement", kinds, [1, guard, 7, payer, payee, 10**20])
    told = facts_of(Request("x", payer, 5, content))
    assert (told.payer, told.payee, told.amount_minor) == (payer, payee, 10**20)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[1]", b"\xff" * 192, b"{}", b'{"payer": 7, "amount_minor": "12"}',
        b'{"amount_minor": -5}', b'{"amount_minor": true}', b'{"device": [1]}', b"{" * 10_000,
    ],
)  # fmt: skip
def test_whatever_a_request_holds_it_is_about_its_subject(content: bytes) -> None:
    assert facts_of(Request("x", "ann", 5, content)) == Facts("ann", "", None, 5)


def test_names_are_numbered_once_and_notes_withheld() -> None:
    naming = Numbered()
    assert [naming.account(name) for name in ("b", "a", "b", "")] == [
        "account 1", "account 2", "account 1", "",
    ]  # fmt: skip
    assert naming.thing("account", "a") == "account 2"
    assert naming.thing("device", "x") == "device 1"
    assert (naming.text("about ann"), naming.text("")) == ("withheld", "")
    assert (Plain().account("a"), Plain().text("t")) == ("a", "t")


def test_accounts_stand_apart_on_the_page_with_the_ring_inside() -> None:
    ring = ("a", "b", "c")
    edges = tuple(Edge(x, y) for x, y in zip(ring, ring[1:] + ring[:1], strict=True))
    hanging = tuple(Edge(f"h{n}", "a") for n in range(9))
    accounts = ring + tuple(edge.payer for edge in hanging)
    found = places(Graph(accounts, edges + hanging, ring, 0))
    assert set(found) == set(accounts)
    assert len(set(found.values())) == len(accounts)

    def off(account: str) -> float:
        x, y = found[account]
        return float((x - 0.5) ** 2 + (y - 0.5) ** 2)

    assert max(off(account) for account in ring) < min(off(edge.payer) for edge in hanging)
    assert places(Graph((), (), (), 0)) == {}
