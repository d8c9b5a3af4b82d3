"""The doors to the outside: one or two methods each, each with at least two users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


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


class Personal(NamedTuple):
    """Bytes about somebody, before they are sealed. `name` is what they are found by later."""

    subject: str
    name: str
    data: bytes

    def __repr__(self) -> str:
        return "Personal()"  # no message and no traceback tells of whom


class Sealed(NamedTuple):
    """`box` opens with the subject's key, number `slot`; `tag` is a keyed hash of the name.

    Both numbers are signed, of 64 bits, and tell nothing without the vault.
    """

    slot: int
    tag: int
    box: bytes


class Vault(Protocol):
    """Keeps one key a subject, so that destroying it erases: `privacy.vault`.

    Its user stores what is sealed, and nothing of it in the clear.
    """

    def seal(self, items: Sequence[Personal]) -> list[Sealed]:
        """Keys of new subjects are on disk on return. Raises StorageFailed."""

    def open(self, sealed: Sequence[Sealed]) -> list[bytes | None]:
        """None where the key is gone or the box was altered. Raises StorageFailed."""

    def slot(self, subject: str) -> int | None:
        """The number of the key under which is sealed what comes; None before the first."""

    def tag(self, name: str) -> int:
        """The number by which what was sealed under `name` is found."""

    def close(self) -> None: ...
