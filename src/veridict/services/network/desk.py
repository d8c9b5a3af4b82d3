"""A home's network: its models, its past, its source; opened for the commands and the dashboard.

home/network/   the models (`shelf`), and the outlook kept last (`views`)
"""

from __future__ import annotations

from pathlib import Path

from veridict.control import data
from veridict.control.blocks import BlockTable
from veridict.control.files import clean, read_blocks
from veridict.control.intake import Intake
from veridict.core.errors import BadInput
from veridict.core.ports import Clock
from veridict.services.network import shelf
from veridict.services.network.source import BlockSource, TableBlocks
from veridict.services.network.watch import WARM_BLOCKS, NetworkWatch, Tell, untold

LIVE_WARM_BLOCKS = 7_200


def sample() -> BlockTable:
    """The two days of mainnet that are shipped."""
    return read_blocks(data.MAINNET)


def open_watch(
    folder: Path,
    source: BlockSource,
    clock: Clock,
    *,
    live: bool,
    at: int | None = None,
    tell: Tell = untold,
) -> NetworkWatch:
    """Models of `folder`, and the source's past up to block `at`, by default all but its last.

    Raises NotFound without models, BadInput where the source has no past.
    """
    models, planner = shelf.load(folder)
    last = source.head() if at is None else min(at, source.head())
    first = max(0, last - (LIVE_WARM_BLOCKS if live else WARM_BLOCKS))
    past, _ = clean(source.read(first, last - 1), Intake(models.rule, models.block_time_s))
    if not len(past):
        raise BadInput(f"there is no block before {last}", remedy="choose a later block")
    if at is not None and isinstance(source, TableBlocks):
        whole = source.table
        source = TableBlocks(whole.slice(0, int((whole.number <= last).sum())))
    watch = NetworkWatch(source, models, planner, clock, live=live, tell=tell)
    watch.begin(past)
    watch.catch_up()
    return watch
