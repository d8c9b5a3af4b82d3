#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title A federation: parties that train one model together
@license Apache-2.0
@notice Keeps the rules and the rounds. In a round the members commit to their updates, then
        reveal them; a committee of three, drawn by randomness that was fixed before the first
        commitment, votes on the state that the rule makes of them. Two equal votes decide;
        stand-bys may vote where the committee is silent. Any member may challenge, and then
        the majority of all members decides. What is final is never changed, and any member
        goes on from it: no process is special.
@dev    Updates themselves stay off the chain; here are their SHA-256 digests.
"""

from lib import membership
from lib import merkle
from lib import rounds
from lib import sortition

initializes: membership
initializes: rounds[membership := membership]

exports: (  # members
    membership.join,
    membership.leave,
    membership.fund,
    membership.count,
    membership.members,
    membership.number_of,
    membership.standing,
    membership.pot,
)
exports: (  # the round under way
    rounds.commit,
    rounds.reveal,
    rounds.punish_silence,
    rounds.punish_norm,
    rounds.round,
    rounds.beacon,
    rounds.tally,
    rounds.under_way,
    rounds.digest_of,
)
exports: (  # rules
    membership.stake,
    membership.fine,
    membership.exit_delay,
    rounds.least,
    rounds.commit_s,
    rounds.reveal_s,
    rounds.vote_s,
    rounds.open_updates,
)


event Voted:
    round: indexed(uint256)
    member: indexed(uint256)
    state: bytes32
    report: bytes32


event Decided:
    round: indexed(uint256)
    state: bytes32
    report: bytes32
    challengeUntil: uint256


event Challenged:
    round: indexed(uint256)
    member: indexed(uint256)
    state: bytes32
    report: bytes32


event Overturned:
    round: indexed(uint256)
    state: bytes32
    report: bytes32


event Finalised:
    round: indexed(uint256)
    pot: uint256


event Rewarded:
    round: indexed(uint256)
    member: indexed(uint256)
    amount: uint256


struct Rules:
    digest: bytes32  # SHA-256 of the rules document: learner, rule, mode, privacy budget
    start: bytes32  # SHA-256 of the first state
    stake: uint256  # wei that a member deposits, and that a challenge costs
    fine: uint256  # wei for a commitment that is not revealed
    reward: uint256  # wei that a round pays at most
    least: uint256  # reveals without which a round fails
    commit_s: uint256
    reveal_s: uint256
    vote_s: uint256  # for the committee, and then as long again for stand-bys
    challenge_s: uint256
    open_updates: bool  # revealed digests are those of plain updates, whose norm can be shown


struct Final:
    state: bytes32
    report: bytes32  # Merkle root over every member's reward
    rest: uint256  # leaves under it u128 | what is still to be claimed u128


IDLE: constant(uint256) = 0
VOTING: constant(uint256) = 3
CHALLENGING: constant(uint256) = 4
JURY: constant(uint256) = 5
DONE: constant(uint256) = 6
FAILED: constant(uint256) = 7

COMMITTEE: constant(uint256) = 3
DRAWN: constant(uint256) = 5  # with the stand-bys
QUORUM: constant(uint256) = 2
LOW_128: constant(uint256) = 2**128 - 1
MAX_WINDOW: constant(uint256) = 30 * 86_400

rules_digest: public(immutable(bytes32))
reward: public(immutable(uint256))
challenge_s: public(immutable(uint256))

last_final: public(uint256)
_decisions: HashMap[uint256, Final]  # final up to `last_final`
locked: public(uint256)  # of the pot, promised to final rounds
_claimed: HashMap[uint256, uint256]  # by round: a bit for each member

_voted: uint256
_judged: uint256
_support: HashMap[bytes32, uint256]  # of a ballot: a bit for each member
_decided_at: uint256
_challenger: uint256  # one more than the member's number
_jury_until: uint256


@deploy
def __init__(rules: Rules):
    assert rules.challenge_s > 0 and rules.challenge_s <= MAX_WINDOW, "Federation: window out of range"
    rounds.__init__(
        rules.least, rules.commit_s, rules.reveal_s, rules.vote_s, rules.open_updates
    )
    longest: uint256 = rules.commit_s + rules.reveal_s + 2 * rules.vote_s
    membership.__init__(rules.stake, rules.fine, longest + 2 * rules.challenge_s)
    rules_digest = rules.digest
    reward = rules.reward
    challenge_s = rules.challenge_s
    self._decisions[0].state = rules.start


@external
@nonreentrant
def withdraw():
    """
    @notice Take the stake back after leaving. The number stays empty for ever.
    """
    number: uint256 = membership.number()
    phase: uint256 = self._phase()
    bound: bool = phase != IDLE and phase != FAILED and sortition.has(rounds.roster, number)
    assert not bound, "Federation: member is part of a round that is not final"
    membership.depart(number)


@external
def open_round() -> uint256:
    """
    @notice Open the next round, after the last one is final or has failed. By any member.
    """
    membership.number()
    phase: uint256 = self._phase()
    assert phase == IDLE or phase == FAILED, "Federation: a round is under way"
    rounds.open()
    self._voted = 2**255  # no member: the word stays in use
    self._decided_at = 0
    if self._challenger > 0:
        self._challenger = 0
        self._judged = 0
    return rounds.round


@external
def vote(state: bytes32, report: bytes32):
    """
    @notice As a member of the committee, or as a stand-by when it is late: say what the
            updates come to.
    @param state SHA-256 of the state after this round
    @param report Merkle root over the rewards, a leaf for each member number
    """
    number: uint256 = rounds.participant()
    assert self._phase() == VOTING, "Federation: not the time to vote"
    drawn: uint256[DRAWN] = rounds.drawn()
    may: bool = False
    for place: uint256 in range(DRAWN):
        if drawn[place] == number:
            may = place < COMMITTEE or rounds.is_late()
    assert may, "Federation: caller is not drawn"
    assert not sortition.has(self._voted, number), "Federation: voted already"
    self._voted |= 1 << number
    log Voted(round=rounds.round, member=number, state=state, report=report)
    if self._supported(self._ballot(state, report), number) < QUORUM:
        return
    self._decisions[rounds.round].state = state
    self._decisions[rounds.round].report = report
    self._decided_at = block.timestamp
    until: uint256 = block.timestamp + challenge_s
    log Decided(round=rounds.round, state=state, report=report, challengeUntil=until)


@external
@payable
@nonreentrant
def challenge(state: bytes32, report: bytes32):
    """
    @notice Put the decision to all members, and vote for another. Costs a stake, which is lost
            unless they overturn it.
    """
    number: uint256 = rounds.participant()
    assert self._phase() == CHALLENGING, "Federation: not the time to challenge"
    assert msg.value == membership.stake, "Federation: a challenge costs a stake"
    assert not self._is_decided(state, report), "Federation: that is what was decided"
    self._challenger = number + 1
    self._jury_until = block.timestamp + challenge_s
    membership.pot += msg.value
    log Challenged(round=rounds.round, member=number, state=state, report=report)
    self._judge(number, state, report)


@external
@nonreentrant
def judge(state: bytes32, report: bytes32):
    """
    @notice As any member, after a challenge: say what the updates come to. What more than half
            of all members say replaces the decision, and who voted for it is slashed.
    """
    number: uint256 = rounds.participant()
    assert self._phase() == JURY, "Federation: there is no challenge"
    self._judge(number, state, report)


@external
def finalise():
    """
    @notice Make the decision final, once it can no longer be challenged. By anyone.
    """
    assert self._phase() == DONE, "Federation: nothing to finalise"
    share: uint256 = min(membership.pot - self.locked, reward)
    if share > 0:
        self.locked += share
    self._decisions[rounds.round].rest = (rounds.span() << 128) | share
    self.last_final = rounds.round
    log Finalised(round=rounds.round, pot=share)


@external
@nonreentrant
def claim(round: uint256, number: uint256, amount: uint256, proof: DynArray[bytes32, 64]):
    """
    @notice Pay a member its reward of a final round; at most its stake, at most what is left.
    @param proof Inclusion of SHA-256(0x00 ‖ number u256 ‖ amount u256) under the round's report
    """
    last: Final = self._decisions[round]
    size: uint256 = last.rest >> 128
    left: uint256 = last.rest & LOW_128
    assert number < size, "Federation: no such reward"
    assert not sortition.has(self._claimed[round], number), "Federation: claimed already"
    leaf: bytes32 = sha256(concat(0x00, convert(number, bytes32), convert(amount, bytes32)))
    assert merkle.includes(number, size, leaf, proof, last.report), "Federation: not in the report"
    self._claimed[round] |= 1 << number
    paid: uint256 = min(min(amount, membership.members[number].stake), left)
    self._decisions[round].rest = last.rest - paid
    self.locked -= paid
    membership.pot -= paid
    log Rewarded(round=round, member=number, amount=paid)
    membership.pay(membership.members[number].owner, paid)


@external
@nonreentrant
def punish_vote(number: uint256, state: bytes32, report: bytes32):
    """
    @notice Slash a member that voted in the last round for another state than became final.
            Half goes to the caller.
    """
    assert rounds.round > 0 and self._phase() == IDLE, "Federation: round is not final"
    assert not self._is_decided(state, report), "Federation: that is what was decided"
    ballot: bytes32 = self._ballot(state, report)
    assert sortition.has(self._support[ballot], number), "Federation: it did not vote so"
    self._support[ballot] ^= 1 << number
    all: uint256 = membership.members[number].stake
    membership.slash(number, all, rounds.round, msg.sender, "vote")


@external
@view
def phase() -> uint256:
    """
    @notice 0 none, 1 commit, 2 reveal, 3 vote, 4 challenge, 5 jury, 6 to be finalised, 7 failed.
    """
    return self._phase()


@external
@view
def committee() -> uint256[DRAWN]:
    """
    @notice Members drawn for this round: three, and two stand-bys; 255 where there are fewer.
    """
    return rounds.drawn()


@external
@view
def status() -> (uint256, uint256, bytes32, bytes32):
    """
    @notice Phase, last final round, and state and report of the current decision, if any.
    """
    now: Final = self._decisions[rounds.round]
    return self._phase(), self.last_final, now.state, now.report


@external
@view
def finals(round: uint256) -> (bytes32, bytes32, uint256, uint256):
    """
    @notice State and report of a final round, its members, and what is still to be claimed.
    """
    assert round <= self.last_final, "Federation: round is not final"
    last: Final = self._decisions[round]
    return last.state, last.report, last.rest >> 128, last.rest & LOW_128


@internal
@view
def _phase() -> uint256:
    if rounds.round == self.last_final:
        return IDLE
    if self._decided_at == 0:
        return rounds.stage()
    if self._challenger > 0:
        return JURY if block.timestamp < self._jury_until else DONE
    return CHALLENGING if block.timestamp < self._decided_at + challenge_s else DONE


@internal
@view
def _is_decided(state: bytes32, report: bytes32) -> bool:
    now: Final = self._decisions[rounds.round]
    return state == now.state and report == now.report


@internal
@view
def _ballot(state: bytes32, report: bytes32) -> bytes32:
    return keccak256(abi_encode(rounds.round, state, report))


@internal
def _supported(ballot: bytes32, number: uint256) -> uint256:
    """
    @return How many support it, with this member.
    """
    support: uint256 = self._support[ballot] | (1 << number)
    self._support[ballot] = support
    return sortition.size(support)


@internal
def _judge(number: uint256, state: bytes32, report: bytes32):
    assert not sortition.has(self._judged, number), "Federation: judged already"
    self._judged |= 1 << number
    jury: bytes32 = keccak256(abi_encode("jury", self._ballot(state, report)))
    if 2 * self._supported(jury, number) <= rounds.size():
        return
    self._jury_until = block.timestamp
    if self._is_decided(state, report):
        return
    # Overturned: the challenge is paid back, and those who decided wrongly pay for it.
    now: Final = self._decisions[rounds.round]
    wrong: bytes32 = self._ballot(now.state, now.report)
    guilty: uint256 = self._support[wrong]
    self._support[wrong] = 0
    self._decisions[rounds.round].state = state
    self._decisions[rounds.round].report = report
    log Overturned(round=rounds.round, state=state, report=report)
    challenger: address = membership.members[self._challenger - 1].owner
    for i: uint256 in range(255):
        if guilty >> i == 0:
            break
        if sortition.has(guilty, i):
            membership.slash(i, membership.members[i].stake, rounds.round, challenger, "vote")
    membership.pot -= membership.stake
    membership.offer(challenger, membership.stake)
