"""The page of the log and its chains: each with its standing, its fees and its trouble."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, overflow, shot
from tests.browser.served import serve_small


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_each_chain_is_told(open_page: OpenPage, phone: bool) -> None:
    with serve_small() as url:
        page = open_page(url, "#/chain", phone=phone)
        rows = page.get_by_role("region", name="Chains on which this log is anchored").locator(
            "tbody tr"
        )
        expect(rows).to_have_count(3)
        expect(rows.nth(1)).to_contain_text("sepolia (11155111)")
        expect(rows.nth(1)).to_contain_text("21 gwei, posts at 7 gwei")
        expect(rows.nth(1)).to_contain_text("30.0 %")  # 0.006 of 0.02 ether saved
        expect(rows.nth(2)).to_contain_text("chain.unavailable")
        shot(page, f"chains-{'phone' if phone else 'desk'}")
        assert overflow(page) == 0
        page.close()
