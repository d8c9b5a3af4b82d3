"""An RPC that answers falsely where it is told to: what a broken or hostile node does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from veridict.core.ports import Rpc

Lie = Callable[[Any], Any]  # the true result → the false one


@dataclass(slots=True)
class Liar:
    """Asks `honest` everything, and alters the results of the methods in `lies`.

    What is in `first` is done before the method is passed on.
    """

    honest: Rpc
    lies: dict[str, Lie] = field(default_factory=dict)
    first: dict[str, Callable[[], None]] = field(default_factory=dict)

    def call(self, method: str, params: Sequence[Any]) -> Any:
        if method in self.first:
            self.first[method]()
        return self._told(method, self.honest.call(method, params))

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        for method, _ in calls:
            if method in self.first:
                self.first[method]()
        results = self.honest.batch(calls)
        return [self._told(call[0], result) for call, result in zip(calls, results, strict=True)]

    def _told(self, method: str, result: Any) -> Any:
        return self.lies[method](result) if method in self.lies else result
