"""Whom to believe about a checkpoint: logs, witnesses and a quorum, as c2sp.org/tlog-policy.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>...
    quorum <name>|none

One definition a line, names defined before they are used, `#` begins a comment line. A
checkpoint is valid if any listed log signed it and the quorum's witnesses cosigned it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from veridict.core.errors import BadInput, EvidenceError
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.cosignature import CosignatureVerifier, log_verifier
from veridict.proofs.note import NoteVerifier, verify_note

K = TypeVar("K")

NONE = "none"
MAX_BYTES = 1 << 20
MAX_DEFINITIONS = 1024  # of each sort; the text asks for 32 at least


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log that may sign; its key's name is the origin of its checkpoints."""

    verifier: NoteVerifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """`name` means something in this policy alone; `url` is the submission prefix."""

    name: str
    verifier: CosignatureVerifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses a checkpoint if `threshold` of its members do, witnesses or groups."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Build it with `parse`: what it names is then defined, once, before its use."""

    logs: tuple[KnownLog, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @classmethod
    def parse(cls, data: bytes) -> Policy:
        """Raises BadInput, naming the line, unless `data` is one policy file."""
        return _Reader().read(data)

    def encode(self) -> bytes:
        """The policy as a file; comments and spacing are not kept."""
        lines = [
            *(_line("log", log.verifier.vkey, log.url) for log in self.logs),
            *(_line("witness", w.name, w.verifier.vkey, w.url) for w in self.witnesses),
            *(_line("group", g.name, str(g.threshold), *g.members) for g in self.groups),
            _line("quorum", self.quorum),
        ]
        return "".join(lines).encode("utf-8", "surrogateescape")

    def verify(self, signed: SignedCheckpoint, logs: Sequence[NoteVerifier] = ()) -> Checkpoint:
        """The checkpoint, once a log of the policy (or of `logs`) and its quorum signed it.

        Raises EvidenceError: "note.signature", "note.unsigned", "checkpoint.origin" or
        "policy.quorum".
        """
        origin = signed.checkpoint.origin
        known = [*(log.verifier for log in self.logs), *logs]
        mine = [verifier for verifier in known if verifier.name == origin]
        if known and not mine:
            raise EvidenceError(
                f"the policy knows no log called {origin!r}",
                remedy="add the log's key if you trust it; else ask for the right log's checkpoint",
                finding="checkpoint.origin",
            )
        verify_note(signed.note, mine)
        seen = self.cosigners(signed)
        if not self._quorum(seen):
            told = ", ".join(map(repr, sorted(seen))) or "none of its witnesses"
            raise EvidenceError(
                f"the quorum {self.quorum!r} is not reached: cosigned by {told}",
                remedy="wait for more cosignatures; a log that never gets them hides something",
                finding="policy.quorum",
            )
        return signed.checkpoint

    def satisfied(self, signed: SignedCheckpoint) -> bool:
        """Whether the quorum cosigned it; a false cosignature of a known witness counts as no."""
        try:
            return self._quorum(self.cosigners(signed))
        except EvidenceError:
            return False

    def cosigners(self, signed: SignedCheckpoint) -> set[str]:
        """Names of the witnesses that cosigned. Raises EvidenceError ("note.signature")."""
        names: set[str] = set()
        for signature in signed.note.signatures:
            for witness in self.witnesses:
                if witness.verifier.matches(signature):
                    witness.verifier.verify(signed.note.text, signature)
                    names.add(witness.name)
        return names

    def _quorum(self, seen: Collection[str]) -> bool:
        reached = {NONE, *seen}
        for group in self.groups:  # members are defined before their groups
            if sum(member in reached for member in group.members) >= group.threshold:
                reached.add(group.name)
        return self.quorum in reached


class _Reader:
    """The state of one pass over a policy file."""

    def __init__(self) -> None:
        self.logs: list[KnownLog] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.quorum: str | None = None
        self.defined: set[str] = set()
        self.spent: set[str] = set()  # names that are members already
        self.at = 0

    def read(self, data: bytes) -> Policy:
        if len(data) > MAX_BYTES:
            self.bad(f"{len(data)} bytes are more than {MAX_BYTES}")
        # names are opaque octets: what is no UTF-8 survives as it was
        for self.at, line in enumerate(data.split(b"\n"), 1):
            if any((octet < 0x20 and octet != 0x09) or octet == 0x7F for octet in line):
                self.bad("it holds a control character")
            words = line.decode("utf-8", "surrogateescape").replace("\t", " ").split(" ")
            words = [word for word in words if word]
            if words and not words[0].startswith("#"):
                self.define(words[0], words[1:])
        if self.quorum is None:
            self.bad("exactly one quorum line is expected")
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), self.quorum)

    def define(self, keyword: str, words: list[str]) -> None:
        match keyword, words:
            case "log", [vkey, *url] if len(url) <= 1:
                self.log(vkey, *url)
            case "witness", [name, vkey, *url] if len(url) <= 1:
                self.witness(name, vkey, *url)
            case "group", [name, threshold, *members] if members:
                self.group(name, threshold, members)
            case "quorum", [name]:
                self.set_quorum(name)
            case _:
                self.bad(f"no definition begins {keyword!r} and has {len(words)} further words")

    def log(self, vkey: str, url: str | None = None) -> None:
        verifier = self.key(log_verifier, vkey)
        self.once(verifier.public_key, [known.verifier.public_key for known in self.logs], "log")
        self.logs.append(KnownLog(verifier, url))

    def witness(self, name: str, vkey: str, url: str | None = None) -> None:
        verifier = self.key(CosignatureVerifier.from_vkey, vkey)
        keys = [known.verifier.public_key for known in self.witnesses]
        self.once(verifier.public_key, keys, "witness")
        self.name(name)
        self.witnesses.append(Witness(name, verifier, url))

    def group(self, name: str, word: str, members: list[str]) -> None:
        for member in members:
            if member not in self.defined:
                self.bad(f"the member {member!r} is not defined above")
            if member in self.spent:
                self.bad(f"{member!r} is a member more than once")
            self.spent.add(member)
        count = {"any": 1, "all": len(members)}.get(word)
        if count is None:
            count = int(word) if word.isascii() and word.isdigit() and len(word) < 6 else 0
        if not 1 <= count <= len(members):
            self.bad(f"the threshold {word!r} is not all, any or 1 to {len(members)}")
        if len(self.groups) >= MAX_DEFINITIONS:
            self.bad(f"there are more than {MAX_DEFINITIONS} groups")
        self.name(name)
        self.groups.append(Group(name, count, tuple(members)))

    def set_quorum(self, name: str) -> None:
        if self.quorum is not None:
            self.bad("exactly one quorum line is expected")
        if name != NONE and name not in self.defined:
            self.bad(f"the quorum {name!r} is not defined above")
        self.quorum = name

    def name(self, name: str) -> None:
        if name == NONE or name in self.defined:
            self.bad(f"the name {name!r} is taken")
        self.defined.add(name)

    def once(self, key: bytes, known: list[bytes], sort: str) -> None:
        if key in known:
            self.bad(f"this {sort}'s public key is listed twice")
        if len(known) >= MAX_DEFINITIONS:
            self.bad(f"there are more than {MAX_DEFINITIONS} of sort {sort}")

    def key(self, parse: Callable[[str], K], vkey: str) -> K:
        try:
            return parse(vkey)
        except (BadInput, UnicodeError) as error:
            self.bad(str(error))

    def bad(self, why: str) -> NoReturn:
        raise BadInput(
            f"line {self.at} of the policy: {why}",
            remedy="write it as c2sp.org/tlog-policy describes",
            line=self.at,
        )


def _line(*words: str | None) -> str:
    return " ".join(word for word in words if word) + "\n"
