"""Feeds on the command line: followed side by side, told as they are decided, and their status."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from veridict.apps.cli.render import console, facts_table, print_json
from veridict.apps.feeds import Ways, feed_of, watcher_of
from veridict.apps.settings import Settings
from veridict.apps.trust import open_log
from veridict.apps.wire import open_node
from veridict.core.nouns import Decision
from veridict.services.feeding.follow import Followed, follow
from veridict.services.feeding.telling import FeedView, feed_views, tallies_of
from veridict.watch.detectors.base import Detector
from veridict.watch.feeds.base import Arrived, Dropped, Outcome
from veridict.watch.scenario import Scenario

_STYLES = {Decision.ALLOW: "dim", Decision.REVIEW: "yellow", Decision.HOLD: "bold red"}


def follow_all(
    settings: Settings,
    scenario: Scenario[Any],
    sources: Sequence[str],
    ways: Ways,
    detectors: Callable[[], Sequence[Detector]],
    *,
    each: bool,
    as_json: bool,
) -> None:
    """Until all have ended or the user stops; raises what the first that failed raised."""
    told = _Teller(each, as_json)
    with ExitStack() as opened:
        node = opened.enter_context(open_node(settings, scenario))
        watcher = watcher_of(node, settings, scenario, detectors)
        opened.callback(watcher.close)
        feeds = [feed_of(source, ways, node, opened) for source in sources]
        stopping = opened.enter_context(_until_stopped())
        if not as_json:
            console.print(f"following {', '.join(feed.name for feed in feeds)}", style="dim")
        with ThreadPoolExecutor(len(feeds)) as threads:
            running = [
                threads.submit(follow, node, watcher, feed, stop=stopping.is_set, told=told)
                for feed in feeds
            ]
            try:
                done = [one.result() for one in running]
            except BaseException:
                stopping.set()
                raise
            finally:
                for feed in feeds:
                    feed.close()
        node.anchor()
    told.finish(done)


def show_status(settings: Settings, *, as_json: bool) -> None:
    """Read from the log alone, also while the node runs."""
    with open_log(settings) as log:
        views = feed_views(log, tallies_of(log))
    if as_json:
        print_json(views)
        return
    if not views:
        console.print("no feed was followed yet: veridict watch SOURCE")
        return
    table = Table(Column("feed", no_wrap=True), "behind", "not decided", "because")
    for view in views:
        for at, row in enumerate(_refused_rows(view)):
            table.add_row(*((view.name, view.cursor[:40]) if at == 0 else ("", "")), *row)
    console.print(table)


def _refused_rows(view: FeedView) -> list[tuple[str, str]]:
    rows = [(f"{one.count:,}", f"{one.code}: {one.means}") for one in view.refused]
    return rows or [("0", "")]


class _Teller:
    """Draws what is decided, in the order in which it is."""

    def __init__(self, each: bool, as_json: bool) -> None:
        self._each, self._as_json = each, as_json
        self._lock = threading.Lock()

    def __call__(self, so_far: Followed, outcomes: Sequence[Outcome]) -> None:
        with self._lock:
            for outcome in outcomes:
                if self._each or outcome.refused or outcome.decision is not Decision.ALLOW:
                    self._tell(outcome)

    def finish(self, done: Sequence[Followed]) -> None:
        refused: Counter[str] = sum((one.refused for one in done), Counter())
        decided: Counter[str] = sum((one.decided for one in done), Counter())
        seconds = max(one.seconds for one in done)
        facts = {
            "decided": decided.total(),
            "decided_before": sum(one.again for one in done),
            "per_second": round(decided.total() / seconds) if seconds else 0,
            **{decision.word: decided[decision.word] for decision in Decision},
            "not_decided": dict(refused),
        }
        if self._as_json:
            print_json(facts)
            return
        told = {**facts, "not_decided": ", ".join(f"{k} {v:,}" for k, v in refused.items()) or "–"}
        console.print(facts_table("watched", [(k.replace("_", " "), v) for k, v in told.items()]))

    def _tell(self, outcome: Outcome) -> None:
        if outcome.again:
            return
        if self._as_json:
            print_json(_line(outcome))
            return
        line = _line(outcome)
        style = "magenta" if outcome.refused else _STYLES[outcome.decision or Decision.ALLOW]
        word = f"[{style}]{line['decision'] or line['refused']:<8}[/{style}]"
        console.print(f"{word} {escape(line['what'])}")
        for reason in line["reasons"]:
            console.print(f"         {escape(reason)}", style="dim")


def _line(outcome: Outcome) -> dict[str, Any]:
    item = outcome.item
    if isinstance(item, Arrived):
        paid = item.event.transfer
        id, what = item.event.id, f"{paid.payer} → {paid.payee}  {paid.amount} {paid.asset}"
    else:
        id, what = ("", item.why) if isinstance(item, Dropped) else (item.id, item.why)
    return {
        "id": id,
        "what": what,
        "decision": outcome.decision.word if outcome.decision is not None else None,
        "index": outcome.index,
        "refused": outcome.refused,
        "reasons": list(outcome.reasons),
    }


@contextmanager
def _until_stopped() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM let the running batch end; a second one stops at once."""
    stopping = threading.Event()

    def stop(number: int, frame: object) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
