"""JSON-RPC over HTTP: any EVM network by its URL.

Only calls that change nothing are repeated after a failure. A transaction is
never sent twice from here: `client.Client` does that, because it can see
whether the first attempt arrived.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import httpx

from veridict.chain.rpc_errors import node_said
from veridict.core.errors import BadInput, RpcUnavailable

Call = tuple[str, Sequence[Any]]
_RETRIED_STATUS = frozenset({429, 502, 503, 504})
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0
_CONNECTIONS = 16


class HttpRpc:
    """See `core.ports.Rpc`. Safe for use from many threads.

    `timeout_s` bounds every single wait (connect, write, read); `retries` is how
    often a reading call is repeated.
    """

    def __init__(
        self,
        url: str,
        timeout_s: float = 20.0,
        retries: int = 3,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = _checked(url)
        self._retries = retries
        self._sleep = sleep
        self._http = httpx.Client(
            timeout=timeout_s,
            headers={"Content-Type": "application/json"},
            limits=httpx.Limits(max_connections=_CONNECTIONS),
            trust_env=False,  # no proxy stands between us and a node on this machine
        )

    def call(self, method: str, params: Sequence[Any]) -> Any:
        body = _request(1, method, params)
        response = self._post(body, repeat=is_read(method))
        return self._result(method, response, 1)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        if not calls:
            return []
        body = [_request(number, method, params) for number, (method, params) in enumerate(calls)]
        responses = self._post(body, repeat=all(is_read(method) for method, _ in calls))
        if isinstance(responses, dict):  # a node that refuses the batch as a whole
            self._result("batch", responses, None)
        if not isinstance(responses, list):
            raise self._nonsense("a batch was answered with no list")
        by_number = {r.get("id"): r for r in responses if isinstance(r, dict)}
        return [
            self._result(method, by_number.get(number), number)
            for number, (method, _) in enumerate(calls)
        ]

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> HttpRpc:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _post(self, body: object, *, repeat: bool) -> Any:
        attempts = 1 + (self._retries if repeat else 0)
        pause = _FIRST_PAUSE_S
        for attempt in range(1, attempts + 1):
            try:
                return self._post_once(body)
            except RpcUnavailable as error:
                if attempt == attempts or not error.facts.get("passing"):
                    raise
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)
        raise AssertionError("unreachable")

    def _post_once(self, body: object) -> Any:
        try:
            response = self._http.post(self.url, json=body)
        except httpx.TimeoutException as error:
            raise self._unavailable("does not answer in time", passing=True) from error
        except (httpx.HTTPError, RuntimeError) as error:  # RuntimeError: the client is closed
            raise self._unavailable(
                f"cannot be reached: {error}", passing=isinstance(error, httpx.HTTPError)
            ) from error
        try:
            answer = response.json()
        except ValueError as error:
            status = response.status_code
            raise self._unavailable(
                f"answers with status {status} and no JSON", passing=status in _RETRIED_STATUS
            ) from error
        if response.status_code in _RETRIED_STATUS:
            raise self._unavailable(f"answers with status {response.status_code}", passing=True)
        return answer

    def _result(self, method: str, response: object, number: int | None) -> Any:
        if not isinstance(response, dict):
            raise self._nonsense(f"{method} got no response object")
        if response.get("error") is not None:
            raise node_said(method, response["error"])
        if "result" not in response or (number is not None and response.get("id") != number):
            raise self._nonsense(f"{method} got a response without result or of another request")
        return response["result"]

    def _nonsense(self, what: str) -> RpcUnavailable:
        return self._unavailable(f"does not speak JSON-RPC: {what}", passing=False)

    def _unavailable(self, what: str, *, passing: bool) -> RpcUnavailable:
        return RpcUnavailable(
            f"the chain's RPC at {self.url} {what}",
            remedy="check that the node runs and the URL is right, then run again; "
            "nothing recorded is lost",
            url=self.url,
            passing=passing,
        )


def is_read(method: str) -> bool:
    """Whether calling twice is the same as calling once."""
    reads = ("eth_get", "net_", "web3_")
    others = (
        "eth_call", "eth_estimateGas", "eth_blockNumber", "eth_chainId", "eth_gasPrice",
        "eth_feeHistory", "eth_maxPriorityFeePerGas", "eth_syncing", "eth_accounts",
    )  # fmt: skip
    return method.startswith(reads) or method in others


def _request(number: int, method: str, params: Sequence[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _checked(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError) as error:
        raise BadInput(f"{url!r} is not a URL: {error}", remedy="pass http://host:port") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise BadInput(
            f"{url!r} is not an HTTP URL", remedy="pass the chain's RPC as http://host:port"
        )
    return url
