"""What the log's tests share: a signer, entries, and a slow tree written straight from the RFC."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from veridict.core.nouns import Anchor, Decision, Payload, PredictionRecord, Request
from veridict.ledger.entry import Entry
from veridict.privacy.vault import FileVault
from veridict.proofs.note import Signer

# A key made for tests and published here: it protects nothing.
TEST_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"


def make_signer() -> Signer:
    return Signer.from_skey(TEST_SKEY)


def make_vault(directory: Path) -> FileVault:
    """The vault of a log in `directory`, which closes it."""
    return FileVault(directory / "vault")


def make_payload(name: str) -> Payload:
    request = Request(name, f"subject of {name}", 1_500_000_000, b'{"amount":"12.30"}')
    return Payload(request, b"r" * 32, b"\x01\x02\x03\x04\x05\x06\x07\x08", b"i" * 32)


def make_entry(name: str) -> Entry:
    return Entry(b"body of " + name.encode(), make_payload(name))


def make_prediction(name: str) -> Entry:
    """A prediction that nobody computed; `name` stands behind its request's hash."""
    model, request, inputs = (sha256(f"{part} {name}".encode()).digest() for part in "mri")
    record = PredictionRecord(Decision.ALLOW, (0, 1, 2), 0, 1_500, -1, model, request, inputs)
    return Entry(record.encode(), make_payload(name))


def make_anchor(size: int, *, block: int = 10, chain_id: int = 1) -> Anchor:
    return Anchor(
        chain_id, "0x" + "11" * 20, b"\x07" * 32, size, b"\x08" * 32, 1_500_000_000,
        "0x" + "aa" * 32, block, f"0x{block:064x}",
    )  # fmt: skip


def slow_root(bodies: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, by its recursive definition."""
    if not bodies:
        return sha256(b"").digest()
    if len(bodies) == 1:
        return sha256(b"\x00" + bodies[0]).digest()
    k = _split(len(bodies))
    return sha256(b"\x01" + slow_root(bodies[:k]) + slow_root(bodies[k:])).digest()


def slow_inclusion(index: int, bodies: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    if len(bodies) == 1:
        return []
    k = _split(len(bodies))
    if index < k:
        return [*slow_inclusion(index, bodies[:k]), slow_root(bodies[k:])]
    return [*slow_inclusion(index - k, bodies[k:]), slow_root(bodies[:k])]


def slow_consistency(size: int, bodies: Sequence[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2; PROOF where `known`."""
    if size == len(bodies):
        return [] if known else [slow_root(bodies)]
    k = _split(len(bodies))
    if size <= k:
        return [*slow_consistency(size, bodies[:k], known), slow_root(bodies[k:])]
    return [*slow_consistency(size - k, bodies[k:], False), slow_root(bodies[:k])]


def _split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k
