"""A Flower ClientApp as a party of a federation: `veridict federate train --clientapp`.

The app runs in Flower's own environment, since what Flower pins is not what is pinned here: one
process of that interpreter, started once, to which this member hands the arrays of each round.
Nothing of Flower's network takes part; telemetry and installing at run time are off.
"""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from veridict.core.errors import BadInput, MissingPart
from veridict.federated.fixed import F64, Update
from veridict.federated.learners.arrays import Arrays
from veridict.federated.learners.learner import Learner

Setting = int | float | str | bool
WORKER = Path(__file__).with_name("flower_worker.py")


@dataclass(frozen=True, slots=True)
class ClientAppAt:
    """`app`: module:name, from `folder`. `python`: an interpreter that has flwr."""

    app: str
    folder: Path
    python: Path
    node: Mapping[str, Setting] = field(default_factory=dict)
    run: Mapping[str, Setting] = field(default_factory=dict)


def settings_in(words: Sequence[str]) -> dict[str, Setting]:
    """Of `key=value`: numbers and booleans where they read as such. Raises BadInput."""
    found: dict[str, Setting] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise BadInput(f"{word!r} sets nothing", remedy="write key=value")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        found[key] = value if isinstance(value, int | float | str | bool) else text
    return found


class FlowerTrainer:
    """A `Trainer`. The worker is started when it is needed, and again if it died."""

    def __init__(self, learner: Learner, where: ClientAppAt) -> None:
        if not isinstance(learner, Arrays):
            raise BadInput(
                f"a ClientApp cannot train the learner {learner.name}",
                remedy='agree on rules with "learner": "arrays"',
            )
        self._learner, self._where = learner, where
        self._worker: subprocess.Popen[bytes] | None = None

    def update(self, state: bytes, seed: int) -> Update:
        """Raises BadInput where the app fails or returns other arrays."""
        number = self._learner.done(state) + 1
        header, arrays = self._asked(number, self._learner.arrays(state))
        if "error" in header:
            raise BadInput(
                f"the ClientApp failed: {header['error']}",
                remedy="see its traceback above; it must train what the rules describe",
            )
        return self._learner.trained(state, arrays, int(header["examples"]))

    def close(self) -> None:
        if self._worker is not None and self._worker.stdin is not None:
            self._worker.stdin.close()
            try:
                self._worker.wait(10)
            except subprocess.TimeoutExpired:
                self._worker.kill()
                self._worker.wait()
            if self._worker.stdout is not None:
                self._worker.stdout.close()

    def _asked(self, number: int, arrays: dict[str, F64]) -> tuple[dict[str, Any], list[F64]]:
        out = io.BytesIO()
        np.savez(out, **{name: array.astype(np.float32) for name, array in arrays.items()})  # type: ignore[arg-type]
        header = json.dumps({"round": number, "config": {}}).encode()
        data = header + b"\n" + out.getvalue()
        worker = self._running()
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            worker.stdin.write(struct.pack(">I", len(data)) + data)
            worker.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        length = worker.stdout.read(4)
        if len(length) < 4:
            raise self._ended()
        line, _, body = worker.stdout.read(struct.unpack(">I", length)[0]).partition(b"\n")
        if not body:
            return json.loads(line), []
        with np.load(io.BytesIO(body), allow_pickle=False) as sent:
            return json.loads(line), [sent[name] for name in sorted(sent.files)]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._worker is None or self._worker.poll() is not None:
            where = self._where
            words = [json.dumps(dict(each)) for each in (where.node, where.run)]
            try:
                self._worker = subprocess.Popen(
                    [str(where.python), str(WORKER), where.app, *words],
                    cwd=where.folder,
                    env={**os.environ, "FLWR_TELEMETRY_ENABLED": "0", "PYTHONPATH": ""},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            except OSError as error:
                raise MissingPart(
                    f"{where.python} cannot be started: {error.strerror}",
                    remedy="python3 -m venv .flower && .flower/bin/pip install 'flwr>=1.41,<1.42'",
                ) from error
        return self._worker

    def _ended(self) -> BadInput:
        code = None if self._worker is None else self._worker.wait()
        return BadInput(
            f"the ClientApp's process ended with {code}",
            remedy="see its message above: the module must be importable, and flwr installed",
        )
