"""Parts of a stream by time: the handbook's protocol row by row, and labels that must be known."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.streams import Row, streams, table
from veridict.watch.protocols import handbook, temporal

DAY_S = 86_400
days = st.lists(
    st.tuples(
        st.integers(0, DAY_S // 2), st.sampled_from("abc"), st.just("t"), st.just(100),
        st.sampled_from([0, 0, 1]),
    ),
    min_size=80, max_size=120,
)  # fmt: skip


@settings(max_examples=40)
@given(days)
def test_the_handbooks_protocol_as_its_text_says_it(drawn: list[Row]) -> None:
    rows = table(drawn)
    start = int(rows.times_s[0]) // DAY_S * DAY_S
    train, test = handbook(rows, start, train_days=3, delay_days=2, test_days=3)
    on = [(int(t) - start) // DAY_S for t in rows.times_s]
    payers, labels = rows.strings("payer"), rows.labels.tolist()
    assert train.tolist() == [i for i, day in enumerate(on) if day < 3]
    known = {payers[i] for i in train if labels[i]}
    expected = []
    for day in (5, 6, 7):
        # what was paid up to two days and one more ago is known on the morning of the day
        known |= {p for p, d, y in zip(payers, on, labels, strict=True) if y and d == day - 3}
        expected += [i for i, d in enumerate(on) if d == day and payers[i] not in known]
    assert test.tolist() == expected


@given(streams, st.integers(0, 30 * DAY_S))
def test_training_rows_are_those_whose_label_is_known(drawn: list[Row], delay_s: int) -> None:
    rows = table(drawn)
    moment = int(rows.times_s[len(drawn) // 2])
    train, test = temporal(rows, moment, delay_s)
    assert all(rows.times_s[train] + delay_s <= moment)
    assert all(rows.times_s[test] >= moment)
    assert len(train) == sum(rows.times_s + delay_s <= moment)
    assert len(test) == sum(rows.times_s >= moment)
