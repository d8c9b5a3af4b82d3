#pragma version 0.4.3
"""
@title The clockwork of a federation's rounds
@license Apache-2.0
@notice Opening, commitments and reveals, each in its time. A window closes early once everybody
        has spoken. What a member committed to and did not reveal, or revealed above the norm
        bound, is punished here.
@dev    A commitment is keccak256(abi.encode(round, digest, salt, member's address)), so that a
        copied one cannot be revealed by whoever copied it. A member has one slot, which holds
        its commitment and then its digest, and is written again in every round; who has done
        what are bits of words that all share.
"""

from . import membership
from . import sortition
from . import update as updates

uses: membership


event RoundOpened:
    round: indexed(uint256)
    beacon: bytes32
    members: uint256


event Committed:
    round: indexed(uint256)
    member: indexed(uint256)
    commitment: bytes32


event Revealed:
    round: indexed(uint256)
    member: indexed(uint256)
    digest: bytes32


# Also what `phase` of the federation says.
COMMITTING: constant(uint256) = 1
REVEALING: constant(uint256) = 2
VOTING: constant(uint256) = 3
FAILED: constant(uint256) = 7

LEAST: constant(uint256) = 3
MAX_UPDATE: constant(uint256) = 4_100  # bytes of an update whose norm can be shown
MAX_WINDOW: constant(uint256) = 30 * 86_400
LOW_64: constant(uint256) = 2**64 - 1
NOBODY: constant(uint256) = 2**255  # no member has this bit: a word never returns to zero

least: public(immutable(uint256))  # reveals without which a round fails
commit_s: public(immutable(uint256))
reveal_s: public(immutable(uint256))
vote_s: public(immutable(uint256))  # for the committee, and then as long again for stand-bys
open_updates: public(immutable(bool))  # digests are those of plain updates

round: public(uint256)  # the last one opened; the first is 1
beacon: public(bytes32)
roster: uint256  # members of the round: a bit for each
_times: uint256  # span u16 | opened u64 | revealing from u64 | voting from u64; 0 = by the clock
_committed: uint256
_revealed: uint256
_punished: uint256
_slots: HashMap[uint256, bytes32]  # by member: its commitment, or once it has revealed the digest


@deploy
def __init__(
    least_: uint256, commit_s_: uint256, reveal_s_: uint256, vote_s_: uint256, open_: bool
):
    assert least_ >= LEAST, "Federation: a round needs three reveals at least"
    for window: uint256 in [commit_s_, reveal_s_, vote_s_]:
        assert window > 0 and window <= MAX_WINDOW, "Federation: window out of range"
    least = least_
    commit_s = commit_s_
    reveal_s = reveal_s_
    vote_s = vote_s_
    open_updates = open_


@external
def commit(commitment: bytes32):
    """
    @notice Commit to an update: keccak256(abi.encode(round, digest, salt, caller)).
    """
    number: uint256 = self.participant()
    assert self.stage() == COMMITTING, "Federation: not the time to commit"
    committed: uint256 = self._committed
    assert not sortition.has(committed, number), "Federation: committed already"
    committed |= 1 << number
    self._committed = committed
    self._slots[number] = commitment
    if committed == self.roster | NOBODY:
        self._times |= block.timestamp << 64  # everybody has: revealing begins now
    log Committed(round=self.round, member=number, commitment=commitment)


@external
def reveal(digest: bytes32, salt: bytes32):
    """
    @notice Reveal the SHA-256 digest of the update committed to.
    """
    number: uint256 = self.participant()
    assert self.stage() == REVEALING, "Federation: not the time to reveal"
    revealed: uint256 = self._revealed
    assert sortition.has(self._committed, number), "Federation: nothing was committed"
    assert not sortition.has(revealed, number), "Federation: revealed already"
    expected: bytes32 = keccak256(abi_encode(self.round, digest, salt, msg.sender))
    assert self._slots[number] == expected, "Federation: not what was committed"
    revealed |= 1 << number
    self._revealed = revealed
    self._slots[number] = digest
    if revealed == self._committed:
        self._times |= block.timestamp  # everybody has: voting begins now
    log Revealed(round=self.round, member=number, digest=digest)


@external
def punish_silence(number: uint256):
    """
    @notice Fine a member that committed in this round and did not reveal in time.
    """
    assert sortition.has(self._committed, number), "Federation: it committed to nothing"
    assert not sortition.has(self._revealed, number), "Federation: it has revealed"
    self._punish(number)
    stage: uint256 = self.stage()
    assert stage != COMMITTING and stage != REVEALING, "Federation: it still may reveal"
    fine: uint256 = min(membership.fine, membership.members[number].stake)
    membership.slash(number, fine, self.round, empty(address), "silence")


@external
@nonreentrant
def punish_norm(number: uint256, update: Bytes[MAX_UPDATE]):
    """
    @notice Slash a member whose update, revealed in this round, is malformed or above the norm
            bound. Half goes to the caller.
    """
    assert open_updates, "Federation: updates are not open"
    assert self.digest(number) != empty(bytes32), "Federation: it revealed nothing"
    assert sha256(update) == self._slots[number], "Federation: not its update"
    assert not updates.is_well_formed(update), "Federation: update is within the bound"
    self._punish(number)
    all: uint256 = membership.members[number].stake
    membership.slash(number, all, self.round, msg.sender, "norm")


@external
@view
def tally() -> (uint256, uint256, uint256):
    """
    @notice Members, commitments and reveals of the current round.
    """
    return (
        self.size(),
        sortition.size(self._committed ^ NOBODY),
        sortition.size(self._revealed ^ NOBODY),
    )


@external
@view
def under_way() -> (uint256, bytes32, uint256, uint256, uint256, uint256, uint256):
    """
    @notice Round, beacon, numbers given, and bits: who stands, who is of the round, who has
            committed, who has revealed.
    """
    return (
        self.round,
        self.beacon,
        membership.count,
        membership.active,
        self.roster,
        self._committed & ~NOBODY,
        self._revealed & ~NOBODY,
    )


@external
@view
def digest_of(number: uint256) -> bytes32:
    """
    @notice What a member revealed in this round; 0 where nothing.
    """
    return self.digest(number)


@internal
def open():
    """
    @notice Begin the next round with all who stand. The caller has seen the last one end.
    """
    n: uint256 = sortition.size(membership.active)
    assert n >= least, "Federation: too few members"
    self.round += 1
    # Known only when this block exists: nobody can choose an update or an address for it.
    self.beacon = keccak256(
        abi_encode(self, self.round, block.prevrandao, blockhash(block.number - 1))
    )
    self.roster = membership.active
    self._times = (membership.count << 192) | (block.timestamp << 128)
    self._committed = NOBODY
    self._revealed = NOBODY
    self._punished = NOBODY
    log RoundOpened(round=self.round, beacon=self.beacon, members=n)


@internal
@view
def stage() -> uint256:
    """
    @notice What the clock says; whether the votes were cast it does not know.
    """
    now: uint256 = block.timestamp
    times: uint256 = self._times
    if now < self._reveal_from(times):
        return COMMITTING
    vote_from: uint256 = self._vote_from(times)
    if now < vote_from:
        return REVEALING if sortition.size(self._committed ^ NOBODY) >= least else FAILED
    if now >= vote_from + 2 * vote_s or sortition.size(self._revealed ^ NOBODY) < least:
        return FAILED
    return VOTING


@internal
@view
def is_late() -> bool:
    """
    @notice Whether the committee has had its time, and stand-bys may vote.
    """
    return block.timestamp >= self._vote_from(self._times) + vote_s


@internal
@view
def participant() -> uint256:
    """
    @notice The caller, a member since before this round that is still standing.
    """
    number: uint256 = membership.number()
    assert sortition.has(self.roster, number), "Federation: member since after this round"
    assert sortition.has(membership.active, number), "Federation: member is leaving or slashed"
    return number


@internal
@view
def drawn() -> uint256[5]:
    return sortition.draw(self.beacon, self.roster, self.span())


@internal
@view
def size() -> uint256:
    """
    @notice Members of this round.
    """
    return sortition.size(self.roster)


@internal
@view
def span() -> uint256:
    """
    @notice Numbers given when this round was opened, also to those who have left.
    """
    return self._times >> 192


@internal
@view
def digest(number: uint256) -> bytes32:
    return self._slots[number] if sortition.has(self._revealed, number) else empty(bytes32)


@internal
def _punish(number: uint256):
    assert not sortition.has(self._punished, number), "Federation: punished already"
    self._punished |= 1 << number


@internal
@view
def _reveal_from(times: uint256) -> uint256:
    early: uint256 = (times >> 64) & LOW_64
    return early if early > 0 else ((times >> 128) & LOW_64) + commit_s


@internal
@view
def _vote_from(times: uint256) -> uint256:
    early: uint256 = times & LOW_64
    return early if early > 0 else self._reveal_from(times) + reveal_s
