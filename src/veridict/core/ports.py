"""The doors to the outside: one or two methods each, each with at least two users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Rpc(Protocol):
    """A JSON-RPC endpoint of an EVM network: over HTTP, or the embedded chain in the process."""

    def call(self, method: str, params: Sequence[Any]) -> Any:
        """The `result` of one call. Raises RpcUnavailable, or Refused with the node's reason."""

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Results in the order of `calls`. Raises as `call`, for the first failure."""


class Clock(Protocol):
    """Wall-clock time; tests pass one that stands still or runs backwards."""

    def __call__(self) -> int:
        """Milliseconds since the Unix epoch."""
