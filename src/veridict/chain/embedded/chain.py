"""A real Ethereum chain in the process: open it on a directory, talk JSON-RPC to it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from lru import LRU

from veridict.chain.addresses import address_bytes
from veridict.chain.embedded.executor import Block, Executor, Sealed
from veridict.chain.embedded.kv import CACHED_NODES, NodeReader, NodeWriter
from veridict.chain.embedded.miner import Miner
from veridict.chain.embedded.pyevm import PyEvm
from veridict.chain.embedded.rpc import answer_batch, answer_one
from veridict.chain.embedded.server import RpcServer
from veridict.chain.embedded.store import Store
from veridict.core.clock import wall_clock_ms
from veridict.core.errors import NodeRunning, StorageFailed, WrongChain
from veridict.core.ports import Clock

GAS_LIMIT = 60_000_000  # Ethereum mainnet's since 2025
FILE_NAME, LOCK_NAME = "chain.sqlite", "chain.lock"


class EmbeddedChain:
    """See `core.ports.Rpc`. Safe for use from many threads; close it, or use `with`."""

    def __init__(self, directory: Path, chain_id: int, lock: IO[str], clock: Clock) -> None:
        """Use `open`."""
        self.chain_id = chain_id
        self.directory = directory
        self.store = Store(directory / FILE_NAME)
        self._lock = lock
        self._clock = clock
        cache: LRU[bytes, bytes] = LRU(CACHED_NODES)
        self._nodes = NodeWriter(self.store, cache)
        self.executor: Executor = PyEvm(
            self._nodes, NodeReader(self.store, cache), chain_id=chain_id
        )
        self.miner = Miner(self.executor, lambda: self.head, self.now_s, self._commit)
        self._server: RpcServer | None = None
        self._head: Block | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        chain_id: int,
        genesis_accounts: Mapping[str, int],
        clock: Clock = wall_clock_ms,
    ) -> EmbeddedChain:
        """Opens the chain in directory `path`, or begins one whose accounts hold these wei.

        `genesis_accounts` matters for a new chain only. Raises NodeRunning if another
        process has it open, WrongChain if it was begun under another id, StorageFailed.
        """
        lock = _take_lock(path)
        chain = None
        try:
            chain = cls(path, chain_id, lock, clock)
            chain._begin_or_resume(genesis_accounts)
        except BaseException:
            if chain is not None:
                chain.store.close()
            lock.close()
            raise
        return chain

    def _begin_or_resume(self, genesis_accounts: Mapping[str, int]) -> None:
        self._head = self.store.head()
        if self._head is None:
            balances = {address_bytes(a): wei for a, wei in genesis_accounts.items()}
            self.store.put_meta("chain_id", str(self.chain_id))
            block = self.executor.genesis(balances, self.now_s(), GAS_LIMIT)
            self._commit(Sealed(block, (), (), ()))
        stored = self.store.meta("chain_id")
        if stored != str(self.chain_id):
            raise WrongChain(
                f"the chain in {self.directory} has id {stored}, not {self.chain_id}",
                remedy="use the id it was begun with, or another data directory",
                found=stored,
                expected=self.chain_id,
            )

    # -- what the RPC methods need -----------------------------------------------

    @property
    def head(self) -> Block:
        assert self._head is not None  # set before `open` returns
        return self._head

    def now_s(self) -> int:
        return self._clock() // 1000

    def _commit(self, sealed: Sealed) -> None:
        """Makes a sealed block durable and the head, or leaves everything as it was."""
        empty_for_nothing = bool(sealed.refused) and not sealed.executed
        if empty_for_nothing:
            self._nodes.drop()
            return
        try:
            self.store.commit(sealed.block, sealed.executed, self._nodes.pending())
        except BaseException:
            self._nodes.drop()
            raise
        self._nodes.committed()
        self._head = sealed.block

    # -- the public face -----------------------------------------------------------

    def call(self, method: str, params: Sequence[Any]) -> Any:
        return answer_one(self, method, params)

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        return answer_batch(self, calls)

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Starts JSON-RPC over HTTP on a loopback address; returns its URL. 0: any free port."""
        if self._server is None:
            self._server = RpcServer(self, host, port)
        return self._server.url

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.miner.stop()
        self.store.close()
        self._lock.close()

    def __enter__(self) -> EmbeddedChain:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _take_lock(directory: Path) -> IO[str]:
    """Held until the file is closed, also by a killed process."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / LOCK_NAME).open("a+", encoding="ascii")
    except OSError as error:
        raise StorageFailed(
            f"cannot use {directory}: {error}",
            remedy="choose a data directory that you may write to",
            path=str(directory),
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise NodeRunning(
            f"another process (pid {owner}) has the chain in {directory} open",
            remedy="stop it, or talk to it over its JSON-RPC address",
            pid=owner,
            path=str(directory),
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
