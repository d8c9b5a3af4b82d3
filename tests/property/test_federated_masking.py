"""Secure aggregation: the sum is the sum, whoever leaves; and whoever lies is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from veridict.core.errors import BadInput, EvidenceError
from veridict.federated.fixed import ONE
from veridict.federated.masking import pads
from veridict.federated.masking.combiner import Combiner
from veridict.federated.masking.groups import draw_groups
from veridict.federated.masking.party import Party
from veridict.federated.masking.session import Kind, Session

Change = Callable[[bytes], bytes]


class Group:
    """Honest members and a combiner, with a place to change what one of them says."""

    def __init__(self, n: int, length: int, about: bytes = bytes(32)) -> None:
        self.keys = [Ed25519PrivateKey.generate() for _ in range(n)]
        roster = tuple(key.public_key().public_bytes_raw() for key in self.keys)
        self.session = Session(about, roster, length)
        self.parties = [Party(self.session, i, key) for i, key in enumerate(self.keys)]
        self.combiner = Combiner(self.session)
        self.named: dict[int, str] = {}

    def resigned(self, kind: Kind, member: int, change: Change) -> Change:
        """A change of the body that the member itself signs."""

        def resign(message: bytes) -> bytes:
            return self.session.sign(self.keys[member], kind, member, change(message[3:-64]))

        return resign

    def step(
        self, said: Mapping[int, bytes], lies: Mapping[int, Change] | None = None
    ) -> dict[int, bytes]:
        for member, message in said.items():
            lie = (lies or {}).get(member)
            try:
                self.combiner.take(member, lie(message) if lie else message)
            except EvidenceError as error:
                self.named[member] = str(error.facts["finding"])
        return self.combiner.advance() if self.combiner.step is not Kind.UNMASK else {}

    def run(
        self,
        values: np.ndarray[tuple[int, int], np.dtype[np.int64]],
        leaves: Mapping[Kind, set[int]] | None = None,
        lies: Mapping[Kind, Mapping[int, Change]] | None = None,
    ) -> None:
        gone: set[int] = set()

        def here(kind: Kind) -> list[int]:
            gone.update((leaves or {}).get(kind, ()))
            return [i for i in self.combiner.expected if i not in gone and i not in self.named]

        def lie(kind: Kind) -> Mapping[int, Change]:
            return (lies or {}).get(kind, {})

        ads = self.step(
            {i: self.parties[i].advertise() for i in here(Kind.ADVERTISE)}, lie(Kind.ADVERTISE)
        )
        shares = self.step(
            {i: self.parties[i].share(ads) for i in here(Kind.SHARE)}, lie(Kind.SHARE)
        )
        self.step(
            {i: self.parties[i].mask(shares, values[i]) for i in here(Kind.MASK)}, lie(Kind.MASK)
        )
        alive = self.combiner.alive
        confirmed = self.step(
            {i: self.parties[i].confirm(alive) for i in here(Kind.CONFIRM)}, lie(Kind.CONFIRM)
        )
        self.step(
            {i: self.parties[i].unmask(confirmed) for i in here(Kind.UNMASK)}, lie(Kind.UNMASK)
        )


def some(n: int, d: int, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.random.default_rng(seed).integers(-ONE, ONE + 1, (n, d))


@given(st.integers(3, 9), st.integers(1, 40), st.data())
@settings(max_examples=15, deadline=None)
def test_the_sum_of_those_who_stayed(n: int, d: int, data: st.DataObject) -> None:
    group = Group(n, d)
    spare = n - group.session.threshold
    leaving = data.draw(st.lists(st.integers(0, n - 1), max_size=spare, unique=True))
    leaves: dict[Kind, set[int]] = {}
    for member in leaving:
        leaves.setdefault(data.draw(st.sampled_from(list(Kind))), set()).add(member)
    values = some(n, d, data.draw(st.integers(0, 2**32)))
    group.run(values, leaves)
    opened = group.combiner.open()
    early = {m for kind in Kind if kind <= Kind.MASK for m in leaves.get(kind, ())}
    assert opened.members == tuple(i for i in range(n) if i not in early)
    assert (opened.values == values[list(opened.members)].sum(axis=0)).all()


def test_fifteen_members_at_the_bound_do_not_overflow() -> None:
    group = Group(15, 2)
    values = np.full((15, 2), ONE, np.int64)
    values[:, 1] = -ONE
    group.run(values)
    assert group.combiner.open().values.tolist() == [15 * ONE, -15 * ONE]


def test_too_many_leave() -> None:
    group = Group(4, 3)
    with pytest.raises(EvidenceError) as caught:
        group.run(some(4, 3), {Kind.MASK: {0, 1}})
    assert caught.value.facts["finding"] == "masking.too-few"


FLIP_LAST = lambda body: body[:-1] + bytes([body[-1] ^ 1])  # noqa: E731


@pytest.mark.parametrize(
    ("kind", "change", "finding"),
    [
        (Kind.ADVERTISE, lambda body: body + b"x", "masking.malformed"),
        (Kind.SHARE, lambda body: body[:-1], "masking.malformed"),
        (Kind.SHARE, lambda body: bytes(32) + body[32:], "masking.split-view"),
        (Kind.MASK, lambda body: body[:-4], "masking.malformed"),
        (Kind.MASK, lambda body: bytes(32) + body[32:], "masking.split-view"),
        (Kind.CONFIRM, FLIP_LAST, "masking.split-view"),
        (Kind.UNMASK, FLIP_LAST, "masking.lying-unmask"),
        (Kind.UNMASK, lambda body: body + b"x", "masking.malformed"),
        (Kind.UNMASK, lambda body: b"\xff\xff" + body[2:], "masking.split-view"),
    ],
)
def test_a_lie_is_named_and_the_rest_go_on(kind: Kind, change: Change, finding: str) -> None:
    group, values = Group(7, 5), some(7, 5)
    group.run(values, lies={kind: {2: group.resigned(kind, 2, change)}})
    assert group.named == {2: finding}
    opened = group.combiner.open()
    assert (opened.values == values[list(opened.members)].sum(axis=0)).all()
    assert (2 in opened.members) == (kind > Kind.MASK)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_message_that_was_changed_on_its_way_has_no_signature(kind: Kind) -> None:
    group = Group(7, 5)
    group.run(some(7, 5), lies={kind: {3: lambda message: message[:9] + b"\0" + message[10:]}})
    assert group.named == {3: "masking.signature"}


def test_a_message_of_another_round_has_no_signature_here() -> None:
    group = Group(4, 2)
    other = Session(b"\1" * 32, group.session.roster, 2)
    stale = Party(other, 0, group.keys[0]).advertise()
    with pytest.raises(EvidenceError) as caught:
        group.combiner.take(0, stale)
    assert caught.value.facts == {"finding": "masking.signature", "member": 0}


def test_two_messages_of_one_step_are_refused() -> None:
    group = Group(4, 2)
    group.combiner.take(0, group.parties[0].advertise())
    with pytest.raises(EvidenceError) as caught:
        group.combiner.take(0, Party(group.session, 0, group.keys[0]).advertise())
    assert caught.value.facts["finding"] == "masking.two-faced"


def test_shares_sealed_badly_are_named_by_who_gets_them() -> None:
    group = Group(4, 2)
    ads = group.step({i: p.advertise() for i, p in enumerate(group.parties)})
    lie = group.resigned(Kind.SHARE, 1, FLIP_LAST)  # what is sealed for the last member
    shares = group.step({i: p.share(ads) for i, p in enumerate(group.parties)}, {1: lie})
    group.parties[0].mask(shares, some(4, 2)[0])
    with pytest.raises(EvidenceError) as caught:
        group.parties[3].mask(shares, some(4, 2)[3])
    assert caught.value.facts == {"finding": "masking.dealt-badly", "member": 1}


def test_shares_of_another_seed_are_named_when_it_is_opened() -> None:
    """A dealer that shares one seed and pads with another: every share is as it said."""
    group, values = Group(4, 2), some(4, 2)
    ads = group.step({i: p.advertise() for i, p in enumerate(group.parties)})
    honest = {i: p.share(ads) for i, p in enumerate(group.parties)}
    lie = group.resigned(
        Kind.SHARE, 1, lambda body: body[:32] + sha256(b"another").digest() + body[64:]
    )
    shares = group.step(honest, {1: lie})
    group.step({i: p.mask(shares, values[i]) for i, p in enumerate(group.parties)})
    confirmed = group.step({i: p.confirm(range(4)) for i, p in enumerate(group.parties)})
    group.step({i: p.unmask(confirmed) for i, p in enumerate(group.parties)})
    with pytest.raises(EvidenceError) as caught:
        group.combiner.open()
    assert caught.value.facts == {"finding": "masking.dealt-badly", "member": 1}


class TestNobodyIsNamedBothAliveAndDead:
    """A combiner that shows members different lists gets no two kinds of shares of one member."""

    def confirmations(self) -> tuple[Group, dict[int, bytes], dict[int, bytes]]:
        group, values = Group(4, 2), some(4, 2)
        ads = group.step({i: p.advertise() for i, p in enumerate(group.parties)})
        shares = group.step({i: p.share(ads) for i, p in enumerate(group.parties)})
        for i, party in enumerate(group.parties):
            party.mask(shares, values[i])
        all_alive = {i: group.parties[i].confirm(range(4)) for i in (0, 3)}
        one_dead = {i: group.parties[i].confirm((0, 1, 2)) for i in (1, 2)}
        return group, all_alive, one_dead

    @pytest.mark.parametrize("member", range(4))
    @pytest.mark.parametrize("told", ["all alive", "one dead", "both"])
    def test_two_lists_do_not_both_find_enough(self, member: int, told: str) -> None:
        group, all_alive, one_dead = self.confirmations()
        lists = {"all alive": all_alive, "one dead": one_dead, "both": all_alive | one_dead}
        with pytest.raises(EvidenceError) as caught:
            group.parties[member].unmask(lists[told])
        assert caught.value.facts["finding"] in ("masking.too-few", "masking.split-view")

    def test_a_second_opening_is_refused(self) -> None:
        group, values = Group(4, 2), some(4, 2)
        group.run(values)
        with pytest.raises(BadInput):
            group.parties[0].unmask({})
        with pytest.raises(BadInput):
            group.parties[0].confirm(range(4))


def test_below_the_threshold_shares_and_masked_vectors_say_nothing_of_a_member() -> None:
    """The same messages fit any update: another own pad explains them."""
    group = Group(4, 8)
    session = group.session
    values = some(4, 8)
    ads = group.step({i: p.advertise() for i, p in enumerate(group.parties)})
    shares = group.step({i: p.share(ads) for i, p in enumerate(group.parties)})
    masked = np.frombuffer(group.parties[0].mask(shares, values[0])[3 + 32 : -64], "<u4")
    pair_pads = np.zeros(8, np.uint32)
    for other in (1, 2, 3):
        pair_pads += pads.pair_pad(
            group.parties[other]._pair_key,
            pads.public_bytes(group.parties[0]._pair_key),
            session.id,
            8,
        )
    rest = masked - pair_pads  # what all others together can take away
    assert (
        pads.from_ring(rest - pads.own_pad(group.parties[0]._own_seed, session.id, 8)) == values[0]
    ).all()
    assert not (np.abs(pads.from_ring(rest) - values[0]) <= 1 << 16).any()


@given(st.integers(3, 200), st.integers(3, 15), st.binary(min_size=1, max_size=32))
def test_groups_partition_the_parties(n: int, size: int, beacon: bytes) -> None:
    parties = [sha256(bytes([i])).digest() for i in range(n)]
    groups = draw_groups(beacon, parties, size)
    assert sorted(i for group in groups for i in group) == list(range(n))
    assert all(3 <= len(group) <= 15 for group in groups)
    assert len(groups) == 1 or min(map(len, groups)) >= min(size, 8)


@given(st.binary(max_size=300), st.sampled_from(list(Kind)))
def test_any_bytes_are_refused_by_name(message: bytes, kind: Kind) -> None:
    group = Group(3, 2)
    with pytest.raises(EvidenceError) as caught:
        group.session.open(message, kind, 1)
    assert caught.value.facts["member"] == 1
