"""HTTP to others: witnesses, and logs that are published somewhere. Bounded in time and size."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from veridict.core.errors import BadInput, PeerUnavailable
from veridict.proofs.add_checkpoint import Reply

TIMEOUT_S = 5.0
# The largest file of c2sp.org/tlog-tiles: a bundle of 256 entries of 65,535 bytes.
MAX_REPLY_BYTES = 256 * (2 + 65_535)


def post(url: str, body: bytes) -> Reply:
    """Raises PeerUnavailable, BadInput for what is no URL."""
    return _ask("POST", url, body)


def fetcher(base: str) -> Callable[[str], bytes | None]:
    """Reads files below the URL `base`: None for 404, PeerUnavailable for what else fails."""

    def fetch(path: str) -> bytes | None:
        url = f"{base.rstrip('/')}/{path}"
        reply = _ask("GET", url, None)
        if reply.status == 404:
            return None
        if reply.status != 200:
            raise _unavailable(url, f"status {reply.status}")
        return reply.body

    return fetch


def _ask(method: str, url: str, body: bytes | None) -> Reply:
    if urlsplit(url).scheme not in ("http", "https"):
        raise BadInput(f"{url[:200]!r} is no URL", remedy="begin it with http:// or https://")
    try:
        with httpx.stream(
            method, url, content=body, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
        ) as reply:
            data = bytearray()
            for piece in reply.iter_bytes():
                data += piece
                if len(data) > MAX_REPLY_BYTES:
                    raise _unavailable(url, f"it sends more than {MAX_REPLY_BYTES} bytes")
            return Reply(reply.status_code, reply.headers.get("content-type", ""), bytes(data))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unavailable(url, f"{type(error).__name__}: {error}") from error


def _unavailable(url: str, why: str) -> PeerUnavailable:
    return PeerUnavailable(
        f"{url} does not answer: {why}",
        remedy="see that the address is right and its server runs, then try again",
        url=url,
    )
