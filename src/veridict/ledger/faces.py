"""A log as the files that https://c2sp.org/tlog-tiles names: one function for disk and HTTP.

Only what the last checkpoint covers is shown, so whoever reads a file can also prove it.
Payloads are never part of it: the files hold the records' bodies and the tree.
"""

from __future__ import annotations

from veridict.core.errors import EvidenceError, Refused
from veridict.ledger.view import LogView
from veridict.proofs.checkpoint import SignedCheckpoint
from veridict.proofs.merkle import HASH_BYTES
from veridict.proofs.tlog_policy import Policy
from veridict.proofs.tlog_proof import TlogProof
from veridict.proofs.tlog_tiles import TILE_WIDTH, TilePath, encode_bundle, width_of


class LogFiles:
    """Reads of one log, open for writing or not; thread-safe."""

    def __init__(self, log: LogView) -> None:
        self._log = log

    def checkpoint(self) -> SignedCheckpoint | None:
        """The log's head with the cosignatures it has; None before the first."""
        return self._log.last_checkpoint()

    def tile(self, path: TilePath) -> bytes | None:
        """The file at `path`, None where no checkpoint needs it. Raises EvidenceError.

        Partial tiles are served for every size that was, as long as the log is there.
        """
        head = self.checkpoint()
        if head is None or path.width > width_of(path, head.size):
            return None
        return tile_bytes(self._log, path)


def proof_of(log: LogView, index: int, policy: Policy | None = None) -> TlogProof:
    """The `.tlog-proof` of record `index`, which it carries in `extra`.

    Under the newest checkpoint that `policy` is satisfied with, else the newest at all. Raises
    Refused where no checkpoint covers the record yet, NotFound where there is none.
    """
    body = log.body(index)
    covering = [head for head in log.checkpoints() if head.size > index]
    if not covering:
        raise Refused(
            f"no checkpoint covers record {index} yet",
            remedy="wait for the next one, or anchor now: `veridict chain anchor`",
            reason="no checkpoint",
            index=index,
        )
    trusted = (head for head in reversed(covering) if policy and policy.satisfied(head))
    head = next(trusted, covering[-1])
    return TlogProof(index, tuple(log.inclusion_proof(index, head.size)), head, body)


def tile_bytes(log: LogView, path: TilePath) -> bytes:
    """Raises EvidenceError ("tile.missing", "record.missing") where the log was damaged."""
    if path.level is None:
        start = path.n * TILE_WIDTH
        return encode_bundle(list(log.bodies(start, start + path.width)))
    tile = log.tile(path.level, path.n)
    wanted = path.width * HASH_BYTES
    if tile is None or len(tile.hashes) < wanted:
        raise EvidenceError(
            f"{path.text} is gone from the log",
            remedy="put back a backup and audit it",
            finding="tile.missing",
            path=path.text,
        )
    return tile.hashes[:wanted]
