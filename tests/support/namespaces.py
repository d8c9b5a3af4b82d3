"""Network namespaces on one bridge: machines with addresses of their own that can be cut off.

Needs root, `ip`, and a kernel that gives namespaces away; else the tests skip and say so.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.missing import missing

_HOST = "10.231.77.254"


@dataclass(frozen=True)
class Lan:
    """`host`: the address of this machine on the bridge."""

    tag: str
    size: int
    host: str = _HOST

    def address(self, i: int) -> str:
        return f"10.231.77.{i + 1}"

    def inside(self, i: int) -> list[str]:
        """What a command begins with to run in namespace `i`."""
        return ["ip", "netns", "exec", f"{self.tag}{i}"]

    def cut(self, i: int) -> None:
        _ip("link", "set", f"{self.tag}v{i}", "down")

    def heal(self, i: int) -> None:
        _ip("link", "set", f"{self.tag}v{i}", "up")


@contextmanager
def lan(size: int) -> Iterator[Lan]:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        missing("network namespaces", "as root, with iproute2 installed", installable=False)
    tag = f"vd{secrets.token_hex(2)}"  # an interface's name has 15 characters at most
    try:
        _ip("link", "add", f"{tag}br", "type", "bridge")
    except subprocess.CalledProcessError as error:
        missing(
            "network namespaces", f"a kernel that allows them: {error.stderr}", installable=False
        )
    made = Lan(tag, size)
    try:
        _ip("addr", "add", f"{made.host}/24", "dev", f"{tag}br")
        _ip("link", "set", f"{tag}br", "up")
        for i in range(size):
            space = f"{tag}{i}"
            _ip("netns", "add", space)
            _ip("link", "add", f"{tag}v{i}", "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("link", "set", f"{tag}v{i}", "master", f"{tag}br", "up")
            _ip("-n", space, "addr", "add", f"{made.address(i)}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "eth0", "up")
            _ip("-n", space, "link", "set", "lo", "up")
        yield made
    finally:
        for i in range(size):
            subprocess.run(["ip", "netns", "del", f"{tag}{i}"], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", f"{tag}br"], capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=True, text=True)
