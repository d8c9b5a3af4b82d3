"""Another member, over mutual TLS: the client's end. One connection is kept open."""

from __future__ import annotations

import ssl

import httpx
import msgspec

from veridict.core.errors import PeerUnavailable
from veridict.services.federation.posts import MAX_POST, Place

TIMEOUT_S = 10.0


class HttpsPeer:
    """A `Peer`. Every failure is PeerUnavailable: the round goes on without."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(verify=context, timeout=TIMEOUT_S, trust_env=False)

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
        read = bytearray()
        try:
            with self._client.stream("POST", self.url + path, content=body) as response:
                response.raise_for_status()
                for piece in response.iter_bytes():
                    read += piece
                    if len(read) > MAX_POST:
                        raise httpx.HTTPError("answers without end")
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise self._away(error) from error
        return bytes(read)

    def _away(self, error: Exception) -> PeerUnavailable:
        return PeerUnavailable(
            f"{self.url}: {error}", remedy="the round goes on; see whether it is running"
        )
