"""Every page at desk and phone width, light and dark: complete, quiet, and not too wide."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenPage, overflow, shot
from tests.browser.served import Real

PAGES = {
    "live": ("#/live", ".decision"),
    "cases": ("#/cases", ".case h3"),
    "prediction": ("#/prediction/{held}", ".stage"),
    "chain": ("#/chain", ".note"),
    "model": ("#/model", ".card .panel"),
    "plots": ("#/plots", ".drawing svg"),
    "audit": ("#/audit", ".audit-run"),
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_every_page_shows_its_data(
    real: Real, open_page: OpenPage, phone: bool, dark: bool
) -> None:
    held = real.example("hold").index
    page = open_page(real.url, "#/live", phone=phone, dark=dark)
    for name, (where, proof) in PAGES.items():
        page.goto(real.url + where.format(held=held))
        if name == "cases" and phone:
            page.locator(".case-list a").first.click()
        if name == "audit":
            page.get_by_role("button", name="Run the audit").click()
            proof = ".check"
        page.locator(proof).first.wait_for()
        page.mouse.move(0, 0)
        page.locator(".is-loading").first.wait_for(state="detached")
        shot(page, f"{name}-{'phone' if phone else 'desk'}-{'dark' if dark else 'light'}")
        assert overflow(page) == 0, name
