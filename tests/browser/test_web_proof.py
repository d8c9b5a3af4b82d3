"""One prediction down to its proof, and the audit of all of them."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.served import Real, serve_small

STAGES = ["request", "features", "score", "commit", "log", "act", "audit"]


def test_the_seven_stages_in_order(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url, f"#/prediction/{real.example('hold').index}")
    expect(page.locator(".stage-chain .stage-word")).to_have_text(STAGES)
    expect(page.locator(".stage h3 .stage-word")).to_have_text(STAGES)


def test_a_receipt_is_saved_as_a_file(real: Real, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(real.url, f"#/prediction/{real.example('hold').index}")
    index = real.example("hold").index
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download receipt").click()
    assert waiting.value.suggested_filename == f"veridict-receipt-{index}.json"
    waiting.value.save_as(tmp_path / "receipt.json")
    assert (tmp_path / "receipt.json").read_bytes() == real.window.receipt_json(index)


def test_a_receipt_is_offered_once_the_record_is_anchored(real: Real, open_page: OpenPage) -> None:
    index = real.decide("pay-soon", "allow").index
    page = open_page(real.url, f"#/prediction/{index}")
    expect(page.get_by_role("button", name="Download receipt")).to_be_disabled()
    expect(page.locator("#link-state")).to_have_text("Connected")
    real.node.anchor()  # the node's heart tells it
    expect(page.get_by_role("button", name="Download receipt")).to_be_enabled()


def test_a_hash_is_cut_for_the_eye_and_copied_whole(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url, f"#/prediction/{real.example('hold').index}")
    shown = page.locator(".stage .hash code").first
    whole = shown.get_attribute("title") or ""
    assert len(whole) == 64
    assert "…" in shown.inner_text()
    page.locator(".stage .hash button").first.click()
    assert page.evaluate("navigator.clipboard.readText()") == whole


def test_a_prediction_that_is_not_there(real: Real, open_page: OpenPage) -> None:
    index = real.example("hold").index
    page = open_page(real.url, "#/prediction/999999", allow=("404",))
    expect(page.get_by_role("alert")).to_contain_text("has no record 999999")
    page.get_by_label("Log index").fill(str(index))
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".verdict h2")).to_have_text(real.example("hold").request_id)


def test_the_audit_lists_its_checks(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url, "#/audit")
    page.get_by_role("button", name="Run the audit").click()
    checks = real.window.audit()
    expect(page.locator(".outcome")).to_contain_text(f"All {len(checks)} checks passed")
    expect(page.locator(".check h2")).to_have_text([check.title for check in checks])
    expect(page.get_by_role("button", name="Run the audit")).to_be_enabled()


def test_the_audit_names_what_it_found(open_page: OpenPage) -> None:
    with serve_small() as url:
        page = open_page(url, "#/audit")
        page.get_by_role("button", name="Run the audit").click()
        expect(page.locator(".outcome")).to_contain_text("1 check of 3 failed")
        expect(page.locator(".check").first).to_contain_text("record.altered")
        page.close()


def test_the_chosen_light_is_remembered(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url, "#/model")
    page.get_by_role("button", name="Use dark colours").click()
    page.reload()
    expect(page.get_by_role("button", name="Use light colours")).to_be_visible()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(15, 21, 22)"


def test_the_card_names_its_data_and_libraries(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url, "#/model")
    card = page.locator(".card")
    expect(card).to_contain_text("AMLSim transfers with fan-in and cycle rings (https://www.apache")
    expect(card).to_contain_text("lightgbm 4")
    expect(page.get_by_text("More on the card")).to_have_count(0)
