"""Calls a Flower ClientApp, unchanged, in Flower's own environment: one process, kept alive.

Run as a file by an interpreter that has `flwr`; nothing of this package is imported. Requests
and answers are frames on standard input and output: length u32, a JSON line, then the arrays
as .npz.

    {"round": 3, "config": {…}}  arrays      →  {"examples": 120}  arrays
                                             →  {"error": "…"}
"""

from __future__ import annotations

import importlib
import io
import json
import os
import struct
import sys
import time
import traceback
from pathlib import Path
from typing import Any, BinaryIO

# Before flwr is imported: it would tell its makers of this run.
os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
os.environ["FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION"] = "1"

_DAY_S = 86_400.0


def main() -> None:
    target, node, run = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the app prints is no answer
    sys.path.insert(0, str(Path.cwd()))
    module, _, name = target.partition(":")
    app = getattr(importlib.import_module(module), name or "app")
    context = _context(node, run)
    while (frame := _read(requests)) is not None:
        try:
            header, body = _trained(app, context, *frame)
        except Exception as error:  # the app's own: it is told, and the next round is another
            traceback.print_exc()
            header, body = {"error": f"{type(error).__name__}: {error}"}, b""
        _write(answers, header, body)


def _context(node: dict[str, Any], run: dict[str, Any]) -> Any:
    from flwr.app import Context, RecordDict

    return Context(run_id=1, node_id=1, node_config=node, state=RecordDict(), run_config=run)


def _trained(app: Any, context: Any, header: dict[str, Any], body: bytes) -> tuple[Any, bytes]:
    import numpy as np
    from flwr.app import Array, ArrayRecord, ConfigRecord, Message, Metadata, RecordDict

    with np.load(io.BytesIO(body), allow_pickle=False) as sent:
        arrays = {name: sent[name] for name in sent.files}
    record = ArrayRecord({name: Array(value) for name, value in arrays.items()})
    config = ConfigRecord({"server-round": header["round"], **header["config"]})
    legacy = app._call is not None  # made from a client_fn: it reads what fit() is given
    names = ("fitins.parameters", "fitins.config") if legacy else ("arrays", "config")
    content = RecordDict(dict(zip(names, (record, config), strict=True)))
    about = Metadata(
        run_id=1,
        message_id=str(header["round"]),
        src_node_id=0,
        dst_node_id=1,
        reply_to_message_id="",
        group_id=str(header["round"]),
        created_at=time.time(),
        ttl=_DAY_S,
        message_type="train",
    )
    asked = Message(content=content, metadata=about)
    reply = app(asked, context)
    if reply.has_error():
        raise RuntimeError(reply.error.reason)
    (found,) = reply.content.array_records.values()
    out = io.BytesIO()
    np.savez(out, **{f"{n:06}": each.numpy() for n, each in enumerate(found.values())})
    return {"examples": _examples(reply.content)}, out.getvalue()


def _examples(content: Any) -> int:
    for metrics in content.metric_records.values():
        for name in ("num-examples", "num_examples"):
            if name in metrics:
                return int(metrics[name])
    raise ValueError("the reply has no num-examples: an update weighs as much as its rows")


def _read(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    length = stream.read(4)
    if len(length) < 4:
        return None
    data = stream.read(struct.unpack(">I", length)[0])
    line, _, body = data.partition(b"\n")
    return json.loads(line), body


def _write(stream: BinaryIO, header: dict[str, Any], body: bytes) -> None:
    data = json.dumps(header).encode() + b"\n" + body
    stream.write(struct.pack(">I", len(data)) + data)
    stream.flush()


if __name__ == "__main__":
    main()
