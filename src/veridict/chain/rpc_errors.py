"""A node's JSON-RPC error object as one of veridict's errors."""

from __future__ import annotations

from typing import Any

from veridict.chain.addresses import from_hex
from veridict.chain.reasons import revert_reason
from veridict.core.errors import BadInput, Refused


def node_said(method: str, error: Any) -> Refused:
    """`error` is the `error` member of a response.

    Facts: `reason` decoded if there is one, `said` (the node's words), `code`,
    `data` (hex), `reverted`, `method`.
    """
    if not isinstance(error, dict):
        error = {"message": str(error)}
    message = str(error.get("message") or "no reason given")
    data = _revert_data(error.get("data"))
    reason = _reason(data) or message
    code = error.get("code")
    return Refused(
        f"{method} was refused: {reason}",
        remedy="see the reason; a reverted call would revert again until the state changes",
        method=method,
        code=code if isinstance(code, int) else None,
        reason=reason,
        said=message,
        data=data,
        reverted=_is_revert(message, code),
    )


def _is_revert(message: str, code: object) -> bool:
    return code == 3 or "revert" in message.lower()


def _revert_data(data: object) -> str | None:
    """Nodes give hex, or an object that holds it under `data` or `result`."""
    if isinstance(data, dict):
        data = data.get("data") or data.get("result")
    return data if isinstance(data, str) and data.startswith("0x") else None


def _reason(data: str | None) -> str | None:
    if data is None:
        return None
    try:
        return revert_reason(from_hex(data))
    except BadInput:
        return None
