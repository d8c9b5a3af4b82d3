"""The chain's SQLite file: EVM nodes, blocks, transactions with their results, logs.

One transaction a block, WAL with synchronous=FULL: when `commit` returns, the
block survives a power cut. Readers use their own connections and never wait.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from veridict.chain.embedded.executor import Block, Executed
from veridict.core.errors import StorageFailed

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nodes (key BLOB PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS blocks (
  number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, parent_hash BLOB NOT NULL,
  coinbase BLOB NOT NULL, state_root BLOB NOT NULL, transactions_root BLOB NOT NULL,
  receipts_root BLOB NOT NULL, bloom BLOB NOT NULL, gas_limit INTEGER NOT NULL,
  gas_used INTEGER NOT NULL, timestamp_s INTEGER NOT NULL, base_fee INTEGER NOT NULL,
  header BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS transactions (
  block INTEGER NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE,
  sender BLOB NOT NULL, raw BLOB NOT NULL, status INTEGER NOT NULL, gas_used INTEGER NOT NULL,
  gas_total INTEGER NOT NULL, gas_price TEXT NOT NULL, contract BLOB, first_log INTEGER NOT NULL,
  PRIMARY KEY (block, position));
CREATE TABLE IF NOT EXISTS logs (
  block INTEGER NOT NULL, log INTEGER NOT NULL, position INTEGER NOT NULL,
  address BLOB NOT NULL, topic0 BLOB, topic1 BLOB, topic2 BLOB, topic3 BLOB, data BLOB NOT NULL,
  PRIMARY KEY (block, log));
CREATE INDEX IF NOT EXISTS logs_by_address ON logs (address, topic0, block, log);
CREATE INDEX IF NOT EXISTS logs_by_topic ON logs (topic0, block, log);
"""

_TRANSACTION = (
    "SELECT block, position, hash, sender, raw, status, gas_used, gas_total, gas_price, contract,"
    " first_log FROM transactions "
)


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """One transaction with its result; `gas_total` is cumulative in its block."""

    block: int
    position: int
    hash: bytes
    sender: bytes
    raw: bytes
    status: int
    gas_used: int
    gas_total: int
    gas_price: int
    contract: bytes | None
    first_log: int


@dataclass(frozen=True, slots=True)
class StoredLog:
    block: int
    log: int
    position: int
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    transaction: bytes
    block_hash: bytes
    timestamp_s: int


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Logs of blocks `first`..`last`. An empty tuple matches anything, as a filter of eth_getLogs.

    `topics[i]` lists the values allowed in position i.
    """

    first: int
    last: int
    addresses: tuple[bytes, ...] = ()
    topics: tuple[tuple[bytes, ...], ...] = ()


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """SQLite's failures as StorageFailed."""
    try:
        yield
    except sqlite3.Error as error:
        raise StorageFailed(
            f"the chain's file fails: {error}",
            remedy="free disk space and check the permissions of the file, then start again; "
            "everything acknowledged is still there",
            path=str(path),
        ) from error


class Store:
    """One writer (callers take turns by themselves), any number of readers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False
        with storage_errors(path):
            self._write = self._connect()
            self._write.executescript(_SCHEMA)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=30
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def close(self) -> None:
        self._closed = True
        with storage_errors(self.path):
            while self._idle:
                self._idle.pop().close()
            self._write.close()

    # -- writing ---------------------------------------------------------------

    def commit(
        self, block: Block, executed: Sequence[Executed], nodes: Sequence[tuple[bytes, bytes]]
    ) -> None:
        """Durable when it returns; on StorageFailed nothing of the block is stored."""
        with storage_errors(self.path):
            self._write.execute("BEGIN IMMEDIATE")
            try:
                self._insert(block, executed, nodes)
                self._write.execute("COMMIT")
            except BaseException:
                if self._write.in_transaction:
                    self._write.execute("ROLLBACK")
                raise

    def _insert(
        self, block: Block, executed: Sequence[Executed], nodes: Sequence[tuple[bytes, bytes]]
    ) -> None:
        write = self._write
        write.executemany("INSERT OR IGNORE INTO nodes VALUES (?, ?)", nodes)
        write.execute(f"INSERT INTO blocks VALUES ({', '.join('?' * 13)})", _block_row(block))
        gas_total = first_log = 0
        transactions: list[tuple[object, ...]] = []
        logs: list[tuple[object, ...]] = []
        for position, done in enumerate(executed):
            gas_total += done.gas_used
            transactions.append(
                (block.number, position, done.transaction.hash, done.transaction.sender,
                 done.transaction.raw, done.status, done.gas_used, gas_total,
                 str(done.gas_price), done.contract, first_log)
            )  # fmt: skip
            for log in done.logs:
                topics = (*log.topics, None, None, None, None)[:4]
                logs.append((block.number, len(logs), position, log.address, *topics, log.data))
            first_log = len(logs)
        write.executemany(f"INSERT INTO transactions VALUES ({', '.join('?' * 11)})", transactions)
        write.executemany(f"INSERT INTO logs VALUES ({', '.join('?' * 9)})", logs)

    def put_meta(self, key: str, value: str) -> None:
        with storage_errors(self.path):
            self._write.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # -- reading ---------------------------------------------------------------

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with storage_errors(self.path):
            if self._closed:
                raise sqlite3.ProgrammingError("the chain is closed")
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect()
            try:
                yield connection
            finally:
                self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    def node(self, key: bytes) -> bytes | None:
        with self._reader() as read:
            row = read.execute("SELECT value FROM nodes WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def meta(self, key: str) -> str | None:
        with self._reader() as read:
            row = read.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def head(self) -> Block | None:
        return self._block("ORDER BY number DESC LIMIT 1", ())

    def block(self, number: int) -> Block | None:
        return self._block("WHERE number = ?", (number,))

    def block_by_hash(self, block_hash: bytes) -> Block | None:
        return self._block("WHERE hash = ?", (block_hash,))

    def _block(self, where: str, values: tuple[object, ...]) -> Block | None:
        with self._reader() as read:
            row = read.execute(f"SELECT * FROM blocks {where}", values).fetchone()
        if row is None:
            return None
        fields = [*row[:7], int.from_bytes(row[7], "big"), *row[8:]]
        return Block(*fields)

    def transaction(self, tx_hash: bytes) -> StoredTransaction | None:
        with self._reader() as read:
            row = read.execute(_TRANSACTION + "WHERE hash = ?", (tx_hash,)).fetchone()
        return None if row is None else _stored_transaction(row)

    def transactions(self, block: int) -> list[StoredTransaction]:
        with self._reader() as read:
            rows = read.execute(_TRANSACTION + "WHERE block = ? ORDER BY position", (block,))
            return [_stored_transaction(row) for row in rows]

    def logs(self, query: LogQuery, *, position: int | None = None) -> list[StoredLog]:
        where, values = _log_conditions(query)
        if position is not None:
            where, values = f"{where} AND l.position = ?", [*values, position]
        sql = (
            "SELECT l.block, l.log, l.position, l.address, l.topic0, l.topic1, l.topic2, l.topic3,"
            " l.data, t.hash, b.hash, b.timestamp_s FROM logs l"
            " JOIN transactions t ON t.block = l.block AND t.position = l.position"
            f" JOIN blocks b ON b.number = l.block WHERE {where} ORDER BY l.block, l.log"
        )
        with self._reader() as read:
            return [_stored_log(row) for row in read.execute(sql, values)]


def _block_row(block: Block) -> tuple[object, ...]:
    return (
        block.number, block.hash, block.parent_hash, block.coinbase, block.state_root,
        block.transactions_root, block.receipts_root, block.bloom.to_bytes(256, "big"),
        block.gas_limit, block.gas_used, block.timestamp_s, block.base_fee, block.header,
    )  # fmt: skip


def _stored_transaction(row: tuple[object, ...]) -> StoredTransaction:
    values = list(row)
    values[8] = int(str(values[8]))  # gas price: wei do not fit SQLite's 63 bits
    return StoredTransaction(*values)  # type: ignore[arg-type]


def _stored_log(row: tuple[object, ...]) -> StoredLog:
    topics = tuple(topic for topic in row[4:8] if topic is not None)
    values = [*row[:4], topics, *row[8:]]
    return StoredLog(*values)  # type: ignore[arg-type]


def _log_conditions(query: LogQuery) -> tuple[str, list[object]]:
    conditions = ["l.block BETWEEN ? AND ?"]
    values: list[object] = [query.first, query.last]
    if query.addresses:
        conditions.append(f"l.address IN ({', '.join('?' * len(query.addresses))})")
        values += query.addresses
    for place, allowed in enumerate(query.topics):
        if allowed:
            conditions.append(f"l.topic{place} IN ({', '.join('?' * len(allowed))})")
            values += allowed
        else:  # a longer filter matches only logs with that many topics
            conditions.append(f"l.topic{place} IS NOT NULL")
    return " AND ".join(conditions), values
