"""Tables: slices, examples, canonical contents, digests."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput
from veridict.core.nouns import Request
from veridict.solutions.finance.payments import SHAPE, Payment
from veridict.watch.stream import Example, Table


def example(id: str, time_s: int, label: int | None) -> Example[Payment]:
    payment = Payment("ann", "bob", 1250)
    return Example(SHAPE.request(id, time_s, payment), payment, label)


EXAMPLES = [example("t1", 10, 0), example("t2", 20, 1), example("t3", 20, None)]


@pytest.fixture
def table() -> Table[Payment]:
    return Table.of(EXAMPLES, SHAPE)


def test_a_table_gives_back_the_examples_it_was_made_of(table: Table[Payment]) -> None:
    assert list(table.examples()) == EXAMPLES
    assert table.example(1) == EXAMPLES[1]
    assert [len(part) for part in table.batches(2)] == [2, 1]
    assert table.slice(1, 3).ids == ["t2", "t3"]
    assert table.labels.tolist() == [0, 1, -1]
    assert table.times_s.dtype == np.int64


def test_a_request_is_its_fields_in_canonical_json() -> None:
    assert EXAMPLES[0].request == Request(
        "t1",
        "ann",
        10,
        b'{"amount_minor":1250,"id":"t1","payee":"bob","payer":"ann","time_s":10}',
    )


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(names, names, names, st.integers(0, 10**15), st.integers(0, 2**33))
def test_the_fast_content_equals_canonical_json(
    id: str, payer: str, payee: str, amount_minor: int, time_s: int
) -> None:
    payment = Payment(payer, payee, amount_minor)
    expected = canonical_json({"id": id, "time_s": time_s, **asdict(payment)})
    assert SHAPE.request(id, time_s, payment).content == expected


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
            st.integers(0, 2**40),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
            st.integers(0, 2**52),
        ),
        max_size=5,
        unique_by=lambda row: row[0],
    )
)
def test_requests_column_by_column_are_those_of_the_examples(
    rows: list[tuple[str, int, str, int]],
) -> None:
    examples = []
    for id, time_s, payee, cents in sorted(rows, key=lambda row: row[1]):
        payment = Payment("ann %s", payee, cents)
        examples.append(Example(SHAPE.request(id, time_s, payment), payment, None))
    table = Table.of(examples, SHAPE)
    assert table.requests() == [example.request for example in examples]


def test_a_live_feed_does_not_know_the_truth(table: Table[Payment]) -> None:
    assert [e.label for e in table.unlabelled().examples()] == [None, None, None]
    assert table.unlabelled().ids == table.ids


def test_the_digest_depends_on_every_value_and_on_nothing_else(table: Table[Payment]) -> None:
    parts = [Table.of([e], SHAPE).rows for e in EXAMPLES]
    pieced = Table(type(table.rows).from_batches([b for p in parts for b in p.to_batches()]), SHAPE)
    assert pieced.digest() == table.digest()
    others = [
        Table.of([example("t1", 10, 1), *EXAMPLES[1:]], SHAPE),
        Table.of([example("t1", 11, 0), *EXAMPLES[1:]], SHAPE),
        Table.of([example("t", 10, 0), *EXAMPLES[1:]], SHAPE),
        table.slice(0, 2),
        table.unlabelled(),
    ]
    assert len({t.digest() for t in [table, *others]}) == 6


@pytest.mark.parametrize("row", [-1, 3])
def test_a_row_beyond_the_end_is_refused(table: Table[Payment], row: int) -> None:
    with pytest.raises(BadInput, match="of 3"):
        table.example(row)


def test_rows_of_another_shape_are_refused(table: Table[Payment]) -> None:
    with pytest.raises(BadInput, match="columns"):
        Table(table.rows.drop_columns(["payer"]), SHAPE)
