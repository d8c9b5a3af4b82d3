"""A real Chromium on a served dashboard; what it complains of fails the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browser.served import Real, serve_real
from tests.support.missing import missing

ARGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
NAMES = ("chromium", "chromium-browser", "google-chrome")
# Another test may give the machine a network of its own, and take it away: the page asks again.
MOVED = "net::ERR_NETWORK_CHANGED"
expect.set_options(timeout=30_000)  # ms; a machine may be busy with other tests

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    given = os.environ.get("VERIDICT_CHROMIUM")
    path = given or next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        missing("chromium", "apt-get install chromium, or set VERIDICT_CHROMIUM to its path")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def real(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """One node for all tests; each brings the predictions or takes the cases that it changes."""
    with serve_real(tmp_path_factory.mktemp("node")) as told:
        yield told


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """open_page(real.url, "#/cases", phone=False, dark=False, allow=("403",)) → Page.

    Afterwards nothing may have been logged as an error, no policy violated, no
    other host asked. `allow`: texts of console errors that the test provokes.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(
        url: str,
        where: str = "#/live",
        *,
        phone: bool = False,
        dark: bool = False,
        allow: tuple[str, ...] = (),
    ) -> Page:
        context = browser.new_context(
            viewport=PHONE if phone else DESKTOP,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        page = context.new_page()
        _listen(page, url, allow, complaints)
        page.goto(url + where)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _listen(page: Page, url: str, allow: tuple[str, ...], complaints: list[str]) -> None:
    def complain(kind: str, text: str) -> None:
        if not any(known in text for known in (MOVED, *allow)):
            complaints.append(f"{kind}: {text}")

    def on_console(said: ConsoleMessage) -> None:
        if said.type == "error":
            complain("console", said.text)

    def on_request(request: Request) -> None:
        if not request.url.startswith((url, "blob:")):
            complain("foreign", request.url)

    page.on("pageerror", lambda error: complain("script", str(error)))
    page.on("console", on_console)
    page.on("dialog", lambda dialog: complain("dialog", dialog.message))
    page.on("request", on_request)


def overflow(page: Page) -> int:
    """CSS pixels by which the page is wider than the window."""
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return max(0, int(width))


def shot(page: Page, name: str) -> None:
    """A screenshot under build/, for people to look at."""
    folder = Path("build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
