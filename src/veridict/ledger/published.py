"""A published log as a stranger reads it: from a folder or a URL alone, believing nothing else.

`fetch(path)` returns a file's bytes or None; `trust(checkpoint)` holds it to keys and witnesses
that the reader chose, as `Policy.verify` does. Every answer is proved against that checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from veridict.core.errors import EvidenceError, NotFound
from veridict.core.nouns import Finding
from veridict.ledger.tiles import Tile, TileNodes, TreeEdge
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.merkle import (
    HASH_BYTES,
    CompactRange,
    leaf_hash,
    leaf_hashes,
    verify_consistency,
    verify_inclusion,
)
from veridict.proofs.prover import consistency_proof, inclusion_proof
from veridict.proofs.tlog_tiles import (
    CHECKPOINT,
    TILE_WIDTH,
    TilePath,
    decode_bundle,
    width_of,
)

Fetch = Callable[[str], bytes | None]
Trust = Callable[[SignedCheckpoint], Checkpoint]


class PublishedLog:
    """One head of a published log. Raises EvidenceError unless its checkpoint is trusted."""

    def __init__(self, fetch: Fetch, trust: Trust) -> None:
        self._fetch = fetch
        data = fetch(CHECKPOINT)
        if data is None:
            raise NotFound(
                "no checkpoint is published there",
                remedy="name the folder or URL that holds `checkpoint` and `tile/`",
            )
        self.signed = SignedCheckpoint(data.decode("utf-8", errors="replace"))
        self.head = trust(self.signed)
        self._nodes = TileNodes(self._tile)

    def entry(self, index: int) -> bytes:
        """The record at `index`, proved. Raises NotFound, EvidenceError."""
        self._check(index)
        n, at = divmod(index, TILE_WIDTH)
        body = self._bundle(n)[at]
        self.prove(index, leaf_hash(body))
        return body

    def prove(self, index: int, leaf: bytes) -> list[bytes]:
        """The inclusion path of the leaf with hash `leaf`, verified. Raises as `entry`."""
        self._check(index)
        path = inclusion_proof(index, self.head.size, self._nodes)
        verify_inclusion(index, self.head.size, leaf, path, self.head.root)
        return path

    def extends(self, known: Checkpoint) -> list[bytes]:
        """The proof that this head extends one seen before, verified.

        Raises EvidenceError: "log.rolled-back" where this head is the smaller one,
        "log.split-view" where neither extends the other.
        """
        where = f"published checkpoint of {self.head.size}"
        if known.origin != self.head.origin:
            raise _finding("checkpoint.origin", f"{where} is of another log than the one known")
        if known.size > self.head.size:
            raise _finding("log.rolled-back", f"{where} is smaller than one of {known.size}")
        if known.size == 0:
            return []
        proof = consistency_proof(known.size, self.head.size, self._nodes)
        try:
            verify_consistency(known.size, self.head.size, known.root, self.head.root, proof)
        except EvidenceError as error:
            raise _finding(
                "log.split-view", f"{where} does not extend the one of {known.size}"
            ) from error
        return proof

    def check(self) -> list[Finding]:
        """Replays everything: entries against leaves, leaves against tiles, tiles against the head.

        One finding a defect, in the order of the log; none where all is sound.
        """
        findings: list[Finding] = []
        edge, tree = CompactRange(), TreeEdge()
        for leaves in self._leaves(findings):
            edge.extend(leaves)
            tree, made = tree.extended(leaves)
            findings += self._compare(tile for tile in made if tile.middle)
        findings += self._compare(tree.tiles())
        if edge.root() != self.head.root:
            found = edge.root().hex()
            where = f"checkpoint of {self.head.size}"
            findings.append(Finding("log.forked", where, self.head.root.hex(), found))
        return findings

    def _leaves(self, findings: list[Finding]) -> Iterator[list[bytes]]:
        """Leaf hashes, a bundle at a time; the tile's own where a bundle is no good."""
        for n in range((self.head.size + TILE_WIDTH - 1) // TILE_WIDTH):
            where = f"bundle {n}"
            try:
                made = leaf_hashes(self._bundle(n))
            except EvidenceError as error:
                finding = str(error.facts["finding"])
                findings.append(Finding(finding, where, "its entries", error.message))
                made = []
            try:
                row = self._tile(0, n).hashes
            except EvidenceError:
                row = b""  # named with the tiles
            told = [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]
            if made and told and made != told:
                at = next(i for i, leaf in enumerate(told) if leaf != made[i])
                index = n * TILE_WIDTH + at
                if self._stands(index, told[at]):
                    findings.append(
                        Finding("record.altered", f"record {index}", told[at].hex(), made[at].hex())
                    )
                else:
                    told = made  # the entries are right: the tile is named with the tiles
            width = width_of(TilePath(0, n), self.head.size)
            yield told or made or [bytes(HASH_BYTES)] * width

    def _stands(self, index: int, leaf: bytes) -> bool:
        try:
            self.prove(index, leaf)
        except EvidenceError:
            return False
        return True

    def _compare(self, made: Iterable[Tile]) -> Iterator[Finding]:
        for tile in made:
            where = f"tile {tile.n} of level {tile.level}"
            try:
                found = self._tile(tile.level, tile.n).hashes
            except EvidenceError as error:
                finding = str(error.facts["finding"])
                yield Finding(finding, where, f"{len(tile.hashes)} bytes", error.message)
                continue
            if found != tile.hashes:
                yield Finding("tile.altered", where, "what its leaves make", found[:32].hex())

    def _bundle(self, n: int) -> list[bytes]:
        path, data = self._file(None, n)
        entries = decode_bundle(data, path.width)
        return entries[: width_of(path, self.head.size)]

    def _tile(self, level: int, n: int) -> Tile:
        path, data = self._file(level, n)
        if len(data) != path.width * HASH_BYTES:
            raise _finding("tile.malformed", f"{path.text} has {len(data)} bytes")
        width = width_of(path, self.head.size)
        return Tile(level, n, data[: width * HASH_BYTES], None)

    def _file(self, level: int | None, n: int) -> tuple[TilePath, bytes]:
        """The tile as wide as the head needs it, or the full one that replaced it since."""
        path = TilePath(level, n, width_of(TilePath(level, n), self.head.size))
        data = self._fetch(path.text)
        if data is None and path.width < TILE_WIDTH:
            path = TilePath(level, n)
            data = self._fetch(path.text)
        if data is None:
            sort = "bundle" if level is None else "tile"
            raise _finding(f"{sort}.missing", f"{path.text} is not published")
        return path, data

    def _check(self, index: int) -> None:
        if not 0 <= index < self.head.size:
            raise NotFound(
                f"there is no record {index} under the published checkpoint",
                remedy=f"it covers {self.head.size} records",
                index=index,
            )


def _finding(code: str, message: str) -> EvidenceError:
    return EvidenceError(
        message,
        remedy="do not trust this copy; ask the log's keeper and its witnesses",
        finding=code,
    )
