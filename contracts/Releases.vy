#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title Releases of models
@license Apache-2.0
@notice A line is a name under which one model after another is put to work. A version becomes
        active only after the line's delay, within sight of everybody and under the veto of a
        guardian; going back to the version before needs no delay, since that one was waited
        for already.
@dev    A line's history only grows. Each version knows the one it replaced, so going back
        follows what was really at work, never a version that was itself gone back from.
"""

interface Registry:
    def is_active(model_id: bytes32) -> bool: view


event LineCreated:
    line: indexed(bytes32)
    owner: indexed(address)
    guardian: indexed(address)
    name: String[64]
    delay: uint256


event VersionProposed:
    line: indexed(bytes32)
    modelId: indexed(bytes32)
    readyAt: uint256


event VersionVetoed:
    line: indexed(bytes32)
    modelId: indexed(bytes32)
    guardian: indexed(address)


event VersionWithdrawn:
    line: indexed(bytes32)
    modelId: indexed(bytes32)


event VersionReleased:
    line: indexed(bytes32)
    modelId: indexed(bytes32)
    number: uint256


event VersionRolledBack:
    line: indexed(bytes32)
    modelId: indexed(bytes32)
    by: indexed(address)
    fromModelId: bytes32
    number: uint256


event LineOffered:
    line: indexed(bytes32)
    owner: indexed(address)
    heir: indexed(address)


event LineTransferred:
    line: indexed(bytes32)
    previousOwner: indexed(address)
    newOwner: indexed(address)


struct Line:
    owner: address
    heir: address  # to whom the line is offered
    guardian: address
    delay: uint256  # seconds
    count: uint256  # of versions
    current: uint256  # number of the version at work, 0 if none


struct Version:
    model_id: bytes32
    previous: uint256  # number of the version it replaced, 0 if none
    released_at: uint256  # seconds


struct Proposal:
    model_id: bytes32
    ready_at: uint256  # seconds; 0 if nothing is proposed


MAX_DELAY: constant(uint256) = 366 * 86_400

registry: public(immutable(Registry))

_lines: HashMap[bytes32, Line]
_versions: HashMap[bytes32, HashMap[uint256, Version]]
_proposals: HashMap[bytes32, Proposal]


@deploy
def __init__(registry_: address):
    assert registry_ != empty(address), "Releases: registry is nobody"
    registry = Registry(registry_)


@external
def create(name: String[64], guardian: address, delay: uint256) -> bytes32:
    """
    @notice Begin a line, owned by the caller, with nothing at work.
    @param name What the caller calls it; callers share no names
    @param guardian Who may veto a proposal and roll back; fixed
    @param delay Seconds between a proposal and the earliest release; fixed
    @return The line: keccak256(abi.encode(caller, name))
    """
    line: bytes32 = self._line_of(msg.sender, name)
    assert self._lines[line].owner == empty(address), "Releases: line exists already"
    assert len(name) > 0, "Releases: a line has a name"
    assert guardian != empty(address), "Releases: guardian is nobody"
    assert delay > 0 and delay <= MAX_DELAY, "Releases: delay is not within 1 s and 366 days"
    self._lines[line].owner = msg.sender
    self._lines[line].guardian = guardian
    self._lines[line].delay = delay
    log LineCreated(line=line, owner=msg.sender, guardian=guardian, name=name, delay=delay)
    return line


@external
def propose(line: bytes32, model_id: bytes32):
    """
    @notice Announce the next version; it can be released when the line's delay is over.
    """
    self._only_owner(line)
    assert self._proposals[line].ready_at == 0, "Releases: another version is proposed"
    assert model_id != self._at_work(line), "Releases: version is active already"
    assert staticcall registry.is_active(model_id), "Releases: model is not active"
    ready_at: uint256 = block.timestamp + self._lines[line].delay
    self._proposals[line] = Proposal(model_id=model_id, ready_at=ready_at)
    log VersionProposed(line=line, modelId=model_id, readyAt=ready_at)


@external
def enact(line: bytes32, model_id: bytes32):
    """
    @notice Release the proposed version once its delay is over. Anyone may.
    @param model_id The version meant, so that no other is released by mistake
    """
    self._only_proposed(line, model_id)
    assert block.timestamp >= self._proposals[line].ready_at, "Releases: delay is not over"
    assert staticcall registry.is_active(model_id), "Releases: model is not active"
    number: uint256 = self._lines[line].count + 1
    self._versions[line][number] = Version(
        model_id=model_id, previous=self._lines[line].current, released_at=block.timestamp
    )
    self._lines[line].count = number
    self._lines[line].current = number
    self._proposals[line] = empty(Proposal)
    log VersionReleased(line=line, modelId=model_id, number=number)


@external
def veto(line: bytes32, model_id: bytes32):
    """
    @notice Strike the proposed version, until the moment it is released.
    @param model_id The version meant
    """
    assert msg.sender == self._lines[line].guardian, "Releases: caller is not the guardian"
    self._only_proposed(line, model_id)
    self._proposals[line] = empty(Proposal)
    log VersionVetoed(line=line, modelId=model_id, guardian=msg.sender)


@external
def withdraw(line: bytes32, model_id: bytes32):
    """
    @notice The owner takes the proposed version back.
    @param model_id The version meant
    """
    self._only_owner(line)
    self._only_proposed(line, model_id)
    self._proposals[line] = empty(Proposal)
    log VersionWithdrawn(line=line, modelId=model_id)


@external
def rollback(line: bytes32, model_id: bytes32):
    """
    @notice Go back, now, to the version that the active one replaced. The owner or the guardian
            may. What is proposed stays so.
    @param model_id The version to leave, so that two who hurry go back once
    """
    entry: Line = self._lines[line]
    assert entry.owner != empty(address), "Releases: unknown line"
    assert msg.sender == entry.owner or msg.sender == entry.guardian, (
        "Releases: caller is neither owner nor guardian"
    )
    assert model_id == self._at_work(line), "Releases: another version is active"
    number: uint256 = self._versions[line][entry.current].previous
    assert number > 0, "Releases: no version before this one"
    self._lines[line].current = number
    log VersionRolledBack(
        line=line,
        modelId=self._versions[line][number].model_id,
        by=msg.sender,
        fromModelId=model_id,
        number=number,
    )


@external
def offer(line: bytes32, heir: address):
    """
    @notice First step of a transfer: name the heir, or nobody to take an offer back.
    """
    self._only_owner(line)
    self._lines[line].heir = heir
    log LineOffered(line=line, owner=msg.sender, heir=heir)


@external
def accept(line: bytes32):
    """
    @notice Second step of a transfer, by the heir.
    """
    previous: address = self._lines[line].owner
    assert previous != empty(address), "Releases: unknown line"
    assert msg.sender == self._lines[line].heir, "Releases: caller is not the heir"
    self._lines[line].owner = msg.sender
    self._lines[line].heir = empty(address)
    log LineTransferred(line=line, previousOwner=previous, newOwner=msg.sender)


@external
@view
def active(line: bytes32) -> bytes32:
    """
    @notice The id of the model at work; zero if none. Whether its owner has deprecated it since
            is told by the registry.
    """
    return self._at_work(line)


@external
@view
def proposed(line: bytes32) -> Proposal:
    """
    @notice (model id, earliest second of its release); zeros if nothing is proposed.
    """
    return self._proposals[line]


@external
@view
def version(line: bytes32, number: uint256) -> Version:
    """
    @notice (model id, number it replaced, when it was released) of version 1, 2, ...
    """
    return self._versions[line][number]


@external
@view
def line(line: bytes32) -> Line:
    """
    @notice (owner, heir, guardian, delay, versions so far, number at work); zeros if unknown.
    """
    return self._lines[line]


@external
@view
def line_of(creator: address, name: String[64]) -> bytes32:
    """
    @notice The id of the line that `creator` began under this name, or may begin.
    """
    return self._line_of(creator, name)


@internal
@pure
def _line_of(creator: address, name: String[64]) -> bytes32:
    return keccak256(abi_encode(creator, name))


@internal
@view
def _at_work(line: bytes32) -> bytes32:
    return self._versions[line][self._lines[line].current].model_id


@internal
@view
def _only_owner(line: bytes32):
    owner: address = self._lines[line].owner
    assert owner != empty(address), "Releases: unknown line"
    assert msg.sender == owner, "Releases: caller is not the owner"


@internal
@view
def _only_proposed(line: bytes32, model_id: bytes32):
    proposal: Proposal = self._proposals[line]
    assert proposal.ready_at > 0, "Releases: nothing is proposed"
    assert proposal.model_id == model_id, "Releases: another version is proposed"
