"""One prediction down to its proof, and the audit of all of them."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.served import Served
from tests.support.small_node import SmallNode

STAGES = ["request", "features", "score", "commit", "log", "act", "audit"]


def test_the_seven_stages_in_order(small: Served[SmallNode], open_page: OpenPage) -> None:
    page = open_page(small, "#/prediction/11")
    expect(page.locator(".stage-chain .stage-word")).to_have_text(STAGES)
    expect(page.locator(".stage h3 .stage-word")).to_have_text(STAGES)


def test_a_receipt_is_saved_as_a_file(
    small: Served[SmallNode], open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(small, "#/prediction/11")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download receipt").click()
    assert waiting.value.suggested_filename == "veridict-receipt-11.json"
    waiting.value.save_as(tmp_path / "receipt.json")
    assert json.loads((tmp_path / "receipt.json").read_text())["request"] == "pay-10011"


def test_a_receipt_is_offered_once_the_record_is_anchored(
    small: Served[SmallNode], open_page: OpenPage
) -> None:
    page = open_page(small, "#/prediction/239")
    expect(page.get_by_role("button", name="Download receipt")).to_be_disabled()
    expect(page.locator("#link-state")).to_have_text("Connected")
    small.node.anchor()
    expect(page.get_by_role("button", name="Download receipt")).to_be_enabled()


def test_a_hash_is_cut_for_the_eye_and_copied_whole(
    small: Served[SmallNode], open_page: OpenPage
) -> None:
    page = open_page(small, "#/prediction/11")
    shown = page.locator(".stage .hash code").first
    whole = shown.get_attribute("title") or ""
    assert len(whole) == 64
    assert "…" in shown.inner_text()
    page.locator(".stage .hash button").first.click()
    assert page.evaluate("navigator.clipboard.readText()") == whole


def test_a_prediction_that_is_not_there(small: Served[SmallNode], open_page: OpenPage) -> None:
    page = open_page(small, "#/prediction/999999", allow=("404",))
    expect(page.get_by_role("alert")).to_contain_text("no prediction 999999")
    page.get_by_label("Log index").fill("5")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".verdict h2")).to_have_text("pay-10005")


def test_the_audit_names_what_it_found(small: Served[SmallNode], open_page: OpenPage) -> None:
    page = open_page(small, "#/audit")
    page.get_by_role("button", name="Run the audit").click()
    expect(page.locator(".outcome")).to_contain_text("1 check of 3 failed")
    expect(page.locator(".check").first).to_contain_text("record.altered")
    expect(page.get_by_role("button", name="Run the audit")).to_be_enabled()


def test_the_chosen_light_is_remembered(small: Served[SmallNode], open_page: OpenPage) -> None:
    page = open_page(small, "#/model")
    page.get_by_role("button", name="Use dark colours").click()
    page.reload()
    expect(page.get_by_role("button", name="Use light colours")).to_be_visible()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(15, 21, 22)"
