"""Components, the proof of a norm, and what two of their holders establish: exact, or named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from veridict.core.errors import BadInput
from veridict.federated import fixed
from veridict.federated.committee.answers import (
    Measured,
    Said,
    Sums,
    added,
    decode_answers,
    encode_answers,
    measured,
    opened,
    seat_of,
)
from veridict.federated.committee.components import Component, split
from veridict.federated.committee.dealing import Dealt, bequeath, deal, exchange_key
from veridict.federated.committee.field import P, lagrange, products
from veridict.federated.committee.proof import Shape, answer, prove
from veridict.federated.fixed import I64, ONE
from veridict.federated.rules.combined import Measures
from veridict.federated.rules.trust import Trust

KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in range(5)]
PUBLIC = [key.public_key().public_bytes_raw() for key in KEYS]
CONTEXT = b"c" * 32
values_of = st.lists(st.integers(-ONE, ONE), min_size=1, max_size=40).map(
    lambda values: np.array(values, np.int64)
)


def small(length: int, seed: int) -> I64:
    rng = np.random.default_rng(seed)
    return fixed.encode(rng.normal(size=length), fixed.Clip.of(1.0)).values


def dealt(values: I64, dealer: int, weight: int = 1000) -> tuple[Dealt, bytes]:
    body, kept = deal(values, weight, PUBLIC[:3], CONTEXT, dealer)
    return Dealt.parse(body, CONTEXT, dealer, len(values)), kept


def says(place: int, dealers: Mapping[int, Dealt], root: I64) -> Said:
    """An honest seat's answers."""
    said: dict[int, object] = {}
    for number, each in dealers.items():
        parts = each.unseal(KEYS[place], seat_of(place))
        said[number] = parts and {
            k: answer(part.limbs, part.proof, root, each.point) for k, part in parts.items()
        }
    data = encode_answers(said)  # type: ignore[arg-type]
    return decode_answers(data, place, len(root))


def all_say(dealers: Mapping[int, Dealt], root: I64) -> dict[int, Said]:
    return {place: says(place, dealers, root) for place in range(3)}


@given(st.integers(1, 9), st.integers(0, P - 1), st.data())
def test_interpolation_is_that_of_the_polynomial(n: int, at: int, data: st.DataObject) -> None:
    coefficients = data.draw(st.lists(st.integers(0, P - 1), min_size=n, max_size=n))

    def value(x: int) -> int:
        return sum(c * pow(x, i, P) for i, c in enumerate(coefficients)) % P

    weights = lagrange(n, at)
    assert sum(w * value(j) for j, w in enumerate(weights)) % P == value(at)


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 7), st.integers(1, 3))
def test_products_are_those_of_whole_numbers(seed: int, rows: int, columns: int, w: int) -> None:
    rng = np.random.default_rng(seed)
    limbs = rng.integers(0, 1 << 16, (6, rows, columns)).astype(np.float64)
    limbs[5] -= 1 << 15
    weights = [[int.from_bytes(rng.bytes(32)) % P for _ in range(rows)] for _ in range(w)]
    for weight, found in zip(weights, products(weights, limbs), strict=True):
        for column in range(columns):
            whole = [sum(int(x) << 16 * k for k, x in enumerate(c)) for c in limbs[:, :, column].T]
            expected = sum(a * b for a, b in zip(weight, whole, strict=True)) % P
            assert found[column] == expected


@given(values_of, st.lists(st.binary(min_size=32, max_size=32), min_size=3, max_size=3))
@settings(deadline=None)
def test_components_add_up_to_what_was_split(values: I64, keys: list[bytes]) -> None:
    shape = Shape(len(values))
    proof = [(7 * i) % P for i in range(shape.proof)]
    sent = split(values, proof, keys)
    parts = [Component.of(k, key, sent, len(values)) for k, key in enumerate(keys)]
    whole = sum(
        sum(int(x) << 16 * k for k, x in enumerate(row)) * 10**9**i
        for part in parts
        for i, row in enumerate(part.limbs[:2])
    )
    assert whole == sum(int(v) * 10**9**i for i, v in enumerate(values[:2]))
    assert (added([1] * 3, [part.low for part in parts]).view(np.int64) == values).all()
    assert [sum(column) % P for column in zip(*(p.proof for p in parts), strict=True)] == proof


@given(st.integers(1, 90), st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_what_is_measured_is_exact(length: int, seed: int) -> None:
    root = small(length, seed + 1)
    updates = {2: small(length, seed), 9: small(length, seed + 2)}
    dealers = {number: dealt(values, number)[0] for number, values in updates.items()}
    found = measured(all_say(dealers, root), [2, 9])
    assert found == Measured(
        {n: (fixed.norm2(v), fixed.inner(v, root)) for n, v in updates.items()},
        {},
        frozenset(),
        frozenset(),
    )


@given(values_of, st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_a_norm_is_not_proved_of_other_values(values: I64, seed: int) -> None:
    """Neither with a proof of another update, nor with one element of it changed."""
    rng = np.random.default_rng(seed)
    blinds = [int.from_bytes(rng.bytes(32)) % P for _ in range(Shape(len(values)).columns)]
    limbs = np.stack([values & 0xFFFF, values >> 16], axis=1).astype(np.float64)
    proof = prove(values, blinds)
    at = int.from_bytes(rng.bytes(32)) % P
    assert answer(limbs, proof, None, at).holds
    damaged = list(proof)
    damaged[int(rng.integers(len(blinds), len(proof)))] += 1
    assert not answer(limbs, damaged, None, at).holds
    longer = values.copy()
    longer[0] += 1 + abs(longer[0])
    assert not answer(limbs, prove(longer, blinds), None, at).holds


def test_who_deals_above_the_bound_is_named() -> None:
    root = small(12, 0)
    long = np.full(12, ONE, np.int64)
    dealers = {0: dealt(small(12, 1), 0)[0], 1: dealt(long, 1)[0]}
    found = measured(all_say(dealers, root), [0, 1])
    assert found.faults == {1: "its update is above the norm bound"}
    assert set(found.good) == {0}


def test_who_seals_another_key_than_it_committed_to_is_left_out() -> None:
    root = small(12, 0)
    good, bad = dealt(small(12, 1), 0)[0], dealt(small(12, 2), 1)[0]
    bad = replace(bad, boxes=(bad.boxes[1], *bad.boxes[1:]))
    found = measured(all_say({0: good, 1: bad}, root), [0, 1])
    assert set(found.good) == {0}
    assert set(found.faults) == {1}


@pytest.mark.parametrize("liar", [0, 1, 2])
def test_a_lying_seat_settles_nothing_until_a_stand_by_outvotes_it(liar: int) -> None:
    root = small(12, 0)
    each, kept = dealt(small(12, 1), 0)
    said = all_say({0: each}, root)
    lie = said[liar][0]
    assert lie is not None
    said[liar] = {0: {k: replace(part, norm2=part.norm2 + 1) for k, part in lie.items()}}
    assert measured(said, [0]) == Measured({}, {}, frozenset({0}), frozenset())
    for place in (3, 4):
        heir = bequeath(kept, seat_of(place), PUBLIC[place], CONTEXT, 0)
        parts = each.inherit(KEYS[place], seat_of(place), heir)
        assert parts is not None
        answers = {k: answer(p.limbs, p.proof, root, each.point) for k, p in parts.items()}
        said[place] = {0: answers}
    found = measured(said, [0])
    assert found.liars == {liar}
    assert set(found.good) == {0}


def test_the_sum_is_that_of_open_updates_and_a_lie_in_it_is_named() -> None:
    root, rule = small(50, 0), Trust()
    updates = [small(50, 10 + i) + root // 3 for i in range(4)]
    updates = [values // 2 for values in updates]
    dealers = {i: dealt(values, i, 1000 * (i + 1)) for i, values in enumerate(updates)}
    found = measured(all_say({i: d for i, (d, _) in dealers.items()}, root), range(4))
    weights = np.array([d.weight for d, _ in dealers.values()], np.int64)
    measures = Measures.of(np.stack(updates), weights, root)
    assert measures.norms2 == tuple(found.good[i][0] for i in range(4))
    combination = rule.combination(measures)
    sums = {}
    for place in range(5):
        seat = seat_of(place)
        held = []
        for each, kept in dealers.values():
            heir = bequeath(kept, seat, PUBLIC[place], CONTEXT, each.dealer)
            parts = each.inherit(KEYS[place], seat, heir)
            assert parts is not None
            held.append(parts)
        vectors = {k: added(combination.coefficients, [p[k].low for p in held]) for k in held[0]}
        said = Sums(0, frozenset(range(4)), vectors)
        read = Sums.decode(said.encode(), place, 50)
        assert read is not None
        sums[place] = read
    total, liars = opened({place: sums[place] for place in (0, 1, 2)})
    assert total is not None
    assert not liars
    step = combination.aggregate(total).step
    expected = rule.aggregate(np.stack(updates), weights, root)
    assert (step == expected.step).all()
    assert combination.shares == expected.shares
    assert opened({place: sums[place] for place in (0, 1)})[0] is None
    sums[1].parts[1][7] += np.uint64(1)
    assert opened({place: sums[place] for place in (0, 1, 2)})[0] is None
    again, liars = opened(sums)
    assert again is not None
    assert (again == total).all()
    assert liars == {1}


@given(st.binary(max_size=300))
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        Dealt.parse(data, CONTEXT, 0, 9)
    assert Sums.decode(data, 0, 9) is None
    try:
        said = decode_answers(data, 0, 9)
    except BadInput:
        return
    for parts in said.values():
        assert parts is None or {len(p.columns) for p in parts.values()} == {Shape(9).columns}


def test_no_one_seat_learns_an_update() -> None:
    """Of one update, dealt many times, a seat's components are spread as those of another."""
    seen = []
    for value in (ONE, -ONE):
        values = np.full(2000, value, np.int64)
        each, _ = dealt(values, 0)
        parts = each.unseal(KEYS[1], 1)
        assert parts is not None
        held = [part.limbs @ (2.0 ** (16 * np.arange(6))) / 2**88 for part in parts.values()]
        seen.append([(float(h.mean()), float(h.std())) for h in held])
    for one, other in zip(*seen, strict=True):
        assert one == pytest.approx(other, abs=0.05)


def test_a_key_that_has_no_other_form_is_refused() -> None:
    with pytest.raises(BadInput):
        exchange_key((1).to_bytes(32, "little"))
