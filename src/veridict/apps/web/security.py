"""The gate in front of every route: who may speak, how much, and what the browser is told.

1. Host      only loopback names and the configured ones: a page of another
             site cannot reach us by rebinding its own name to 127.0.0.1
2. Site      the API refuses requests that a browser marks as cross-site
3. Token     every method but GET and HEAD needs the bearer token, so that
             no route can forget to ask; a member of the staff may work on cases alone
4. Size      a body is read here, up to a limit, before any route sees it
5. Headers   strict CSP without inline code, no framing, no sniffing, no CORS
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from veridict.apps.staff import Member, Role
from veridict.apps.web.replies import error_reply
from veridict.core.errors import BadInput, NotAllowed, VeridictError

MAX_BODY_BYTES = 1 << 20
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SAFE_METHODS = frozenset({"GET", "HEAD"})

# Trusted types make the browser itself refuse innerHTML and its kin: names in
# the stream are hostile input, and pages may only ever show them as text.
CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
]
_OURS = frozenset(name for name, _ in _HEADERS)
Header = tuple[bytes, bytes]
Fields = Mapping[bytes, str]
Whose = Callable[[str], Member | None]
_CASES = "/api/cases/"  # what the staff may change; a route there may ask for more


@dataclass(frozen=True, slots=True)
class _Refusal:
    error: VeridictError
    status: int


def _nobody(token: str) -> Member | None:
    """Where there is no staff but the operator."""
    return None


class Gate:
    """ASGI middleware: the five steps above. `hosts` adds names to the loopback ones.

    `whose` knows the tokens of the staff.
    """

    def __init__(
        self, app: ASGIApp, *, token: str, hosts: Sequence[str] = (), whose: Whose = _nobody
    ) -> None:
        if not token:
            raise BadInput(
                "the dashboard has no token", remedy="pass a random token of 16 characters or more"
            )
        self._app = app
        self._token_hash = sha256(token.encode()).digest()
        self._whose = whose
        self._hosts = LOOPBACK | {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(scope["path"], send)
        refusal = self.refusal(scope["method"], scope["path"], scope["headers"])
        if refusal is None and scope["method"] not in _SAFE_METHODS:
            body = await _read_body(receive)
            if body is None:
                refusal = _too_large()
            else:
                receive = _replay(body, receive)
        if refusal is not None:
            await error_reply(refusal.error, refusal.status)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def refusal(self, method: str, path: str, headers: Sequence[Header]) -> _Refusal | None:
        """Why this request may not come in; None where its body may be read. Steps 1 to 4."""
        # of a header that comes twice the first one counts
        fields = {name: value.decode("latin-1") for name, value in reversed(headers)}
        return (
            self._check_host(fields)
            or _check_site(path, fields)
            or self._check_token(method, path, fields)
            or _check_length(fields)
        )

    def _check_host(self, headers: Fields) -> _Refusal | None:
        name = _host_name(headers.get(b"host", ""))
        if name in self._hosts:
            return None
        error = NotAllowed(
            "this host name is not served here",
            remedy="open the dashboard at the address that `veridict up` prints",
            host=name[:200],
        )
        return _Refusal(error, 421)

    def _check_token(self, method: str, path: str, headers: Fields) -> _Refusal | None:
        if method in _SAFE_METHODS:
            return None
        given = _bearer(headers)
        if not given:
            error = NotAllowed(
                "this needs the operator's token",
                remedy="send `Authorization: Bearer TOKEN` with the token `veridict up` prints",
            )
            return _Refusal(error, 401)
        if self._is_operator(given):
            return None
        member = self._whose(given)
        if member is None:
            error = NotAllowed(
                "the token is not this node's",
                remedy="copy the token that `veridict up` prints; it changes with the data "
                "directory",
            )
            return _Refusal(error, 403)
        if not path.startswith(_CASES):
            return _Refusal(too_low(member, Role.OPERATOR), 403)
        return None

    def member(self, headers: Sequence[Header]) -> Member | None:
        """Whose token this request bears; None for the operator's."""
        fields = {name: value.decode("latin-1") for name, value in reversed(headers)}
        given = _bearer(fields)
        return None if self._is_operator(given) else self._whose(given)

    def _is_operator(self, given: str) -> bool:
        # Hashing first makes the comparison independent of length as well as of content.
        return hmac.compare_digest(sha256(given.encode()).digest(), self._token_hash)


def too_low(member: Member, needed: Role) -> NotAllowed:
    return NotAllowed(
        f"{member.name} is {member.role}; this takes the {needed.word}",
        remedy=f"ask the {needed.word}",
        role=member.role,
        needed=needed.word,
    )


def _bearer(headers: Fields) -> str:
    """The token, or "" where there is none."""
    scheme, _, given = headers.get(b"authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _check_site(path: str, headers: Fields) -> _Refusal | None:
    if path.startswith("/api/") and headers.get(b"sec-fetch-site") == "cross-site":
        error = NotAllowed(
            "another web site may not use this API",
            remedy="call it from the dashboard or from a program",
        )
        return _Refusal(error, 403)
    return None


def _check_length(headers: Fields) -> _Refusal | None:
    declared = headers.get(b"content-length", "0")
    if declared.isdecimal() and int(declared) <= MAX_BODY_BYTES:
        return None
    return _too_large()


def _too_large() -> _Refusal:
    error = BadInput(
        f"the request body is larger than {MAX_BODY_BYTES} bytes",
        remedy="send fewer rows in one request",
        limit=MAX_BODY_BYTES,
    )
    return _Refusal(error, 413)


def _host_name(host: str) -> str:
    """`[::1]:80` → `::1`, `localhost:80` → `localhost`; lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or None as soon as it exceeds the limit."""
    parts: list[bytes] = []
    left = MAX_BODY_BYTES
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        left -= len(parts[-1])
        if left < 0:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending = [body]

    async def replayed() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replayed


def answer_headers(path: str, theirs: Iterable[Header]) -> list[Header]:
    """Step 5: `theirs`, and what every answer carries."""
    kept = [pair for pair in theirs if pair[0] not in _OURS]
    if not any(name == b"cache-control" for name, _ in kept):
        # Static files carry an ETag: ask again each time, so that an upgrade shows at once.
        cache = b"no-store" if path.startswith("/api/") else b"no-cache"
        kept.append((b"cache-control", cache))
    return kept + _HEADERS


def _with_headers(path: str, send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = answer_headers(path, message.get("headers", ()))
        await send(message)

    return wrapped
