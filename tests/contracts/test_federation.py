"""Federation: a round from its opening to its rewards, and what every wrong step meets."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import boa
import numpy as np
import pytest

from tests.support.contracts import account, deploy
from tests.support.federations import (
    CHALLENGING,
    COMMITTING,
    DONE,
    ETHER,
    FAILED,
    IDLE,
    JURY,
    NOBODY,
    NONE,
    RULES_DIGEST,
    START,
    VOTING,
    Federation,
    Rules,
    digest,
    drawn_by,
    report_leaves,
    report_of,
    salt,
)
from veridict.federated.fixed import Clip, encode
from veridict.federated.wire import encode_update
from veridict.proofs.merkle import root_from_leaf_hashes
from veridict.proofs.prover import inclusion_proof

STATE, REPORT, OTHER = b"s" * 32, b"r" * 32, b"o" * 32


@pytest.fixture
def five() -> Federation:
    return Federation(5)


def test_a_round_ends_in_a_final_state(five: Federation) -> None:
    it = five.contract
    assert it.finals(0)[0] == START
    assert it.rules_digest() == RULES_DIGEST
    assert it.phase() == IDLE
    five.final(STATE, REPORT)
    assert (it.round(), it.last_final(), it.phase()) == (1, 1, IDLE)
    assert it.finals(1)[:3] == (STATE, REPORT, 5)
    five.final(OTHER, REPORT)
    assert it.finals(2)[0] == OTHER
    assert it.finals(1)[0] == STATE


def test_the_committee_is_drawn_by_the_beacon_from_those_who_stand() -> None:
    it = Federation(9)
    it.contract.leave(sender=it.owners[4])
    seen: set[int] = set()
    for _ in range(6):
        drawn = it.final()
        standing = [0, 1, 2, 3, 5, 6, 7, 8]
        assert drawn == drawn_by(it.contract.beacon(), standing, 9)
        seen |= set(drawn)
        boa.env.time_travel(seconds=12)
    assert 4 not in seen
    assert len(seen) > 5


def test_three_members_have_no_stand_bys() -> None:
    assert Federation(3).final()[3:] == [NOBODY, NOBODY]


def test_windows_close_early_only_when_everybody_has_spoken(five: Federation) -> None:
    it = five.contract
    it.open_round(sender=five.owners[0])
    five.commit(0, 1, 2, 3)
    assert it.phase() == COMMITTING
    with boa.reverts("Federation: not the time to reveal"):
        five.reveal(0)
    boa.env.time_travel(seconds=five.rules.commit_s)
    with boa.reverts("Federation: not the time to commit"):
        five.commit(4)
    five.reveal(0, 1, 2, 3)
    assert it.phase() == VOTING
    assert it.tally() == (5, 4, 4)
    assert it.digest_of(0) == digest(0)
    assert it.digest_of(4) == NONE


def test_a_copied_commitment_cannot_be_revealed(five: Federation) -> None:
    five.contract.open_round(sender=five.owners[0])
    five.commit(1, 2, 3, 4)
    copied = five.commitment(1, digest(1), salt(1))
    five.contract.commit(copied, sender=five.owners[0])
    five.reveal(1)
    with boa.reverts("Federation: not what was committed"):
        five.contract.reveal(digest(1), salt(1), sender=five.owners[0])


def test_a_commitment_of_another_round_cannot_be_revealed(five: Federation) -> None:
    five.contract.open_round(sender=five.owners[0])
    stale = five.commitment(0, digest(0), salt(0))
    boa.env.time_travel(seconds=five.rules.commit_s)
    assert five.contract.phase() == FAILED
    five.contract.open_round(sender=five.owners[0])
    five.contract.commit(stale, sender=five.owners[0])
    five.commit(1, 2, 3, 4)
    with boa.reverts("Federation: not what was committed"):
        five.reveal(0)


def test_silence_is_fined_once_and_twice_excludes(five: Federation) -> None:
    it = five.contract
    for time in (1, 2):
        it.open_round(sender=five.owners[0])
        five.commit(0, 1, 2, 3, 4)
        five.reveal(0, 1, 2, 3)
        with boa.reverts("Federation: it still may reveal"):
            it.punish_silence(4)
        boa.env.time_travel(seconds=five.rules.reveal_s)
        it.punish_silence(4)
        with boa.reverts("Federation: punished already"):
            it.punish_silence(4)
        with boa.reverts("Federation: it has revealed"):
            it.punish_silence(0)
        assert it.members(4)[2] == ETHER - time * five.rules.fine
        assert it.pot() == time * five.rules.fine
        assert it.standing(4) == (time == 1)
        boa.env.time_travel(seconds=2 * five.rules.vote_s)
    it.open_round(sender=five.owners[0])
    assert it.tally()[0] == 4


def test_stand_bys_vote_where_the_committee_is_silent() -> None:
    it = Federation(6)
    drawn = it.to_votes()
    outsider = next(i for i in range(6) if i not in drawn)
    it.contract.vote(STATE, REPORT, sender=it.owners[drawn[0]])
    with boa.reverts("Federation: voted already"):
        it.contract.vote(STATE, REPORT, sender=it.owners[drawn[0]])
    with boa.reverts("Federation: caller is not drawn"):
        it.contract.vote(STATE, REPORT, sender=it.owners[drawn[3]])
    boa.env.time_travel(seconds=it.rules.vote_s)
    with boa.reverts("Federation: caller is not drawn"):
        it.contract.vote(STATE, REPORT, sender=it.owners[outsider])
    it.contract.vote(STATE, REPORT, sender=it.owners[drawn[3]])
    assert it.contract.phase() == CHALLENGING


def test_one_liar_in_the_committee_decides_nothing_and_is_slashed(five: Federation) -> None:
    it = five.contract
    drawn = five.to_votes()
    liar = drawn[0]
    it.vote(OTHER, REPORT, sender=five.owners[liar])
    for member in drawn[1:3]:
        it.vote(STATE, REPORT, sender=five.owners[member])
    boa.env.time_travel(seconds=five.rules.challenge_s)
    with boa.reverts("Federation: round is not final"):
        it.punish_vote(liar, OTHER, REPORT)
    it.finalise()
    assert it.finals(1)[0] == STATE
    finder = str(account("finder").address)
    before = boa.env.get_balance(finder)
    it.punish_vote(liar, OTHER, REPORT, sender=finder)
    assert boa.env.get_balance(finder) - before == ETHER // 2
    assert it.members(liar)[2] == 0
    with boa.reverts("Federation: it did not vote so"):
        it.punish_vote(liar, OTHER, REPORT)
    with boa.reverts("Federation: that is what was decided"):
        it.punish_vote(drawn[1], STATE, REPORT)


def test_a_lying_committee_is_overturned_by_all_members() -> None:
    it = Federation(7)
    drawn = it.decided(OTHER, REPORT)
    honest = [i for i in range(7) if i not in drawn[:2]]
    with boa.reverts("Federation: a challenge costs a stake"):
        it.contract.challenge(STATE, REPORT, sender=it.owners[honest[0]])
    it.contract.challenge(STATE, REPORT, sender=it.owners[honest[0]], value=ETHER)
    assert it.contract.phase() == JURY
    with boa.reverts("Federation: nothing to finalise"):
        it.contract.finalise()
    before = boa.env.get_balance(it.owners[honest[0]])
    for member in honest[1:4]:
        it.contract.judge(STATE, REPORT, sender=it.owners[member])
    assert it.contract.phase() == DONE
    it.contract.finalise()
    assert it.contract.finals(1)[0] == STATE
    assert [it.contract.members(i)[2] for i in drawn[:2]] == [0, 0]
    assert boa.env.get_balance(it.owners[honest[0]]) - before == 2 * ETHER  # its own, and halves
    assert not any(it.contract.standing(i) for i in drawn[:2])


def test_a_challenge_that_finds_no_majority_is_lost() -> None:
    it = Federation(7)
    it.decided(STATE, REPORT)
    it.contract.challenge(OTHER, REPORT, sender=it.owners[0], value=ETHER)
    with boa.reverts("Federation: judged already"):
        it.contract.judge(OTHER, REPORT, sender=it.owners[0])
    boa.env.time_travel(seconds=it.rules.challenge_s)
    it.contract.finalise()
    assert it.contract.finals(1)[0] == STATE
    assert it.contract.pot() == ETHER


def test_a_challenger_that_refuses_its_money_stops_no_judgement() -> None:
    it = Federation(4)
    refuser = boa.loads(
        """
interface Fed:
    def join(key: bytes32) -> uint256: payable
    def challenge(state: bytes32, report: bytes32): payable
    def commit(c: bytes32): nonpayable
    def reveal(d: bytes32, s: bytes32): nonpayable

@external
@payable
def join(fed: address):
    extcall Fed(fed).join(keccak256("key"), value=msg.value)

@external
def commit(fed: address, c: bytes32):
    extcall Fed(fed).commit(c)

@external
def reveal(fed: address, d: bytes32, s: bytes32):
    extcall Fed(fed).reveal(d, s)

@external
@payable
def challenge(fed: address, state: bytes32, report: bytes32):
    extcall Fed(fed).challenge(state, report, value=msg.value)
"""
    )
    boa.env.set_balance(boa.env.eoa, 10 * ETHER)
    refuser.join(it.contract.address, value=ETHER)
    it.owners.append(str(refuser.address))
    it.contract.open_round(sender=it.owners[0])
    it.commit(0, 1, 2, 3)
    refuser.commit(it.contract.address, it.commitment(4, digest(4), salt(4)))
    it.reveal(0, 1, 2, 3)
    refuser.reveal(it.contract.address, digest(4), salt(4))
    drawn = [int(i) for i in it.contract.committee()]
    voters = [i for i in drawn[:3] if i != 4][:2]
    for member in voters:
        it.contract.vote(OTHER, REPORT, sender=it.owners[member])
    refuser.challenge(it.contract.address, STATE, REPORT, value=ETHER)
    for member in range(4):
        if it.contract.phase() == JURY and it.contract.standing(member):
            it.contract.judge(STATE, REPORT, sender=it.owners[member])
    assert it.contract.phase() == DONE
    assert it.contract.status()[2] == STATE
    assert it.contract.pot() == 3 * ETHER  # both stakes, and what the challenger refused


def test_an_update_above_the_bound_is_slashed_and_a_good_one_is_not(five: Federation) -> None:
    rng = np.random.default_rng(0)
    good = encode_update(encode(rng.normal(size=31), Clip.of(1.0), 30_000))
    bad = good[:8] + b"\x7f\xff\xff\xff" + good[12:]
    updates = {0: good, 1: bad, 2: good[:-1], 3: b"\0\0\0\0" + good[4:], 4: good + b"\0" * 4}
    it = five.contract
    it.open_round(sender=five.owners[0])
    for member, update in updates.items():
        words = five.commitment(member, sha256(update).digest(), salt(member))
        it.commit(words, sender=five.owners[member])
    for member, update in updates.items():
        it.reveal(sha256(update).digest(), salt(member), sender=five.owners[member])
    for member in (0, 4):
        with boa.reverts("Federation: update is within the bound"):
            it.punish_norm(member, updates[member])
    with boa.reverts("Federation: not its update"):
        it.punish_norm(0, bad)
    for member in (1, 2, 3):
        it.punish_norm(member, updates[member])
        assert it.members(member)[2] == 0
        with boa.reverts("Federation: punished already"):
            it.punish_norm(member, updates[member])


def test_rewards_are_claimed_by_proof_and_capped(five: Federation) -> None:
    it = five.contract
    it.fund(value=10 * ETHER, sender=five.owners[0])
    amounts = [ETHER // 2, 0, 5 * ETHER, ETHER // 10, 0]
    leaves = report_leaves(amounts)

    def proof(member: int) -> list[bytes]:
        def nodes(level: int, index: int) -> bytes:
            return root_from_leaf_hashes(leaves[index << level : (index + 1) << level])

        return inclusion_proof(member, 5, nodes)

    five.final(STATE, report_of(amounts))
    assert it.finals(1)[3] == it.locked() == ETHER
    before = [boa.env.get_balance(owner) for owner in five.owners]
    with boa.reverts("Federation: not in the report"):
        it.claim(1, 0, ETHER, proof(0))
    for member in range(5):
        it.claim(1, member, amounts[member], proof(member))
        with boa.reverts("Federation: claimed already"):
            it.claim(1, member, amounts[member], proof(member))
    paid = [boa.env.get_balance(o) - b for o, b in zip(five.owners, before, strict=True)]
    # The third asks for five stakes: it gets what the round has left, below its stake.
    assert paid == [ETHER // 2, 0, ETHER // 2, 0, 0]
    assert (it.locked(), it.pot()) == (0, 9 * ETHER)
    with boa.reverts("Federation: no such reward"):
        it.claim(1, 5, 0, [])


def test_leaving_takes_the_stake_along_after_the_delay(five: Federation) -> None:
    it, owner = five.contract, five.owners[2]
    it.leave(sender=owner)
    with boa.reverts("Federation: exit is not due"):
        it.withdraw(sender=owner)
    boa.env.time_travel(seconds=it.exit_delay())
    before = boa.env.get_balance(owner)
    it.withdraw(sender=owner)
    assert boa.env.get_balance(owner) - before == ETHER
    with boa.reverts("Federation: caller is not a member"):
        it.withdraw(sender=owner)
    assert it.join(b"k" * 32, sender=owner, value=ETHER) == 5


def test_who_may_still_be_punished_cannot_withdraw() -> None:
    it = Federation(5)
    it.contract.leave(sender=it.owners[1])
    boa.env.time_travel(seconds=it.contract.exit_delay() - 10)
    it.contract.leave(sender=it.owners[2])
    it.contract.open_round(sender=it.owners[0])
    boa.env.time_travel(seconds=10)
    it.contract.withdraw(sender=it.owners[1])  # was no part of this round
    with boa.reverts("Federation: exit is not due"):
        it.contract.withdraw(sender=it.owners[2])


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"stake": 0}, "Federation: stake or fine out of range"),
        ({"fine": 2 * ETHER}, "Federation: stake or fine out of range"),
        ({"least": 2}, "Federation: a round needs three reveals at least"),
        ({"vote_s": 0}, "Federation: window out of range"),
        ({"challenge_s": 10**9}, "Federation: window out of range"),
    ],
)
def test_rules_out_of_range_are_refused(wrong: dict[str, Any], reason: str) -> None:
    with boa.reverts(reason):
        deploy("Federation", Rules(**wrong).words)


def test_strangers_and_late_comers_have_no_part(five: Federation) -> None:
    it, stranger = five.contract, str(account("stranger").address)
    for name, args in (("open_round", ()), ("commit", (NONE,)), ("leave", ())):
        with boa.reverts("Federation: caller is not a member"):
            getattr(it, name)(*args, sender=stranger)
    it.open_round(sender=five.owners[0])
    with boa.reverts("Federation: a round is under way"):
        it.open_round(sender=five.owners[0])
    late = five.join("late")
    with boa.reverts("Federation: member since after this round"):
        it.commit(NONE, sender=late)
    with boa.reverts("Federation: caller is a member already"):
        it.join(b"k" * 32, sender=late, value=ETHER)
