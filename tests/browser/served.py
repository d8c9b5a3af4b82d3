"""Nodes behind a real server on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.support.small_node import SmallNode
from veridict.apps.web.app import create_app
from veridict.apps.web.face import NodeFace
from veridict.apps.web.server import WebServer

TOKEN = "correct-horse-battery-staple"

N = TypeVar("N", bound=NodeFace)


@dataclass(frozen=True, slots=True)
class Served(Generic[N]):
    url: str
    node: N


@contextmanager
def serve(node: N) -> Iterator[Served[N]]:
    with WebServer(create_app(node, token=TOKEN)) as server:
        yield Served(server.url, node)


@contextmanager
def serve_small(count: int = 240) -> Iterator[Served[SmallNode]]:
    node = SmallNode()
    for n in range(count):
        odds = -6.5 + 0.037 * (n * n % 97) if n % 11 else -0.8 + 0.4 * (n % 13)
        node.add(f"pay-{10_000 + n}", odds, f"account {n % 41}")
        if n == count * 3 // 4:
            node.anchor()
    with serve(node) as served:
        yield served
