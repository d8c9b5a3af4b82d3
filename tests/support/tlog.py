"""What the tests of witnesses, policies and tiles share: keys made for tests, heads, a policy."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.ledger import make_signer, slow_root
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.cosignature import Cosigner, Kind
from veridict.proofs.note import NoteVerifier, Signer
from veridict.proofs.tlog_policy import Policy

LOG = make_signer()
TIME_S = 1_679_315_147


def cosigner(number: int, kind: Kind = Kind.ED25519, name: str | None = None) -> Cosigner:
    """Keys made for tests and published here: they protect nothing."""
    return Cosigner(name or f"witness.example/w{number}", kind, bytes([number]) * 32)


def bodies(count: int, tag: str = "body") -> list[bytes]:
    return [f"{tag} {number}".encode() for number in range(count)]


def head(entries: Sequence[bytes], signer: Signer = LOG) -> SignedCheckpoint:
    checkpoint = Checkpoint(signer.name, len(entries), slow_root(entries))
    return SignedCheckpoint.sign(checkpoint, signer)


def cosigned(signed: SignedCheckpoint, *cosigners: Cosigner) -> SignedCheckpoint:
    return signed.with_signatures([c.sign(signed.note.text, TIME_S) for c in cosigners])


def policy_text(
    threshold: int,
    witnesses: Sequence[Cosigner],
    urls: Sequence[str] = (),
    log: NoteVerifier | None = None,
) -> str:
    lines = [f"log {(log or LOG.verifier).vkey}"]
    for number, witness in enumerate(witnesses):
        url = f" {urls[number]}" if number < len(urls) else ""
        lines.append(f"witness w{number} {witness.verifier.vkey}{url}")
    names = " ".join(f"w{number}" for number in range(len(witnesses)))
    return "\n".join([*lines, f"group all-of-them {threshold} {names}", "quorum all-of-them", ""])


def policy(threshold: int, witnesses: Sequence[Cosigner]) -> Policy:
    return Policy.parse(policy_text(threshold, witnesses).encode())
