"""Any `Rpc`, so also the embedded chain, as a provider for web3.py (the extra `veridict[web3]`).

w3 = veridict.chain.web3.connect(chain)
w3.eth.block_number
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from veridict.core.errors import MissingPart, Refused
from veridict.core.ports import Rpc

if TYPE_CHECKING:
    from web3 import Web3
    from web3.providers.base import BaseProvider


def connect(rpc: Rpc) -> Web3:
    """A Web3 over `rpc`. Raises MissingPart if web3.py is not installed."""
    made = provider(rpc)  # first: it says what is missing
    from web3 import Web3

    return Web3(made)


def provider(rpc: Rpc) -> BaseProvider:
    """A web3.py provider over `rpc`. Raises MissingPart if web3.py is not installed."""
    try:
        from web3.providers.base import BaseProvider
        from web3.types import RPCEndpoint, RPCResponse
    except ImportError as error:
        raise MissingPart(
            "web3.py is not installed", remedy="install it with `pip install veridict[web3]`"
        ) from error

    class Provider(BaseProvider):
        """Answers as a node does; RpcUnavailable and other operator errors pass through."""

        def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
            try:
                return {"jsonrpc": "2.0", "id": 1, "result": rpc.call(method, list(params))}
            except Refused as refused:
                return {"jsonrpc": "2.0", "id": 1, "error": _error(refused)}

        def is_connected(self, show_traceback: bool = False) -> bool:
            return True

    return Provider()


def _error(refused: Refused) -> Any:
    facts = refused.facts
    message = str(facts.get("said") or refused.message)
    error: dict[str, Any] = {"code": facts.get("code") or -32000, "message": message}
    if facts.get("data") is not None:
        error["data"] = facts["data"]
    return error
