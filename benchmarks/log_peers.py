"""What the log is measured against: plain inserts, which are the limit, and pymerkle.

pymerkle is no dependency (its licence is the GPL): where it is not installed, its figures
are missing.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from time import perf_counter

PLAIN = "plain SQLite inserts, 1,024 a transaction"
PYMERKLE = "pymerkle, its SQLite tree"
PROOFS = 20  # each hashes the whole tree


def plain_per_s(bodies: Sequence[bytes], turns: int) -> float:
    """The same rows without tree, queue or acknowledgements, `len(bodies)` a transaction."""
    with (
        tempfile.TemporaryDirectory() as directory,
        closing(sqlite3.connect(Path(directory) / "plain.sqlite", isolation_level=None)) as db,
    ):
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE record (idx INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        start = perf_counter()
        for _ in range(turns):
            db.execute("BEGIN")
            db.executemany("INSERT INTO record (body) VALUES (?)", ((body,) for body in bodies))
            db.execute("COMMIT")
        return len(bodies) * turns / (perf_counter() - start)


def pymerkle(bodies: Sequence[bytes], batches: int) -> tuple[float, float] | None:
    """Records a second in batches like ours, and µs a proof at our size; None without it."""
    try:
        tree_of = import_module("pymerkle").SqliteTree
    except ImportError:
        return None
    chance = random.Random(1)
    with (
        tempfile.TemporaryDirectory() as directory,
        tree_of(str(Path(directory) / "peer.sqlite")) as tree,
    ):
        start = perf_counter()
        for _ in range(batches):
            tree.append_entries(bodies)
        per_s = len(bodies) * batches / (perf_counter() - start)
        places = [chance.randrange(len(bodies) * batches) + 1 for _ in range(PROOFS)]
        start = perf_counter()
        for place in places:
            tree.prove_inclusion(place)
        return per_s, (perf_counter() - start) / PROOFS * 1e6
