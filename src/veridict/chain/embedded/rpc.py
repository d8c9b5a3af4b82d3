"""Dispatch: from a method's name, or the bytes of a request, to an answer.

Raises nothing on any bytes: what cannot be understood is answered with an error
object, and what goes wrong inside is answered as an internal error and logged.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from veridict.chain.embedded.faults import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    Fault,
)
from veridict.chain.embedded.methods import METHODS, Chain, send_raw
from veridict.chain.rpc_errors import node_said
from veridict.core.codec import parse_json
from veridict.core.errors import VeridictError

MAX_BATCH = 1_000
SEND_RAW = "eth_sendRawTransaction"
_log = logging.getLogger(__name__)

Request = tuple[str, Sequence[Any]]
Answer = Any | Fault


def answer_one(chain: Chain, method: str, params: Sequence[Any]) -> Any:
    """The result. Raises Refused with the reason, or the operator's error."""
    (answer,) = answers(chain, [(method, params)])
    if isinstance(answer, Fault):
        raise node_said(method, answer.as_json())
    return answer


def answer_batch(chain: Chain, calls: Sequence[Request]) -> list[Any]:
    """The results in order. Raises for the first failure, after all were done."""
    found = answers(chain, calls)
    for (method, _), answer in zip(calls, found, strict=True):
        if isinstance(answer, Fault):
            raise node_said(method, answer.as_json())
    return found


def answers(chain: Chain, calls: Sequence[Request]) -> list[Answer]:
    """A result or a Fault for each call. Neighbouring raw transactions share a block."""
    found: list[Answer] = []
    place = 0
    while place < len(calls):
        method, params = calls[place]
        if method == SEND_RAW and len(params) == 1:
            raws = []
            while place < len(calls) and calls[place][0] == SEND_RAW and len(calls[place][1]) == 1:
                raws.append(calls[place][1][0])
                place += 1
            found += send_raw(chain, raws)
        else:
            found.append(_answer(chain, method, params))
            place += 1
    return found


def _answer(chain: Chain, method: str, params: Sequence[Any]) -> Answer:
    handler = METHODS.get(method)
    if handler is None:
        return Fault(METHOD_NOT_FOUND, f"the method {method[:60]} does not exist/is not available")
    try:
        return handler(chain, params)
    except Fault as fault:
        return fault


# -- bytes in, bytes out ---------------------------------------------------------


def answer_bytes(chain: Chain, body: bytes) -> bytes:
    """One JSON-RPC request or batch; empty for notifications alone."""
    try:
        request = parse_json(body)
    except ValueError:
        return _dump(_failure(None, Fault(PARSE_ERROR, "parse error: the body is not JSON")))
    if not isinstance(request, list):
        (response,) = _respond(chain, [request])
        return b"" if response is None else _dump(response)
    if not request or len(request) > MAX_BATCH:
        why = "empty batch" if not request else f"batch of more than {MAX_BATCH}"
        return _dump(_failure(None, Fault(INVALID_REQUEST, why)))
    responses = [response for response in _respond(chain, request) if response is not None]
    return _dump(responses) if responses else b""


def _respond(chain: Chain, requests: Sequence[Any]) -> list[dict[str, Any] | None]:
    """A response for each request, None for a notification."""
    parsed = [_parse(request) for request in requests]
    calls = [call for call in parsed if not isinstance(call, Fault)]
    try:
        found = iter(answers(chain, calls))
    except VeridictError as error:
        found = iter([Fault(INTERNAL_ERROR, error.message)] * len(calls))
    except Exception:
        _log.exception("a JSON-RPC request failed inside")
        found = iter([Fault(INTERNAL_ERROR, "internal error")] * len(calls))
    responses: list[dict[str, Any] | None] = []
    for request, call in zip(requests, parsed, strict=True):
        answer = call if isinstance(call, Fault) else next(found)
        number = request.get("id") if isinstance(request, dict) else None
        if not isinstance(number, (str, int, float, type(None))):
            number = None
        if isinstance(answer, Fault):
            responses.append(_failure(number, answer))
        elif isinstance(request, dict) and "id" not in request:
            responses.append(None)
        else:
            responses.append({"jsonrpc": "2.0", "id": number, "result": answer})
    return responses


def _parse(request: object) -> Request | Fault:
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        return Fault(INVALID_REQUEST, "a request is an object with a method")
    params = request.get("params", [])
    if params is None:
        params = []
    if not isinstance(params, list):
        return Fault(INVALID_REQUEST, "params are a list")
    return request["method"], params


def _failure(number: object, fault: Fault) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": fault.as_json()}


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
