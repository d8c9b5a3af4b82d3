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
from veridict.watch.late import DelayedLabels, parts

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


LEARNING: dict[str, Callable[[], FeatureSet]] = {
    "payments": lambda: PaymentFeatures(label_delay_s=DELAY_S),
    "habits": SETS["habits"],
    "both": lambda: Together(
        [PaymentFeatures(label_delay_s=DELAY_S), HabitFeatures(label_delay_s=DELAY_S)]
    ),
}


@few
@pytest.mark.parametrize("made", LEARNING.values(), ids=LEARNING)
@given(streams, st.integers(1, 9))
def test_labels_that_arrive_by_themselves_give_the_bits_of_training(
    made: Callable[[], FeatureSet], drawn: list[Row], size: int
) -> None:
    """Serving: rows come without labels, in batches; each label is told when the delay is over."""
    rows, serving, served = table(drawn), made(), []
    feedback = DelayedLabels(rows, DELAY_S)
    for part in parts(rows, size, feedback):
        known = feedback.due(int(part.times_s[-1]))
        if known is not None:
            serving.learn(known.rows, known.known_s)
        served.append(serving.batch(part.unlabelled()))
    assert bits(made().batch(rows)) == bits(np.concatenate(served))


@few
@pytest.mark.parametrize("made", LEARNING.values(), ids=LEARNING)
@given(streams, st.data())
def test_the_hour_at_which_a_label_is_told_changes_nothing(
    made: Callable[[], FeatureSet], drawn: list[Row], data: st.DataObject
) -> None:
    """Each label counts from its own time on, however late or early, in whatever company."""
    rows = table(drawn)
    after = data.draw(st.lists(st.integers(1, 40 * DAY_S), min_size=len(rows), max_size=len(rows)))
    known_s = rows.times_s + np.array(after)
    by_time = np.argsort(known_s, kind="stable").tolist()
    one_by_one, ahead, served = made(), made(), []
    for row in range(len(rows)):
        while by_time and known_s[by_time[0]] <= rows.times_s[row]:
            one = by_time.pop(0)
            one_by_one.learn(rows.slice(one, one + 1))
        one_row = rows.slice(row, row + 1).unlabelled()
        served.append((one_by_one.batch(one_row), ahead.batch(one_row)))
        ahead.learn(rows.slice(row, row + 1), known_s[row : row + 1])
    assert bits(np.concatenate([a for a, _ in served])) == bits(
        np.concatenate([b for _, b in served])
    )


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
