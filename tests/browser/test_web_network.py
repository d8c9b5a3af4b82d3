"""The network page: a fan and its calibration from two days of mainnet, a plan, and nothing yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import OpenPage, overflow, shot
from tests.browser.served import TOKEN
from tests.support.network import PAST, mainnet, small_models, small_planner
from tests.support.small_node import SmallNode
from veridict.apps.web.app import create_app
from veridict.apps.web.server import WebServer
from veridict.services.network import shelf
from veridict.services.network.desk import open_watch
from veridict.services.network.outlook import outlook
from veridict.services.network.source import TableBlocks
from veridict.services.network.views import keep, kept


def _kept(folder: Path) -> None:
    shelf.save(folder, small_models(), small_planner())
    number = int(mainnet().number[PAST + 900])
    watch = open_watch(folder, TableBlocks(mainnet()), lambda: 0, live=False, at=number)
    keep(folder, outlook(watch, caps_gwei=(20.0, 60.0), deadline_s=3_600))


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A dashboard whose network page shows what is kept in `tmp_path`."""
    app = create_app(SmallNode(), token=TOKEN, outlook=lambda: kept(tmp_path))
    with WebServer(app) as server:
        yield server.url


@pytest.mark.slow
def test_the_fan_is_drawn_at_every_width(url: str, tmp_path: Path, open_page: OpenPage) -> None:
    _kept(tmp_path)
    for phone in (False, True):
        for dark in (False, True):
            page = open_page(url, "#/network", phone=phone, dark=dark)
            page.locator(".drawing svg polygon.under").wait_for()
            assert page.locator(".drawing svg").count() == 2
            assert page.locator("circle.dot").count() == 2 * 3  # horizons × levels
            assert page.get_by_text("gwei, exactly").count() == 1
            assert page.get_by_text("Would pay now", exact=True).count() == 1
            box = page.locator(".beside .panel").first.bounding_box()
            assert box is not None
            assert box["height"] > 100
            shot(page, f"network-{'phone' if phone else 'desk'}-{'dark' if dark else 'light'}")
            assert overflow(page) == 0


def test_a_home_without_a_forecast_says_what_to_run(url: str, open_page: OpenPage) -> None:
    page = open_page(url, "#/network")
    page.get_by_text("veridict network forecast").wait_for()
