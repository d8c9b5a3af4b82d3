"""anvil, a real Ethereum node process, started and surely stopped by tests.

It comes from npm (`npm ci` in the repository), or from the path in VERIDICT_ANVIL.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.missing import missing

ROOT = Path(__file__).parents[2]
CHAIN_ID = 31_337
BLOCK_TIME_S = "0.1"  # intervals: with automine, transactions may stay pending for ever
START_TIMEOUT_S = 30
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def anvil_binary() -> str:
    """The native program, not npm's wrapper, which would not pass signals on."""
    named = os.environ.get("VERIDICT_ANVIL")
    if named:
        return named
    system = platform.system().lower()
    machine = _MACHINES.get(platform.machine().lower(), "")
    native = ROOT / f"node_modules/@foundry-rs/anvil-{system}-{machine}/bin/anvil"
    found = str(native) if native.exists() else shutil.which("anvil")
    return found or missing("anvil", "npm ci, or set VERIDICT_ANVIL to its path")


_BINARY = os.environ.get("VERIDICT_ANVIL")  # read before tests clear the surroundings


@contextmanager
def running_anvil(
    *options: str, mining: bool = True, chain_id: int = CHAIN_ID, host: str = "127.0.0.1"
) -> Iterator[str]:
    """The URL of a fresh node under Prague rules. Without `mining`, blocks come by evm_mine."""
    port = _free_port()
    blocks = ["--block-time", BLOCK_TIME_S] if mining else ["--no-mining"]
    command = [
        _BINARY or anvil_binary(), "--host", host, "--port", str(port), "--silent",
        "--hardfork", "prague", "--chain-id", str(chain_id), "--gas-limit", "60000000",
        *blocks, *options,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    url = f"http://{host}:{port}"
    try:
        _wait_until_up(url, process)
        yield url
    finally:
        _stop(process)


def _wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"anvil ended with status {process.returncode}")
        try:
            if httpx.post(url, json=request, timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise RuntimeError(f"anvil does not answer within {START_TIMEOUT_S} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, how)
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
