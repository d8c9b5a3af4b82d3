"""Payment features: equal to the reference, to themselves in any batching, blind to the future."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.payment_reference import ROOTS, Reference
from tests.support.streams import Row, bits, streams, table
from veridict.core.errors import BadInput, BadStream
from veridict.watch.features.kernel import STEPS
from veridict.watch.features.payments import PaymentFeatures
from veridict.watch.features.state import Limits

DELAY_S = 7 * 86_400


def extractor(delay_s: int | None, **limits: int) -> PaymentFeatures:
    return PaymentFeatures(label_delay_s=delay_s, limits=Limits(**limits) if limits else None)


def test_the_steps_of_decay_are_correctly_rounded() -> None:
    assert STEPS.tolist() == ROOTS


@pytest.mark.parametrize("delay_s", [None, DELAY_S, 0])
@given(streams)
def test_the_kernel_equals_the_reference_bit_for_bit(delay_s: int | None, drawn: list[Row]) -> None:
    rows = table(drawn)
    reference = Reference(delay_s)
    expected = [
        reference.row(
            e.request.time_s, e.fields.payer, e.fields.payee, e.fields.amount_minor, e.label
        )
        for e in rows.examples()
    ]
    assert bits(extractor(delay_s).batch(rows)) == bits(np.array(expected))


@given(streams, st.integers(1, 70), st.booleans())
def test_batches_of_any_size_give_the_same_bits_and_the_same_state(
    drawn: list[Row], size: int, tight: bool
) -> None:
    rows = table(drawn)
    limits = {"accounts": 4, "pairs": 5} if tight else {}
    whole, parts = extractor(DELAY_S, **limits), extractor(DELAY_S, **limits)
    at_once = whole.batch(rows)
    one_by_one = np.concatenate([parts.batch(part) for part in rows.batches(size)])
    assert bits(at_once) == bits(one_by_one)
    assert whole.save() == parts.save()


@given(streams, st.data())
def test_later_rows_never_change_earlier_features(drawn: list[Row], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(drawn) - 1))
    other = data.draw(streams)
    first = extractor(DELAY_S).batch(table(drawn))[:cut]
    second = extractor(DELAY_S).batch(table(drawn[:cut] + other))[:cut]
    assert bits(first) == bits(second)


@given(streams, st.data())
def test_a_label_changes_nothing_before_its_delay_is_over(
    drawn: list[Row], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(drawn) - 1))
    gap, payer, payee, amount, label = drawn[at]
    turned = [*drawn[:at], (gap, payer, payee, amount, 0 if label else 1), *drawn[at + 1 :]]
    rows = table(drawn)
    before = rows.times_s < rows.times_s[at] + DELAY_S
    first, second = (extractor(DELAY_S).batch(table(d)) for d in (drawn, turned))
    assert bits(first[before]) == bits(second[before])


@given(streams)
def test_without_a_delay_labels_are_never_looked_at(drawn: list[Row]) -> None:
    rows = table(drawn)
    assert bits(extractor(None).batch(rows)) == bits(extractor(None).batch(rows.unlabelled()))


@pytest.mark.parametrize("limits", [{}, {"accounts": 5, "pairs": 6}])
@given(streams, streams)
def test_a_restored_state_continues_with_the_same_bits(
    limits: dict[str, int], drawn: list[Row], later: list[Row]
) -> None:
    rows = table(drawn + later)
    running, revived = extractor(DELAY_S, **limits), extractor(DELAY_S, **limits)
    running.batch(rows.slice(0, len(drawn)))
    revived.restore(running.save())
    assert revived.save() == running.save()
    rest = rows.slice(len(drawn), len(rows))
    assert bits(running.batch(rest)) == bits(revived.batch(rest))
    assert revived.save() == running.save()


@settings(max_examples=20)
@given(streams, st.data())
def test_a_damaged_state_is_refused(drawn: list[Row], data: st.DataObject) -> None:
    watcher = extractor(None)
    watcher.batch(table(drawn))
    saved = bytearray(watcher.save())
    saved[data.draw(st.integers(0, len(saved) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BadInput, match="damaged"):
        extractor(None).restore(bytes(saved))


def test_a_state_with_another_delay_or_other_limits_is_refused() -> None:
    saved = extractor(None).save()
    for other in (extractor(DELAY_S), extractor(None, accounts=10, pairs=10)):
        with pytest.raises(BadInput, match="another label delay"):
            other.restore(saved)


def test_time_must_not_fall_within_or_between_batches() -> None:
    rows = table([(5, "a", "b", 1, 0), (5, "b", "a", 1, 0)])
    watcher = extractor(None)
    watcher.batch(rows)
    with pytest.raises(BadStream, match="earlier"):
        watcher.batch(rows)


def test_memory_stays_within_its_limits_and_remembers_the_recent() -> None:
    drawn: list[Row] = [(60, f"p{i}", f"q{i % 50}", 100, 0) for i in range(5000)]
    watcher = extractor(DELAY_S, accounts=200, pairs=300)
    watcher.batch(table(drawn))
    memory = watcher._memory
    assert len(memory.numbers) <= 200
    assert memory.pairs <= 300
    assert "p4999" in memory.numbers
    assert "p0" not in memory.numbers
