"""Joint statistics over a folder that all parties reach: a share, a bucket, a synchronised folder.

Each party writes its messages there and waits for the others'. All of it is masked, sealed or
signed, so whoever keeps the folder learns the sum at most, and can only stop the asking. A
question is answered once: a second answer to the same could be subtracted from the first.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from veridict.apps.federating.table import read_features
from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput, PeerUnavailable, StorageFailed
from veridict.federated.masking.combiner import Combiner
from veridict.federated.masking.party import Party
from veridict.federated.masking.session import Kind, Session
from veridict.federated.privacy.counting import blurred
from veridict.federated.statistics import Feature, Question, Summary, read
from veridict.proofs.signing import PrivateKey

STEP_S = 0.2


class Range(msgspec.Struct, frozen=True):
    name: str
    low: str
    high: str


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`roster`: the parties' Ed25519 keys, hex. `least`: rows below which a cell is not shown.

    `epsilon`: of noise on the sum, which all but one of the parties together add; "" for none.
    """

    nonce: str
    ranges: tuple[Range, ...]
    roster: tuple[str, ...]
    rows_max: int
    cells: int = 16
    least: int = 10
    epsilon: str = ""
    delta: str = "1e-05"

    def encode(self) -> bytes:
        return canonical_json(msgspec.to_builtins(self))

    @property
    def question(self) -> Question:
        features = [Feature(each.name, float(each.low), float(each.high)) for each in self.ranges]
        return Question.first(features, self.rows_max, self.cells)

    @property
    def session(self) -> Session:
        roster = tuple(bytes.fromhex(key) for key in self.roster)
        return Session(sha256(self.encode()).digest(), roster, self.question.length)


def asked(
    ranges: Sequence[str], roster: Sequence[str], rows_max: int, least: int, epsilon: float | None
) -> Asked:
    """`ranges`: NAME:LOW:HIGH each. Raises BadInput."""
    parts = [text.rsplit(":", 2) for text in ranges]
    try:
        found = tuple(Range(name, repr(float(low)), repr(float(high))) for name, low, high in parts)
        made = Asked(
            secrets.token_hex(16),
            found,
            tuple(sorted(roster)),
            rows_max,
            least=least,
            epsilon="" if epsilon is None else repr(epsilon),
        )
        assert made.session
    except ValueError as error:
        raise BadInput(
            f"this cannot be asked: {error}",
            remedy="give features as NAME:LOW:HIGH, and keys as `statistics key` prints them",
        ) from error
    return made


def read_question(path: Path) -> Asked:
    """Raises BadInput."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Asked)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInput(
            f"{path.name} is no question: {error}", remedy="pass what `statistics ask` wrote"
        ) from error


def answer(
    question: Asked,
    table: Path,
    folder: Path,
    key: PrivateKey,
    wait_s: float,
    tell: Callable[[str], None] = lambda step: None,
) -> tuple[Summary, ...]:
    """This party's part, until the sum is open. Raises PeerUnavailable where others are silent."""
    session, mine = question.session, key.public
    if mine not in session.roster:
        raise BadInput("this party is not asked", remedy="ask with its key in the roster")
    vector = question.question.answer(read_features(table, [each.name for each in question.ranges]))
    if question.epsilon:
        others = session.n - 1  # one of them may keep its part of the noise back
        budget = float(question.epsilon), float(question.delta)
        vector = blurred(question.question, vector, *budget, others)
    party = Party(session, session.roster.index(mine), key.key)
    board = _Board(folder, session, party.member, wait_s, tell)
    ads = board.step(Kind.ADVERTISE, party.advertise())
    shares = board.step(Kind.SHARE, party.share(ads))
    board.step(Kind.MASK, party.mask(shares, vector))
    confirmed = board.step(Kind.CONFIRM, party.confirm(range(session.n)))
    board.step(Kind.UNMASK, party.unmask(confirmed), last=True)
    return read(question.question, board.combiner.open().values)


class _Board:
    """The folder, and what its messages come to."""

    def __init__(
        self, folder: Path, session: Session, me: int, wait_s: float, tell: Callable[[str], None]
    ) -> None:
        self.combiner = Combiner(session)
        self._at = folder / session.id.hex()[:16]
        self._n, self._me, self._wait_s, self._tell = session.n, me, wait_s, tell

    def step(self, kind: Kind, message: bytes, *, last: bool = False) -> dict[int, bytes]:
        """Everybody's messages, this party's among them. Raises EvidenceError, naming who lies."""
        self._put(kind, message)
        heard = self._all(kind)
        for member, said in heard.items():
            self.combiner.take(member, said)
        self._tell(kind.word)
        return heard if last else self.combiner.advance()

    def _put(self, kind: Kind, message: bytes) -> None:
        path = self._at / f"{kind.word}.{self._me}"
        try:
            self._at.mkdir(parents=True, exist_ok=True)
            if path.exists():
                raise BadInput(
                    "this party has answered this question before",
                    remedy="ask again: a new question has a new file",
                )
            fresh = path.with_name(f".{path.name}")
            fresh.write_bytes(message)
            fresh.rename(path)
        except OSError as error:
            raise StorageFailed(
                f"{self._at} cannot be written: {error.strerror}",
                remedy="make the folder writable for all parties",
            ) from error

    def _all(self, kind: Kind) -> dict[int, bytes]:
        paths = {member: self._at / f"{kind.word}.{member}" for member in range(self._n)}
        until = time.monotonic() + self._wait_s
        while missing := [member for member, path in paths.items() if not path.exists()]:
            if time.monotonic() > until:
                raise PeerUnavailable(
                    f"no {kind.word} message of party {', '.join(map(str, missing))}",
                    remedy="see that all parties run `statistics answer` at the same time",
                )
            time.sleep(STEP_S)
        return {member: path.read_bytes() for member, path in paths.items()}
