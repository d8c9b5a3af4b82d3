"""The federation's contract as one member sees it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from veridict.chain.artifacts import Artifact
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.deployment import deploy
from veridict.core.errors import BadInput, Refused
from veridict.federated.learners.learner import digest_of
from veridict.services.federation.rules import FederationRules

NOBODY = 255


class Phase(IntEnum):
    """As the contract's `phase` says."""

    IDLE = 0
    COMMIT = 1
    REVEAL = 2
    VOTE = 3
    CHALLENGE = 4
    JURY = 5
    DONE = 6
    FAILED = 7

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """`key`: Ed25519, 32 bytes. `stake`: wei."""

    number: int
    owner: str
    key: bytes
    stake: int
    stands: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What the committee, or the members after a challenge, made of a round."""

    state: bytes
    report: bytes


@dataclass(frozen=True, slots=True)
class Glance:
    """The contract at one moment. `standing` … `revealed`: numbers of members."""

    phase: Phase
    last_final: int
    decision: Decision
    round: int
    beacon: bytes
    count: int
    standing: frozenset[int]
    roster: frozenset[int]
    committed: frozenset[int]
    revealed: frozenset[int]


class Seat:
    """Reads are of the latest block. Everything that transacts raises Refused with the reason."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._keys: dict[int, bytes] = {}

    @classmethod
    def create(cls, client: Client, rules: FederationRules) -> Seat:
        """Deploys a federation; anyone may, and has no power over it."""
        start = rules.learner_().start()
        words = rules.words(digest_of(start))
        return cls(deploy(client, Artifact.load("Federation"), words))

    @classmethod
    def at(cls, client: Client, address: str) -> Seat:
        return cls(Contract(client, Artifact.load("Federation"), address))

    def check(self, rules: FederationRules) -> None:
        """Raises BadInput unless this contract holds these rules."""
        held = self.contract.call("rules_digest")
        if held != rules.digest:
            raise BadInput(
                "these are not the rules of this federation",
                remedy="ask a member for the rules that the contract names",
                contract=held.hex(),
                given=rules.digest.hex(),
            )

    # -- members ------------------------------------------------------------------------------

    def join(self, key: bytes, stake: int) -> int:
        """The member's number; its own where it has joined already."""
        number = self.number
        if number is None:
            self.contract.send("join", key, value=stake)
            number = self.number
        assert number is not None
        return number

    def leave(self) -> None:
        self.contract.send("leave")

    @property
    def number(self) -> int | None:
        """This client's, if it is a member."""
        try:
            return int(self.contract.call("number_of", self.contract.client.address))
        except Refused:
            return None

    def key_of(self, number: int) -> bytes:
        """A member's Ed25519 key; it never changes."""
        if number not in self._keys:
            self._keys[number] = self.contract.call("members", number)[1]
        return self._keys[number]

    def members(self) -> tuple[MemberInfo, ...]:
        """All that ever joined, in order."""
        now = self.glance()
        found = []
        for number in range(now.count):
            owner, key, stake, _ = self.contract.call("members", number)
            found.append(MemberInfo(number, owner, key, stake, number in now.standing))
        return tuple(found)

    def stakes(self, count: int) -> list[int]:
        """Wei, of the first `count` members."""
        return [self.contract.call("members", number)[2] for number in range(count)]

    # -- the round under way ------------------------------------------------------------------

    def glance(self) -> Glance:
        phase, last_final, state, report = self.contract.call("status")
        round_, beacon, count, *bits = self.contract.call("under_way")
        sets = [frozenset(n for n in range(count) if word >> n & 1) for word in bits]
        return Glance(
            Phase(phase), last_final, Decision(state, report), round_, beacon, count, *sets
        )

    @property
    def phase(self) -> Phase:
        return self.glance().phase

    @property
    def round(self) -> int:
        return self.glance().round

    @property
    def last_final(self) -> int:
        return self.glance().last_final

    def final(self, number: int) -> Decision:
        state, report, _, _ = self.contract.call("finals", number)
        return Decision(state, report)

    def drawn(self) -> tuple[int, ...]:
        """The committee of three, and behind it the stand-bys."""
        return tuple(n for n in self.contract.call("committee") if n != NOBODY)

    def digest_of(self, number: int) -> bytes:
        """What a member revealed in this round."""
        digest: bytes = self.contract.call("digest_of", number)
        return digest

    # -- acts ---------------------------------------------------------------------------------

    def open_round(self) -> None:
        self.contract.send("open_round")

    def commit(self, round_: int, digest: bytes, salt: bytes) -> None:
        words = (round_, digest, salt, self.contract.client.address)
        content = encode(["uint256", "bytes32", "bytes32", "address"], words)
        self.contract.send("commit", keccak(content))

    def reveal(self, digest: bytes, salt: bytes) -> None:
        self.contract.send("reveal", digest, salt)

    def vote(self, decision: Decision) -> None:
        self.contract.send("vote", decision.state, decision.report)

    def challenge(self, decision: Decision) -> None:
        stake = self.contract.call("stake")
        self.contract.send("challenge", decision.state, decision.report, value=stake)

    def judge(self, decision: Decision) -> None:
        self.contract.send("judge", decision.state, decision.report)

    def finalise(self) -> None:
        self.contract.send("finalise")

    def claim(self, round_: int, number: int, amount: int, proof: list[bytes]) -> None:
        self.contract.send("claim", round_, number, amount, proof)
