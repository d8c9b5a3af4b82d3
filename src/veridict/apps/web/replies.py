"""Answers: views as JSON, and every error in the one shape of `VeridictError.as_dict`."""

from __future__ import annotations

import logging
from typing import TypeVar

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from veridict.core.errors import BadInput, Busy, NotFound, VeridictError

_log = logging.getLogger(__name__)

T = TypeVar("T")


def json_reply(value: object, status: int = 200) -> Response:
    """`value` (dataclasses, lists, dicts) as JSON. A float that is not a number becomes null."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def error_reply(error: VeridictError, status: int | None = None) -> Response:
    """`error` as JSON, with its own HTTP status unless one is given."""
    status = error.http_status if status is None else status
    reply = json_reply(error.as_dict(), status)
    if status == 401:
        reply.headers["www-authenticate"] = "Bearer"
    if isinstance(error, Busy):
        reply.headers["retry-after"] = "1"
    return reply


def read_json(body: bytes, kind: type[T]) -> T:
    """`body` as a `kind`, strictly. Raises BadInput, naming the place that is wrong."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as cause:
        raise BadInput(
            f"the request body is not what this call takes: {cause}",
            remedy="see /openapi.json for the shape of the body",
        ) from cause


def install_error_replies(app: FastAPI) -> None:
    """Every failure answers as JSON; what we did not foresee is logged, never shown."""
    app.add_exception_handler(VeridictError, _on_veridict_error)
    app.add_exception_handler(RequestValidationError, _on_bad_parameter)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_unknown)


async def _on_veridict_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, VeridictError)
    return error_reply(error)


async def _on_bad_parameter(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return error_reply(
        BadInput(f"{where}: {first['msg']}", remedy="see /openapi.json for what is accepted")
    )


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = NotFound if error.status_code == 404 else BadInput
    return error_reply(
        known(
            f"{request.method} {request.url.path[:200]}: {error.detail}", remedy="see /openapi.json"
        ),
        error.status_code,
    )


async def _on_unknown(request: Request, error: Exception) -> Response:
    return failure_reply(error, request.method, request.url.path)


def failure_reply(error: Exception, method: str, path: str) -> Response:
    """What was raised, as JSON. Ours tells its remedy; any other is logged and not shown."""
    if isinstance(error, VeridictError):
        return error_reply(error)
    _log.error("%s %s failed", method, path, exc_info=error)
    return error_reply(
        VeridictError(
            "the node met an error it did not foresee",
            remedy="look at the node's log; nothing recorded is lost",
        )
    )
