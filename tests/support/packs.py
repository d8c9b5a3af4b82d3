"""Packs taken apart and put together again: as anybody could, or as the keeper with his key."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from veridict.core.nouns import Payload
from veridict.ledger.tiles import TreeEdge
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.merkle import CompactRange, leaf_hashes
from veridict.proofs.note import Signer, Verifier
from veridict.proofs.tlog_tiles import TILE_WIDTH, TilePath, decode_bundle, encode_bundle
from veridict.services.pack import layout, manifest
from veridict.services.pack.archive import Archive, write_archive
from veridict.services.pack.layout import About, State, decode_payloads, open_payload
from veridict.services.pack.reading import Pack
from veridict.services.pack.verifying import Brought, Report, verify_pack

Members = dict[str, bytes]
Alter = Callable[[Members], Members]
Rows = list[tuple[bytes, Payload | None]]
HEAD = layout.LOG + "checkpoint"


def unpacked(path: Path) -> Members:
    with Archive(path) as archive:
        return {name: archive.read(name) or b"" for name in archive.members}


def repacked(members: Members, target: Path, signer: Signer | None = None) -> Path:
    """The keeper signs what he packs anew; anybody else leaves digests and signature as they were.

    Members keep their order, new ones come last but for digests and signature.
    """
    inner = {n: d for n, d in members.items() if n not in (layout.SUMS, layout.STATEMENT)}
    outer = {n: members[n] for n in (layout.SUMS, layout.STATEMENT) if n in members}
    if signer is not None:
        inner = dict(sorted(inner.items()))
        sums = manifest.encode_sums([(n, sha256(d).hexdigest()) for n, d in inner.items()])
        outer = {layout.SUMS: sums, layout.STATEMENT: manifest.sign(signer, sums)}
    write_archive(target, [*inner.items(), *outer.items()])
    return target


def about_of(members: Members) -> About:
    return About.decode(members[layout.ABOUT])


def rows_in(members: Members) -> Rows:
    """Bodies and open payloads, as the bundles hold them."""
    rows: Rows = []
    size = about_of(members).size
    for n in range(-(-size // TILE_WIDTH)):
        width = min(TILE_WIDTH, size - n * TILE_WIDTH)
        bodies = decode_bundle(members[layout.LOG + TilePath(None, n, width).text], width)
        states = decode_payloads(members[layout.bundle_name(n)], width)
        for body, state in zip(bodies, states, strict=True):
            rows.append((body, open_payload(state) if isinstance(state, bytes) else None))
    return rows


def with_rows(members: Members, rows: Rows, signer: Signer, sizes: Sequence[int] = ()) -> Members:
    """A whole new log of `rows`, in order and signed: heads at `sizes` and of all."""
    kept = {
        name: data
        for name, data in members.items()
        if not name.startswith((layout.LOG, layout.CHECKPOINTS, layout.PAYLOADS))
    }
    bodies = [body for body, _ in rows]
    heads = [signed_head(bodies[:size], signer) for size in (*sizes, len(rows))]
    about = about_of(members)
    told = About(
        about.format, signer.name, signer.verifier.vkey, about.operator, len(rows),
        (0, len(rows)), about.home, about.since, about.places, about.guards,
    )  # fmt: skip
    return {
        **kept,
        layout.ABOUT: told.encode(),
        HEAD: heads[-1].text.encode(),
        **{layout.checkpoint_name(n): head.text.encode() for n, head in enumerate(heads)},
        **tree_members(bodies),
        **payload_members(rows),
    }


def signed_head(bodies: Sequence[bytes], signer: Signer) -> SignedCheckpoint:
    tree = CompactRange()
    tree.extend(leaf_hashes(bodies))
    return SignedCheckpoint.sign(Checkpoint(signer.name, len(bodies), tree.root()), signer)


def tree_members(bodies: Sequence[bytes]) -> Members:
    """Bundles and tiles of these bodies."""
    found: Members = {}
    edge, tiles = TreeEdge().extended(leaf_hashes(bodies))
    for tile in [*(t for t in tiles if t.middle), *edge.tiles()]:
        path = TilePath(tile.level, tile.n, len(tile.hashes) // 32)
        found[layout.LOG + path.text] = tile.hashes
    for start in range(0, len(bodies), TILE_WIDTH):
        some = list(bodies[start : start + TILE_WIDTH])
        path = TilePath(None, start // TILE_WIDTH, len(some))
        found[layout.LOG + path.text] = encode_bundle(some)
    return found


def payload_members(rows: Rows) -> Members:
    return {
        layout.bundle_name(start // TILE_WIDTH): layout.encode_payloads(
            [State.NONE if p is None else p for _, p in rows[start : start + TILE_WIDTH]]
        )
        for start in range(0, len(rows), TILE_WIDTH)
    }


def verified(source: Path | BinaryIO, brought: Brought) -> Report:
    with Pack(source) as pack:
        return verify_pack(pack, brought)


def codes(report: Report) -> set[str]:
    return {finding.code for answer in report.answers for finding in answer.findings}


def trusting(key: Verifier) -> Brought:
    """An auditor who knows the log's key and nothing else."""
    return Brought(keys=(key,))


# -- one change each ---------------------------------------------------------------------------


def put(name: str, data: bytes) -> Alter:
    return lambda members: {**members, name: data}


def flipped(name: str, at: int) -> Alter:
    def alter(members: Members) -> Members:
        data = bytearray(members[name])
        data[at] ^= 1
        return {**members, name: bytes(data)}

    return alter


def without(name: str) -> Alter:
    return lambda members: {n: d for n, d in members.items() if n != name}


def about(**changed: Any) -> Alter:
    def alter(members: Members) -> Members:
        told_of = msgspec.structs.replace(about_of(members), **changed)
        return {**members, layout.ABOUT: told_of.encode()}

    return alter


def anchors(**changed: Any) -> Alter:
    def alter(members: Members) -> Members:
        notes = msgspec.json.decode(members[layout.ANCHORS])
        notes[-1].update(changed)
        text = json.dumps(notes, sort_keys=True, separators=(",", ":"))
        return {**members, layout.ANCHORS: text.encode() + b"\n"}

    return alter
