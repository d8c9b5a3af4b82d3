"""Private matching: what both have is found, what one has alone is not shown, lies are refused."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veridict.core.errors import BadInput, EvidenceError
from veridict.federated.matching.matching import Matching
from veridict.federated.matching.points import point_of, times

NAME = sha256(b"patients of 2026").digest()
_P = 2**255 - 19
words = st.sets(st.binary(min_size=1, max_size=6), min_size=1, max_size=8)


def run(ours: set[bytes], theirs: set[bytes]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    one, two = Matching.of(NAME, sorted(ours)), Matching.of(NAME, sorted(theirs))
    offers = one.offer(), two.offer()
    answers = one.answer(offers[1]), two.answer(offers[0])
    return (
        one.matched(offers[0], answers[1], answers[0]),
        two.matched(offers[1], answers[0], answers[1]),
    )


@given(words, words)
@settings(max_examples=25, deadline=None)
def test_both_find_exactly_what_both_have(ours: set[bytes], theirs: set[bytes]) -> None:
    assert run(ours, theirs) == (tuple(sorted(ours & theirs)),) * 2


@given(st.binary(max_size=40))
@settings(max_examples=40, deadline=None)
def test_an_identifier_is_a_point_of_the_curve_itself(identifier: bytes) -> None:
    """On the twist the point would say one bit of the identifier."""
    x = int.from_bytes(point_of(NAME, identifier), "little")
    assert pow((x**3 + 486662 * x * x + x) % _P, (_P - 1) // 2, _P) == 1
    assert point_of(NAME, identifier) != point_of(sha256(NAME).digest(), identifier)


def test_nothing_that_leaves_can_be_looked_up() -> None:
    """Neither identifier nor hash nor point; and the same table is offered otherwise each time."""
    it = Matching.of(NAME, [b"anna", b"bob"])
    offer = it.offer()
    again = Matching.of(NAME, [b"anna", b"bob"]).offer()
    for name in (b"anna", b"bob"):
        for told in (name, sha256(name).digest(), point_of(NAME, name)):
            assert told not in offer
    assert not {offer[33:65], offer[65:]} & {again[33:65], again[65:]}


def test_multiplication_commutes() -> None:
    point, a, b = point_of(NAME, b"x"), sha256(b"a").digest(), sha256(b"b").digest()
    assert times(a, times(b, [point])) == times(b, times(a, [point])) != [point]


def test_many_are_matched_in_several_processes() -> None:
    ours = {b"%d" % i for i in range(9000)}
    theirs = {b"%d" % i for i in range(8990, 9010)}
    one, two = Matching.of(NAME, sorted(ours)), Matching.of(NAME, sorted(theirs))
    offers = one.offer(2), two.offer(2)
    answers = one.answer(offers[1], 2), two.answer(offers[0], 2)
    assert one.matched(offers[0], answers[1], answers[0]) == tuple(sorted(ours & theirs))


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        (b"", "matching.malformed"),
        (b"x" * 33, "matching.malformed"),
        (bytes(32), "matching.bad-point"),  # a point of order one
        ((1).to_bytes(32, "little"), "matching.bad-point"),  # of order four
        (point_of(NAME, b"x") * 2, "matching.malformed"),
        (b"".join(point_of(NAME, b"%d" % i) for i in range(6)), "matching.too-many"),
    ],
)
def test_an_offer_that_no_honest_party_sends_is_refused(body: bytes, finding: str) -> None:
    it = Matching.of(NAME, [b"a"])
    with pytest.raises(EvidenceError) as caught:
        it.answer(b"M" + NAME + body, most=5)
    assert caught.value.facts["finding"] == finding


def test_an_answer_to_another_offer_is_refused() -> None:
    one, two = Matching.of(NAME, [b"a"]), Matching.of(NAME, [b"a", b"b"])
    offer, other = one.offer(), Matching.of(NAME, [b"c"]).offer()
    given_ = one.answer(two.offer())
    for answer in (two.answer(other), two.answer(offer)[:33], b""):
        with pytest.raises(EvidenceError):
            one.matched(offer, answer, given_)
    with pytest.raises(EvidenceError):
        Matching.of(bytes(32), [b"a"]).answer(offer)


@pytest.mark.parametrize("identifiers", [[], [b"a", b"a"]])
def test_identifiers_come_once_each(identifiers: list[bytes]) -> None:
    with pytest.raises(BadInput):
        Matching.of(NAME, identifiers)
