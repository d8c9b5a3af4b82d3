"""`add-checkpoint` of https://c2sp.org/tlog-witness: the checks in the order of the text.

1  the request is well-formed                                   else 400
2  its origin is a log this witness knows                       else 404
3  a key known for that log signed it, and none falsely         else 403
4  the old size is not above the checkpoint's                   else 400
5  the old size is that of the head cosigned last               else 409 and that size
6  at the same size, the root is the same                       else 409 and that size
7  the consistency proof leads from that head to this one       else 422
8  the new head is stored, durably; then it is cosigned              200
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from veridict.core.errors import BadInput, EvidenceError
from veridict.core.ports import Clock
from veridict.proofs.add_checkpoint import (
    SIZE_TYPE,
    AddCheckpoint,
    Reply,
    encode_cosignatures,
    encode_size,
)
from veridict.proofs.cosignature import Cosigner, signed_message
from veridict.proofs.merkle import verify_consistency
from veridict.proofs.note import NoteVerifier, verify_note
from veridict.services.witness.store import Evidence, Held, WitnessStore

Logs = Mapping[str, Sequence[NoteVerifier]]


def known_logs(verifiers: Iterable[NoteVerifier]) -> Logs:
    """The keys by origin, which is a log key's name. Raises BadInput for none."""
    logs: dict[str, list[NoteVerifier]] = {}
    for verifier in verifiers:
        logs.setdefault(verifier.name, []).append(verifier)
    if not logs:
        raise BadInput(
            "a witness of no log has nothing to do",
            remedy="name the logs by their verifier keys, as `veridict log keys` prints them",
        )
    return logs


class _Refusal(Exception):
    """Ends the request with `status`; `held` where the answer is the size held."""

    def __init__(self, status: int, finding: str, why: str, held: Held | None = None) -> None:
        super().__init__(why)
        self.status, self.finding, self.held = status, finding, held


class WitnessDesk:
    """Answers requests; thread-safe as its store is."""

    def __init__(
        self, store: WitnessStore, cosigners: Sequence[Cosigner], logs: Logs, clock: Clock
    ) -> None:
        self._store = store
        self._cosigners = cosigners
        self._logs = logs
        self._clock = clock

    def add_checkpoint(self, body: bytes) -> Reply:
        """The answer to one request. Raises StorageFailed, and then nothing was cosigned."""
        try:
            return self._cosign(body)
        except _Refusal as refusal:
            if refusal.status == 409 and refusal.held is not None:
                return Reply(409, SIZE_TYPE, encode_size(refusal.held.size))
            text = f"{refusal.finding}: {refusal}\n"
            return Reply(refusal.status, "text/plain; charset=utf-8", text.encode())

    def _cosign(self, body: bytes) -> Reply:
        request = self._parsed(body)  # 1
        signed = request.checkpoint
        origin = signed.checkpoint.origin
        keys = self._logs.get(origin)
        if keys is None:  # 2
            raise _Refusal(404, "witness.unknown-log", f"{origin!r} is not known here")
        try:
            verify_note(signed.note, keys)  # 3
        except EvidenceError as error:
            raise _Refusal(403, "witness.wrong-key", error.message) from error
        if request.old_size > signed.size:  # 4
            raise _Refusal(
                400, "witness.order", f"old size {request.old_size} is above {signed.size}"
            )
        able = self._able(signed.note.text)

        def check(held: Held) -> None:
            _check_extends(request, held)  # 5, 6, 7

        try:
            self._store.advance(origin, signed, check)  # 8
        except _Refusal as refusal:
            if refusal.held is not None and refusal.finding != "witness.stale":
                self._store.convict(
                    Evidence(origin, refusal.finding, self._clock(), refusal.held.note, signed.text)
                )
            raise
        now_s = self._clock() // 1000
        marks = [cosigner.sign(signed.note.text, now_s) for cosigner in able]
        return Reply(200, "text/plain; charset=utf-8", encode_cosignatures(marks))

    def _parsed(self, body: bytes) -> AddCheckpoint:
        try:
            return AddCheckpoint.parse(body)
        except EvidenceError as error:
            raise _Refusal(400, str(error.facts["finding"]), error.message) from error

    def _able(self, text: str) -> list[Cosigner]:
        """Those that can sign this text: ML-DSA-44 covers no extension lines."""
        able: list[Cosigner] = []
        for cosigner in self._cosigners:
            with suppress(EvidenceError):
                signed_message(cosigner.verifier.kind, cosigner.name, 0, text)
                able.append(cosigner)
        if not able:
            raise _Refusal(400, "witness.extensions", "extension lines cannot be cosigned here")
        return able


def _check_extends(request: AddCheckpoint, held: Held) -> None:
    head = request.checkpoint
    if request.old_size != held.size:  # 5
        raise _Refusal(409, "witness.stale", f"the last size is {held.size}", held)
    if head.size == held.size and head.root != held.root:  # 6
        raise _Refusal(409, "witness.split-view", "another root at the same size", held)
    try:  # 7
        if held.size == 0:
            if request.proof:
                raise _Refusal(422, "witness.proof", "from size 0 the proof is empty")
            return
        verify_consistency(held.size, head.size, held.root, head.root, request.proof)
    except EvidenceError as error:
        raise _Refusal(422, "witness.split-view", error.message, held) from error
