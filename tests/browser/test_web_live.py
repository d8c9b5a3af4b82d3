"""The live page follows the node; nothing that a request is called can run or spill."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, overflow, shot
from tests.browser.served import Real
from veridict.core.nouns import Stage
from veridict.core.progress import Step
from veridict.services.views import FindingView

HOSTILE = (
    '<img src=x onerror="alert(1)">',
    "<script>alert(2)</script>",
    "javascript:alert(3)",
    "'\"><svg onload=alert(4)>",
    "\u202egnp.exe " + "x" * 300,
    "__proto__",
)


def test_a_new_decision_appears_by_itself(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url)
    expect(page.locator("#link-state")).to_have_text("Connected")
    before = real.window.status().predictions
    expect(page.locator(".tile .figure").first).to_have_text(f"{before:,}")
    real.decide("pay-new", "hold")
    first = page.locator(".decision").first
    expect(first).to_contain_text("pay-new")
    expect(first).to_contain_text("Hold")
    expect(first.locator(".reasons li")).to_have_count(3)
    expect(page.locator(".tile .figure").first).to_have_text(f"{before + 1:,}")


def test_a_told_decision_needs_no_question(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url)
    expect(page.locator("#link-state")).to_have_text("Connected")
    page.locator(".decision").first.wait_for()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    row = replace(real.example("hold"), index=10**9, request_id="pay-told")
    real.node.bus.publish("prediction", row)
    expect(page.locator(".decision").first).to_contain_text("pay-told")
    assert asked == []


def test_the_demo_is_told_in_seven_stages(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url)
    real.window.demo = "scoring payments"
    expect(page.locator("#link-state")).to_have_text("Connected")
    real.node.bus.publish("step", Step(None, "training the model", 3, 10))
    real.node.bus.publish("status", real.window.status())
    expect(page.locator(".demo .step")).to_contain_text("training the model 3 of 10")
    expect(page.locator(".demo .is-todo")).to_have_count(7)
    real.node.bus.publish("step", Step(Stage.SCORE, "scoring payments", 300, 1000))
    expect(page.locator(".demo .is-now")).to_contain_text("score")
    expect(page.locator(".demo .is-done")).to_have_count(2)
    expect(page.locator(".demo .step")).to_contain_text("300 of 1,000")
    shot(page, "live-demo-desk-light")
    real.window.demo = "done"
    real.node.bus.publish("status", real.window.status())
    expect(page.locator(".demo .is-done")).to_have_count(7)


def test_a_finding_is_shown_as_it_is_made(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url)
    expect(page.locator("#link-state")).to_have_text("Connected")
    real.node.bus.publish("finding", FindingView("record.altered", "record 7", "aa", "bb"))
    expect(page.locator(".findings")).to_contain_text("record.altered at record 7")


def test_the_focus_stays_while_counters_change(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url)
    expect(page.locator("#link-state")).to_have_text("Connected")
    link = page.get_by_role("link", name="Waiting for a human")
    link.focus()
    made = real.decide("pay-meanwhile", "hold")
    expect(page.locator(".decision").first).to_contain_text(made.request_id)
    expect(link).to_be_focused()


def test_pause_holds_the_stream(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url)
    expect(page.locator("#link-state")).to_have_text("Connected")
    page.locator(".decision").first.wait_for()
    page.get_by_role("button", name="Pause").click()
    real.decide("pay-held", "hold")
    after = real.window.status().predictions
    expect(page.locator(".tile .figure").first).to_have_text(f"{after:,}")
    expect(page.locator(".decision").first).not_to_contain_text("pay-held")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".decision").first).to_contain_text("pay-held")


def test_the_filter_shows_one_decision_only(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url)
    page.get_by_role("button", name="Hold").click()
    expect(page.locator(".decision.is-allow")).to_have_count(0)
    held = min(30, real.window.status().counts["hold"])
    expect(page.locator(".decision.is-hold")).to_have_count(held)


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_hostile_names_are_only_text(real: Real, open_page: OpenPage, phone: bool) -> None:
    indices = [real.decide(name, "hold").index for name in HOSTILE]
    page = open_page(real.url, phone=phone)
    for where in (
        "#/live",
        "#/cases",
        *(f"#/{kind}/{indices[3]}" for kind in ("cases", "prediction")),
    ):
        page.goto(real.url + where)
        named = page.get_by_text("onerror").or_(page.get_by_text("onload"))
        named.locator("visible=true").first.wait_for()
        assert page.locator("main img, main script, main [onerror], main [onload]").count() == 0
        assert overflow(page) == 0, where


def test_a_name_cannot_turn_the_text_around(real: Real, open_page: OpenPage) -> None:
    index = real.decide("invoice\u202egnp.exe", "hold").index
    page = open_page(real.url, f"#/prediction/{index}")
    expect(page.locator(".verdict h2")).to_have_text("invoice⟨U+202E⟩gnp.exe")
    assert "\u202e" not in page.locator("main").inner_text()


def test_a_node_that_goes_away_is_said(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url, allow=("ERR_", "Failed to load"))
    expect(page.locator("#link-state")).to_have_text("Connected")
    page.context.set_offline(True)
    page.goto(real.url + "#/plots")
    expect(page.get_by_role("alert")).to_contain_text("The node does not answer")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".drawing svg").first).to_be_visible()
