"""Another member, over mutual TLS: the client's end. One connection is kept open.

A member that cannot be reached is left alone for a while, and then for longer: who is cut off
answers nothing at all, and waiting for it at every step would cost the others their windows.
"""

from __future__ import annotations

import ssl
import time

import httpx
import msgspec

from veridict.core.errors import PeerUnavailable
from veridict.services.federation.posts import MAX_POST, Place

TIMEOUT_S, CONNECT_S = 10.0, 4.0
REST_S, REST_MAX_S = 1.0, 16.0  # before an unreachable member is asked again: doubled each time


class HttpsPeer:
    """A `Peer`. Every failure is PeerUnavailable: the round goes on without."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        self.url = url.rstrip("/")
        timeout = httpx.Timeout(TIMEOUT_S, connect=CONNECT_S)
        self._client = httpx.Client(verify=context, timeout=timeout, trust_env=False)
        self._rest_s, self._rests_until = REST_S, 0.0

    def posts(self, round_: int, have: frozenset[Place]) -> list[bytes]:
        body = msgspec.msgpack.encode({"round": round_, "have": sorted(have)})
        answer = self._post("/v1/federation/posts", body)
        try:
            return msgspec.msgpack.decode(answer, type=list[bytes])
        except msgspec.MsgspecError as error:
            raise self._away(error) from error

    def state(self, digest: bytes) -> bytes | None:
        found = self._post("/v1/federation/state", digest)
        return found or None

    def close(self) -> None:
        self._client.close()

    def _post(self, path: str, body: bytes) -> bytes:
        """The answer, no longer than the longest post."""
        if time.monotonic() < self._rests_until:
            raise self._away("was away a moment ago")
        read = bytearray()
        try:
            with self._client.stream("POST", self.url + path, content=body) as response:
                response.raise_for_status()
                for piece in response.iter_bytes():
                    read += piece
                    if len(read) > MAX_POST:
                        raise httpx.HTTPError("answers without end")
        except (httpx.HTTPError, ssl.SSLError) as error:
            self._rests_until = time.monotonic() + self._rest_s
            self._rest_s = min(2 * self._rest_s, REST_MAX_S)
            raise self._away(error) from error
        self._rest_s = REST_S
        return bytes(read)

    def _away(self, error: Exception | str) -> PeerUnavailable:
        return PeerUnavailable(
            f"{self.url}: {error}", remedy="the round goes on; see whether it is running"
        )
