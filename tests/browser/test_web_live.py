"""The live page follows the node; nothing that a request is called can run or spill."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, overflow
from tests.browser.served import Served
from tests.support.small_node import SmallNode
from veridict.core.nouns import Stage
from veridict.core.progress import Step
from veridict.services.views import FindingView, ReasonView

HOSTILE = (
    '<img src=x onerror="alert(1)">',
    "<script>alert(2)</script>",
    "javascript:alert(3)",
    "'\"><svg onload=alert(4)>",
    "\u202egnp.exe " + "x" * 300,
    "__proto__",
)


def test_a_new_decision_appears_by_itself(small: Served[SmallNode], open_page: OpenPage) -> None:
    page = open_page(small)
    expect(page.locator("#link-state")).to_have_text("Connected")
    small.node.add("pay-new", 3.0, "account 9")
    first = page.locator(".decision").first
    expect(first).to_contain_text("pay-new")
    expect(first).to_contain_text("Hold")
    expect(first.locator(".reasons li")).to_have_count(3)


def test_counters_follow_the_status(small: Served[SmallNode], open_page: OpenPage) -> None:
    page = open_page(small)
    expect(page.locator(".tile .figure").first).to_have_text("240")
    small.node.add("pay-new", 3.0)
    small.node.anchor()
    expect(page.locator(".tile .figure").first).to_have_text("241")
    expect(page.locator(".tile .figure").nth(2)).to_have_text("100.0 %")


def test_the_demo_is_told_in_seven_stages(small: Served[SmallNode], open_page: OpenPage) -> None:
    small.node.demo = "running"
    page = open_page(small)
    expect(page.locator("#link-state")).to_have_text("Connected")
    small.node.bus.publish("step", Step(Stage.SCORE, "scoring payments", 300, 1000))
    expect(page.locator(".demo .is-now")).to_contain_text("score")
    expect(page.locator(".demo .is-done")).to_have_count(2)
    expect(page.locator(".demo .step")).to_contain_text("300 of 1,000")


def test_a_finding_is_shown_as_it_is_made(small: Served[SmallNode], open_page: OpenPage) -> None:
    page = open_page(small)
    expect(page.locator("#link-state")).to_have_text("Connected")
    small.node.bus.publish("finding", FindingView("record.altered", "record 7", "aa", "bb"))
    expect(page.locator(".findings")).to_contain_text("record.altered at record 7")


def test_pause_holds_the_stream(small: Served[SmallNode], open_page: OpenPage) -> None:
    page = open_page(small)
    expect(page.locator("#link-state")).to_have_text("Connected")
    page.get_by_role("button", name="Pause").click()
    small.node.add("pay-held", 3.0)
    small.node.anchor()  # its status arrives after the decision, so the decision was there
    expect(page.locator(".tile .figure").first).to_have_text("241")
    expect(page.locator(".decision").first).not_to_contain_text("pay-held")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".decision").first).to_contain_text("pay-held")


def test_the_filter_shows_one_decision_only(small: Served[SmallNode], open_page: OpenPage) -> None:
    page = open_page(small)
    page.get_by_role("button", name="Hold").click()
    expect(page.locator(".decision.is-allow")).to_have_count(0)
    expect(page.locator(".decision.is-hold")).to_have_count(14)


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_hostile_names_are_only_text(
    small: Served[SmallNode], open_page: OpenPage, phone: bool
) -> None:
    for name in HOSTILE:
        small.node.add(name, 3.0, name, [ReasonView(name, name, 1.0, name)])
    page = open_page(small, phone=phone)
    last = 240 + len(HOSTILE) - 1
    for where in ("#/live", "#/cases", f"#/cases/{last - 2}", f"#/prediction/{last - 5}"):
        page.goto(small.url + where)
        named = page.get_by_text("onerror").or_(page.get_by_text("onload"))
        named.locator("visible=true").first.wait_for()
        assert page.locator("main img, main script, main [onerror], main [onload]").count() == 0
        assert overflow(page) == 0, where


def test_a_node_that_goes_away_is_said(small: Served[SmallNode], open_page: OpenPage) -> None:
    page = open_page(small, allow=("ERR_", "Failed to load"))
    expect(page.locator("#link-state")).to_have_text("Connected")
    page.context.set_offline(True)
    page.goto(small.url + "#/plots")
    expect(page.get_by_role("alert")).to_contain_text("The node does not answer")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".drawing svg").first).to_be_visible()
