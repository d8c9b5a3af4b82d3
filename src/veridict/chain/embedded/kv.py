"""The EVM's key-value store (trie nodes, code, headers) as py-evm wants it, over the chain's store.

Values are content-addressed and never deleted, so that a reader of an older
state root is never disturbed by the writer.
"""

from __future__ import annotations

from typing import Protocol

from eth.db.backends.base import BaseDB
from lru import LRU

CACHED_NODES = 50_000  # some 15-25 MB; the upper trie levels of any state fit


class NodeSource(Protocol):
    """Where committed nodes are read from."""

    def node(self, key: bytes) -> bytes | None: ...


class NodeReader(BaseDB):
    """Read-only view of what is committed; for calls, from any thread."""

    def __init__(self, source: NodeSource, cache: LRU[bytes, bytes]) -> None:
        self._source = source
        self._cache = cache

    def __getitem__(self, key: bytes) -> bytes:
        found = self._cache.get(key)
        if found is None:
            found = self._source.node(key)
            if found is None:
                raise KeyError(key)
            self._cache[key] = found
        return found

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise TypeError("this view of the chain's state is read-only")

    def __delitem__(self, key: bytes) -> None:
        raise TypeError("this view of the chain's state is read-only")


class NodeWriter(NodeReader):
    """The writer's view: what it wrote since the last commit lies over what is committed."""

    def __init__(self, source: NodeSource, cache: LRU[bytes, bytes]) -> None:
        super().__init__(source, cache)
        self._pending: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        found = self._pending.get(key)
        return super().__getitem__(key) if found is None else found

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._pending[key] = value

    def __delitem__(self, key: bytes) -> None:
        """Old states stay readable: nothing is ever deleted."""

    def pending(self) -> list[tuple[bytes, bytes]]:
        return list(self._pending.items())

    def committed(self) -> None:
        """The pending nodes are durable now."""
        for key, value in self._pending.items():
            self._cache[key] = value
        self._pending.clear()

    def drop(self) -> None:
        """Forgets what was written since the last commit."""
        self._pending.clear()
