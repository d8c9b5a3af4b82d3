"""JSON-RPC failures with geth's codes and words."""

from __future__ import annotations

from typing import Any

from veridict.chain.addresses import to_hex
from veridict.chain.embedded.executor import REVERTED, Outcome
from veridict.chain.reasons import revert_reason

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000
EXECUTION_REVERTED = 3


class Fault(Exception):
    """Becomes the `error` object of a response."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def as_json(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return error


def execution_fault(outcome: Outcome) -> Fault:
    """The fault of a call that failed; `outcome.failure` is set."""
    if outcome.failure != REVERTED:
        return Fault(SERVER_ERROR, outcome.failure or "execution failed")
    reason = revert_reason(outcome.output)
    message = f"{REVERTED}: {reason}" if reason else REVERTED
    return Fault(EXECUTION_REVERTED, message, to_hex(outcome.output))
