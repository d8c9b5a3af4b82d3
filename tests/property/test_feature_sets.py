"""Laws of every feature set: the same bits in any batching, blind to the future, restorable."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graph_reference import GraphReference
from tests.support.habit_reference import HabitReference
from tests.support.streams import Row, bits, streams, table
from veridict.core.errors import BadInput, BadStream
from veridict.watch.features.graph import GraphFeatures, GraphSettings
from veridict.watch.features.habits import HabitFeatures, HabitLimits
from veridict.watch.features.payments import PaymentFeatures
from veridict.watch.features.together import FeatureSet, Together

DAY_S = 86_400
DELAY_S = 7 * DAY_S
TIGHT = HabitLimits(payers=4, payees=4, waiting=5)

SETS: dict[str, Callable[[], FeatureSet]] = {
    "habits": lambda: HabitFeatures(label_delay_s=DELAY_S),
    "habits, forgetting": lambda: HabitFeatures(label_delay_s=DELAY_S, limits=TIGHT),
    "graph": lambda: GraphFeatures(labelled=["a0"]),
    "graph, forgetting": lambda: GraphFeatures(settings=GraphSettings(edges=5, budget=16)),
    "payments and habits": lambda: Together([PaymentFeatures(), HabitFeatures()]),
}
every_set = pytest.mark.parametrize("made", SETS.values(), ids=SETS)
few = settings(max_examples=30)


@few
@pytest.mark.parametrize("delay_s", [None, DELAY_S, 0])
@given(streams)
def test_habits_equal_the_reference_bit_for_bit(delay_s: int | None, drawn: list[Row]) -> None:
    rows, reference = table(drawn), HabitReference(delay_s)
    expected = [
        reference.row(
            e.request.time_s, e.fields.payer, e.fields.payee, e.fields.amount_minor, e.label
        )
        for e in rows.examples()
    ]
    assert bits(HabitFeatures(label_delay_s=delay_s).batch(rows)) == bits(np.array(expected))


@few
@pytest.mark.parametrize(("ordered", "longest"), [(True, 10), (False, 10), (True, 3), (False, 4)])
@given(streams, st.sets(st.sampled_from(["a0", "a1", "elsewhere"])))
def test_the_graph_equals_the_reference_bit_for_bit(
    ordered: bool, longest: int, drawn: list[Row], labelled: set[str]
) -> None:
    made = GraphSettings(window_s=3 * DAY_S, ordered=ordered, longest=longest, budget=1 << 16)
    reference = GraphReference(3 * DAY_S, ordered, longest, frozenset(labelled))
    # Few rows an account: the reference tries every way.
    rows = table(drawn[:40])
    expected = [
        reference.row(e.request.time_s, e.fields.payer, e.fields.payee, e.fields.amount_minor)
        for e in rows.examples()
    ]
    found = GraphFeatures(labelled=labelled, settings=made).batch(rows)
    assert bits(found) == bits(np.array(expected))


@few
@every_set
@given(streams, st.integers(1, 70))
def test_batches_of_any_size_give_the_same_bits(
    made: Callable[[], FeatureSet], drawn: list[Row], size: int
) -> None:
    rows, whole, parts = table(drawn), made(), made()
    at_once = whole.batch(rows)
    in_parts = np.concatenate([parts.batch(part) for part in rows.batches(size)])
    assert bits(at_once) == bits(in_parts)
    assert whole.save() == parts.save()


@few
@every_set
@given(streams, streams, st.data())
def test_later_rows_never_change_earlier_features(
    made: Callable[[], FeatureSet], drawn: list[Row], other: list[Row], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(drawn) - 1))
    first, second = made().batch(table(drawn)), made().batch(table(drawn[:cut] + other))
    assert bits(first[:cut]) == bits(second[:cut])


@few
@every_set
@given(streams, st.data())
def test_a_label_changes_nothing_before_its_delay_is_over(
    made: Callable[[], FeatureSet], drawn: list[Row], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(drawn) - 1))
    gap, payer, payee, amount, label = drawn[at]
    turned = [*drawn[:at], (gap, payer, payee, amount, 0 if label else 1), *drawn[at + 1 :]]
    rows = table(drawn)
    before = rows.times_s < rows.times_s[at] + DELAY_S
    first, second = (made().batch(table(d)) for d in (drawn, turned))
    assert bits(first[before]) == bits(second[before])


@few
@every_set
@given(streams, streams)
def test_a_restored_state_continues_with_the_same_bits(
    made: Callable[[], FeatureSet], drawn: list[Row], later: list[Row]
) -> None:
    rows, running, revived = table(drawn + later), made(), made()
    running.batch(rows.slice(0, len(drawn)))
    revived.restore(running.save())
    assert revived.save() == running.save()
    rest = rows.slice(len(drawn), len(rows))
    assert bits(running.batch(rest)) == bits(revived.batch(rest))


@few
@given(streams)
def test_labels_that_arrive_by_themselves_give_the_bits_of_training(drawn: list[Row]) -> None:
    """Serving: rows come without labels, each label is told when the delay is over."""
    rows = table(drawn)
    training = HabitFeatures(label_delay_s=DELAY_S).batch(rows)
    serving, told, served = HabitFeatures(label_delay_s=DELAY_S), 0, []
    times_s = rows.times_s
    for row in range(len(rows)):
        known = int(np.searchsorted(times_s, times_s[row] - DELAY_S, side="right"))
        serving.learn(rows.slice(told, known))
        told = known
        served.append(serving.batch(rows.slice(row, row + 1).unlabelled()))
    assert bits(training) == bits(np.concatenate(served))


@every_set
def test_a_damaged_or_foreign_state_and_falling_time_are_refused(
    made: Callable[[], FeatureSet],
) -> None:
    watcher = made()
    watcher.batch(table([(5, "a", "b", 1, 0)]))
    saved = watcher.save()
    with pytest.raises(BadInput, match="damaged"):
        made().restore(saved[:-1] + bytes([saved[-1] ^ 1]))
    with pytest.raises(BadInput, match="not"):
        HabitFeatures(label_delay_s=1).restore(HabitFeatures(label_delay_s=2).save())
    with pytest.raises(BadStream, match="earlier"):
        watcher.batch(table([(4, "a", "b", 1, 0)]))


def test_a_set_is_taken_once() -> None:
    with pytest.raises(BadInput, match="two sets have a feature"):
        Together([HabitFeatures(), HabitFeatures()])


def test_a_flood_of_new_accounts_is_forgotten_by_age_and_labels_are_counted_off() -> None:
    limits = HabitLimits(payers=200, payees=10, waiting=100)
    watcher = HabitFeatures(label_delay_s=DELAY_S, limits=limits)
    flood: list[Row] = [(1, f"p{i}", f"q{i % 50}", 100, 0) for i in range(5000)]
    faithful: list[Row] = [(1, "faithful", "q0", 100, 0) for _ in range(25)]
    mixed = [
        row for i, one in enumerate(faithful) for row in (one, *flood[i * 200 : i * 200 + 150])
    ]
    x = watcher.batch(table(mixed))
    history = [f.name for f in watcher.features].index("payer_history")
    assert x[:, history].max() == len(faithful) - 1
    assert watcher.labels_dropped == len(mixed) - 100
    assert watcher.memory_bytes < 200_000
