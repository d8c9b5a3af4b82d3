"""Whatever a source sends is a valid payment or a drop with a known code; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.feeds import paid
from tests.support.messages import message, payment
from tests.support.tiny_chain import CHAIN, TinyChain
from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput, BadStream, RpcUnavailable
from veridict.services.feeding.means import means_of
from veridict.services.feeding.memory import Memory
from veridict.watch.detectors.roster import ready
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.base import Arrived, Dropped, Item, Passed, Retracted
from veridict.watch.feeds.evm import ChainFeed
from veridict.watch.feeds.evm_blocks import Head, Maker
from veridict.watch.feeds.files import FileFeed
from veridict.watch.feeds.normal import CODES, TRANSFERS, Event, name_of, whole
from veridict.watch.feeds.pacs008 import read_message
from veridict.watch.feeds.rows import arrived, requests_of, seconds_of
from veridict.watch.feeds.wire import drop_code, read_payment

ASSETS = Assets()
HERE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
texts = st.text(max_size=40)
odd = st.one_of(
    texts, st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.integers(), max_size=2)
)
wire = st.fixed_dictionaries(
    {
        "id": texts | odd,
        "time": st.integers(-(10**12), 10**12) | texts | st.datetimes().map(str),
        "payer": texts,
        "payee": texts,
        "asset": st.sampled_from(["EUR", "JPY", "KWD", "XXX", "eur", "eip155:1/native", "GOLD"]),
    },
    optional={
        "amount": st.decimals().map(str) | st.integers().map(str) | texts,
        "amount_minor": st.integers(-10, 2**260) | texts | st.floats(),
        "channel": texts,
        "place": texts,
        "more": odd,
    },
)


def valid(event: Event) -> None:
    """What every event holds, whoever made it."""
    told = event.transfer
    assert 0 <= whole(told.amount) < 2**256
    assert told.amount_minor >= 0
    for name in (event.id, told.payer, told.payee):
        assert name == name_of(name, "id.bad")
        assert 0 < len(name.encode()) <= 256
    (request,) = requests_of([event])
    assert TRANSFERS.fields(request) == told
    assert request.content == canonical_json(json.loads(request.content))


def known(problem: BadInput) -> None:
    assert drop_code(problem) in CODES


@HERE
@given(wire.map(lambda told: json.dumps(told).encode()) | st.binary(max_size=200))
def test_any_json_is_a_payment_or_is_refused_with_a_code(data: bytes) -> None:
    try:
        found = read_payment(data, ASSETS, "test")
    except BadInput as problem:
        known(problem)
    else:
        valid(found)


@HERE
@given(st.integers(0, 2_000), st.binary(max_size=8), st.integers(0, 40))
def test_damaged_messages_are_read_or_refused_with_a_code(at: int, put: bytes, cut: int) -> None:
    whole_one = message([payment(1), payment(2, amount="0.05")])
    at = min(at, len(whole_one))
    damaged = whole_one[:at] + put + whole_one[at + cut :]
    try:
        found = read_message(damaged, ASSETS)
    except BadInput as problem:
        known(problem)
        return
    assert len(found) in (1, 2)
    for one in found:
        if isinstance(one, Event):
            valid(one)
        else:
            assert one.code in CODES


rows = st.lists(
    st.tuples(
        texts,
        st.one_of(st.integers(0, 10**11).map(str), texts),
        texts,
        texts,
        st.one_of(st.floats().map(repr), st.integers().map(str), texts),
    ),
    max_size=12,
)


@HERE
@given(rows, st.binary(max_size=40), st.integers(1, 5), st.integers(0, 12))
def test_every_row_of_a_file_is_given_once_also_after_a_cut(
    tmp_path: Path, drawn: Sequence[Sequence[str]], tail: bytes, most: int, cut: int
) -> None:
    file = tmp_path / "drawn.csv"
    lines = ["id,time,payer,payee,amount"]
    lines += [
        ",".join(f'"{field.replace(chr(34), chr(34) * 2)}"' for field in row) for row in drawn
    ]
    file.write_bytes("\n".join(lines).encode(errors="surrogatepass") + b"\n" + tail)

    def all_of(cursor: str) -> list[Item]:
        feed, items = FileFeed(file), list[Item]()
        try:
            feed.start(cursor)
            while not feed.ended:
                items += feed.pull(most, 0.0)
        except BadStream:
            return items
        return items

    items = all_of("")
    for item in items:
        if isinstance(item, Arrived):
            valid(item.event)
        else:
            assert isinstance(item, Dropped)
            assert item.code in CODES
            item.sample.encode()
    assert [int(item.cursor) for item in items] == list(range(1, len(items) + 1))
    assert all_of(str(min(cut, len(items)))) == items[min(cut, len(items)) :]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | texts
    | st.sampled_from(["0x", "0x1", "0x" + "a" * 64]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
fields = ("hash", "from", "to", "value", "input", "topics", "data", "address", "transactionHash")
raw = st.dictionaries(st.sampled_from(fields), json_values, max_size=9)


@HERE
@given(st.lists(raw, max_size=3), st.lists(raw, max_size=3))
def test_whatever_a_node_answers_is_payments_or_an_unavailable_node(
    txs: list[dict[str, Any]], logs: list[dict[str, Any]]
) -> None:
    maker = Maker(CHAIN, ASSETS)
    head = Head(1, "0x" + "00" * 32, "0x" + "00" * 32, 1_600_000_000)
    try:
        for one in [
            *maker.of_block(head, txs, {}, logs),
            *(p for t in txs for p in maker.pending(t, 0)),
        ]:
            if isinstance(one, Event):
                valid(one)
            else:
                assert one.code in CODES
    except RpcUnavailable:
        return


class Follower:
    """What one who is told by a feed believes to stand on the chain."""

    def __init__(self) -> None:
        self.stands: dict[str, str] = {}  # payment → the block it was taken back with, or ""
        self.blocks = 0

    def hear(self, items: Sequence[Item | Passed]) -> str | None:
        for item in items:
            if isinstance(item, Arrived):
                self.stands[item.event.id] = ""
            elif isinstance(item, Retracted):
                if "/block/" in item.id:
                    self.blocks += 1
                self.stands.pop(item.id, None)
        return items[-1].cursor if items else None


moves = st.lists(
    st.tuples(st.sampled_from(["mine", "reorg", "pull", "restart"]), st.integers(0, 4)),
    max_size=25,
)


@HERE
@given(moves, st.integers(0, 2))
def test_a_follower_believes_what_the_chain_says_through_every_reorganisation(
    drawn: Sequence[tuple[str, int]], confirmations: int
) -> None:
    chain, heard, cursor, next_one = TinyChain(), Follower(), "", 0
    feed = ChainFeed(chain, confirmations=confirmations, since=0)
    feed.start("")
    restarted = False
    for move, size in [*drawn, ("mine", 0), ("mine", 0), ("mine", 0)]:
        if move == "mine":
            chain.mine(range(next_one, next_one + size))
            next_one += size
        elif move == "reorg":
            lost = chain.drop(size)
            chain.mine(lost[1:])  # one of them does not come back
            chain.mine(lost[:1] if size == 2 else [])
        elif move == "pull":
            cursor = heard.hear(feed.pull(size + 1, 0.0)) or cursor
        else:
            restarted = True
            feed = ChainFeed(chain, confirmations=confirmations, since=0)
            feed.start(cursor)
    feed.confirmations = 0
    while items := feed.pull(50, 0.0):
        heard.hear(items)
    # who was restarted is told of lost blocks as a whole: then more may be believed than stands
    if restarted and heard.blocks:
        assert set(chain.ids) <= set(heard.stands)
    else:
        assert set(heard.stands) == set(chain.ids)


hostile = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["a", "b", "c", "d", "é", "Ω" * 60, "0x" + "a1" * 20, "0x" + "A1" * 20]),
        st.sampled_from(["a", "b", "c", "d", "é", "0x" + "a1" * 20, "0xa1b" + "c" * 33 + "a1a1"]),
        st.sampled_from([0, 1, 100, 10**9, 10**15]),
    ),
    min_size=1,
    max_size=120,
)


@pytest.mark.timeout(300)
@settings(max_examples=25, deadline=None)
@given(hostile, st.integers(1, 119))
def test_no_stream_of_valid_payments_harms_features_or_detectors(
    drawn: Sequence[tuple[int, str, str, int]], cut: int
) -> None:
    """Nothing, oneself, a billion: and the same is said whatever the batches are."""
    events = [
        paid(f"h-{number}", at=-at, payer=payer, payee=payee, amount=amount)
        for number, (at, payer, payee, amount) in enumerate(drawn)
    ]
    make = means_of((), ready)

    def judged(parts: Sequence[Sequence[Event]]) -> list[Any]:
        memory, told = Memory(Path("unused"), make), list[Any]()
        for part in parts:
            if part:
                times_s = memory.in_time(seconds_of([event.time_s for event in part]))
                view, verdicts = memory.look(arrived(part, times_s))
                told += [
                    (
                        np.nan_to_num(x, nan=-1.0).tobytes(),
                        v.decision,
                        [a.reason for a in v.reasons],
                    )
                    for x, v in zip(view.x, verdicts, strict=True)
                ]
        return told

    assert judged([events]) == judged([events[:cut], events[cut:]])
