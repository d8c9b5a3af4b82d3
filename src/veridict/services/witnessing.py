"""Asking witnesses to cosign the log's head, as a client of https://c2sp.org/tlog-witness.

Each witness is asked in a thread of its own. A cosignature is kept the moment it comes, also
when it comes after the wait was over; a witness that is down is asked again with the next head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from veridict.core.errors import EvidenceError, VeridictError
from veridict.core.nouns import Finding
from veridict.ledger.log import Log
from veridict.proofs.add_checkpoint import (
    PATH,
    SIZE_TYPE,
    AddCheckpoint,
    Reply,
    parse_cosignatures,
    parse_size,
)
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.note import Signature
from veridict.proofs.tlog_policy import Policy

# Sends a body to a URL by POST. Raises PeerUnavailable where nobody answers in time.
Post = Callable[[str, bytes], Reply]
Prove = Callable[[int], list[bytes]]  # the proof from a size to the head that is asked about

ATTEMPTS = 3  # the size held may change between two requests, but not for ever
WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What one witness did: cosigned, contradicted (`finding`), or failed (`problem`)."""

    url: str
    size: int
    cosigned: tuple[Signature, ...] = ()
    held: int = 0
    finding: Finding | None = None
    problem: str | None = None

    def sentence(self) -> str:
        if self.finding is not None:
            return self.finding.sentence()
        return self.problem or f"cosigned {self.size} records"


def ask(
    url: str, head: SignedCheckpoint, held: int, prove: Prove, policy: Policy, post: Post
) -> Answer:
    """Asks the witness at `url`, which held `held` records when last heard of."""
    target = f"{url.rstrip('/')}/{PATH}"
    old = held if held <= head.size else 0
    for _ in range(ATTEMPTS):
        try:
            request = AddCheckpoint(old, tuple(prove(old)), head)
            reply = post(target, request.encode())
            if reply.status == 200:
                return _cosigned(url, head, parse_cosignatures(reply.body), policy)
            if reply.status != 409 or reply.kind.partition(";")[0].strip() != SIZE_TYPE:
                return _refused(url, head, old, reply)
            size = parse_size(reply.body)
        except EvidenceError as error:
            return _wrong(url, head, str(error.facts["finding"]), "an answer", error.message)
        except VeridictError as error:
            return Answer(url, head.size, problem=error.message)
        if size > head.size:
            return _ahead(url, head, size)
        if size == old:  # it holds the size we said: what differs can only be the root
            return _wrong(url, head, "witness.split-view", f"our root of {old} records", "another")
        old = size
    return Answer(url, head.size, problem=f"the size it holds changed {ATTEMPTS} times")


def _cosigned(
    url: str, head: SignedCheckpoint, marks: Sequence[Signature], policy: Policy
) -> Answer:
    """Keeps the cosignatures of known witnesses, each verified; ignores unknown keys."""
    known = [w.verifier for w in policy.witnesses]
    good = tuple(mark for mark in marks if any(v.matches(mark) for v in known))
    if not good:
        names = ", ".join(sorted({mark.name for mark in marks}))[:200]
        return _wrong(url, head, "witness.unknown-key", "a key of the policy", f"keys of {names}")
    for mark in good:
        for verifier in known:
            if verifier.matches(mark):
                verifier.verify(head.note.text, mark)  # raises note.signature
    return Answer(url, head.size, good, held=head.size)


def _refused(url: str, head: SignedCheckpoint, old: int, reply: Reply) -> Answer:
    told = reply.body[:200].decode("utf-8", errors="replace").strip()
    if reply.status == 422 and old:
        expected = f"our history from {old} to {head.size} records"
        return _wrong(url, head, "witness.split-view", expected, told or "a proof that fails")
    return Answer(url, head.size, problem=f"refused with status {reply.status}: {told}")


def _ahead(url: str, head: SignedCheckpoint, size: int) -> Answer:
    """Either a later head of ours came first, or we lost records: the caller knows its size."""
    finding = Finding("log.rolled-back", url, f"at most {head.size} records", f"{size} cosigned")
    return Answer(url, head.size, held=size, finding=finding)


def _wrong(url: str, head: SignedCheckpoint, code: str, expected: str, found: str) -> Answer:
    return Answer(url, head.size, finding=Finding(code, url, expected, found))


@dataclass(slots=True)
class Witnesses:
    """The witnesses of one log; thread-safe. `tell` hears each answer once, when it comes."""

    log: Log
    policy: Policy
    urls: tuple[str, ...]
    post: Post
    wait_s: float = WAIT_S
    tell: Callable[[Answer], None] = lambda _: None
    answers: dict[str, Answer] = field(default_factory=dict)
    _asked: dict[str, Future[None]] = field(default_factory=dict)
    _threads: ThreadPoolExecutor | None = None

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(max(1, len(self.urls)), "witness")

    def collect(self) -> SignedCheckpoint:
        """Sign the log's head, have it cosigned, wait `wait_s` at most; returns what there is.

        Anchoring goes on with it, whether or not the quorum is reached.
        """
        assert self._threads is not None
        head = self.log.checkpoint()
        for url in self.urls:
            asked = self._asked.get(url)
            if asked is not None and not asked.done():
                continue  # still waiting for its answer to an earlier head
            if self._done(url, head):
                continue
            self._asked[url] = self._threads.submit(self._ask, url, head)
        wait(self._asked.values(), timeout=self.wait_s)
        stored = self.log.last_checkpoint()
        return stored if stored is not None and stored.note.text == head.note.text else head

    def collect_due(self, grown: bool) -> SignedCheckpoint | None:
        """`collect`, if the log has `grown` or its last head still lacks the quorum."""
        last = self.log.last_checkpoint()
        lacking = last is not None and (self.log.witnessed() or 0) < last.size
        return self.collect() if grown or lacking else None

    def close(self) -> None:
        """Answers that are on their way are waited for as long as `post` waits."""
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)

    def _done(self, url: str, head: SignedCheckpoint) -> bool:
        answer = self.answers.get(url)
        return answer is not None and bool(answer.cosigned) and answer.size == head.size

    def _ask(self, url: str, head: SignedCheckpoint) -> None:
        before = self.answers.get(url)

        def prove(old: int) -> list[bytes]:
            return self.log.consistency_proof(old, head.size) if old else []

        held = before.held if before else 0
        answer = ask(url, head, held, prove, self.policy, self.post)
        if answer.held > head.size and answer.held <= self.log.size:
            # not lost records: a later head of ours was cosigned while this one waited
            answer = Answer(url, head.size, held=answer.held, problem="holds a later head of ours")
        if answer.cosigned:
            try:
                self.log.put_cosignatures(head, answer.cosigned)
            except VeridictError as error:
                answer = Answer(url, head.size, held=answer.held, problem=error.message)
        self.answers[url] = answer
        self.tell(answer)
