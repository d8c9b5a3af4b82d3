"""A home in which the demo was told once on shipped payments, for many tests to read or to copy."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.core.nouns import Decision
from veridict.core.progress import Step
from veridict.services.demo.story import demo
from veridict.services.demo.summary import Summary
from veridict.services.node import Node
from veridict.services.records import ActRecord, ModelRecord, OutcomesRecord, decode, is_prediction
from veridict.solutions.roster import scenario_of
from veridict.watch.scenario import Scenario

ROWS = 6000  # the fewest with all three decisions among the later fifth


@cache
def payments() -> Scenario[Any]:
    return scenario_of("payments")


def told_home() -> Path:
    """Made at the first call, removed when the tests end. Read it, or write in a `told_copy`."""
    told = _told()
    if isinstance(told, Exception):
        raise AssertionError("the demo could not be told") from told
    return told


@cache
def _told() -> Path | Exception:
    """Tried once: where the demo is broken, a hundred tests need not wait for it again."""
    directory = Path(tempfile.mkdtemp(prefix="veridict-told-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    try:
        assert tell(directory).clean
    except Exception as problem:
        return problem
    return directory


def told_copy(target: Path) -> Path:
    shutil.copytree(told_home(), target)
    return target


def tell(
    home: Path,
    *,
    rpc: str | None = None,
    rows: int = ROWS,
    progress: Callable[[Step], None] = lambda step: None,
    scenario: Scenario[Any] | None = None,
) -> Summary:
    """The demo in `home`, from wherever it stands."""
    chosen = scenario or payments()
    with open_node(Settings(home, rpc), chosen) as node:
        return demo(node, chosen, home, rows=rows, progress=progress)


def opened(home: Path, rpc: str | None = None) -> Node:
    return open_node(Settings(home, rpc), payments())


def prediction_at(node: Node, decision: Decision = Decision.ALLOW) -> int:
    """A prediction of the stream, anchored, with another one behind it."""
    anchored = min(anchor.size for anchor in node.log.anchors())
    bodies = list(node.log.bodies(0, anchored))
    return next(
        index
        for index in range(anchored // 2, anchored - 1)
        if is_prediction(bodies[index])
        and is_prediction(bodies[index + 1])
        and bodies[index][1] == decision
    )


def json_record_at(node: Node, kind: type[ModelRecord | ActRecord | OutcomesRecord]) -> int:
    bodies = enumerate(node.log.bodies())
    return next(index for index, body in bodies if isinstance(decode(body), kind))
