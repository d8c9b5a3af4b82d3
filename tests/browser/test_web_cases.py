"""A person decides a case: with the token, by mouse or by keyboard alone."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.served import TOKEN, Real


def _fill(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Note").fill("spoke to the customer")


def test_release_needs_the_token_and_moves_the_payment(real: Real, open_page: OpenPage) -> None:
    case = real.open_payment()
    assert case.payment_id is not None
    page = open_page(real.url, f"#/cases/{case.row.index}", allow=("403",))
    _fill(page, "wrong")
    page.get_by_role("button", name="Release the payment").click()
    expect(page.get_by_role("alert")).to_contain_text("the token is not this node's")
    expect(page.get_by_label("Note")).to_have_value("spoke to the customer")
    assert real.node.payment_state(case.payment_id) == "held"
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Release the payment").click()
    expect(page.locator(".case .badge").first).to_have_text("Released")
    expect(page.locator(".acts")).to_contain_text("Released by Ada")
    expect(page.locator(".acts blockquote")).to_have_text("spoke to the customer")
    page.get_by_role("button", name="Released").click()
    expect(page.locator(f'.case-list a[data-case="{case.row.index}"]')).to_be_visible()
    assert real.node.payment_state(case.payment_id) == "released"


def test_a_case_decided_elsewhere_is_refused(real: Real, open_page: OpenPage) -> None:
    index = real.decide("pay-twice", "hold").index
    page = open_page(real.url, f"#/cases/{index}", allow=("409",))
    _fill(page, TOKEN)

    def decide_first(route: Route) -> None:
        real.window.act(index, "release", by="Bob", note="")
        route.continue_()

    page.route("**/api/cases/*/confirm", decide_first)  # Bob is a moment quicker
    page.get_by_role("button", name="Confirm the decision").click()
    expect(page.locator(".case")).to_contain_text("Released by Bob")


def test_a_note_being_typed_survives_other_cases(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url, "#/cases")
    expect(page.locator("#link-state")).to_have_text("Connected")
    page.get_by_label("Note").fill("half a thou")
    page.locator(".case-list a").first.wait_for()
    before = page.locator(".case-list a").count()
    oldest = real.window.cases(status="open", limit=500)[-1].row.index
    real.window.act(oldest, "confirm", by="Bob", note="")
    expect(page.locator(".case-list a")).to_have_count(before - 1)
    expect(page.get_by_label("Note")).to_have_value("half a thou")


def test_keyboard_alone_reaches_and_decides(real: Real, open_page: OpenPage) -> None:
    real.decide("pay-by-keyboard", "hold")
    real.decide("pay-above", "hold")
    page = open_page(real.url)
    page.locator(".decision").first.wait_for()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    _tab_to(page, 'nav a[data-page="cases"]')
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_be_focused()
    page.locator(".case-list a").first.wait_for()
    _tab_to(page, ".case-list a")
    page.keyboard.press("ArrowDown")
    second = page.locator(".case-list .case-name").nth(1).inner_text()
    expect(page.locator(".case h2")).to_have_text(second)
    _tab_to(page, '.case input[name="token"]')
    page.keyboard.type(TOKEN)
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    _tab_to(page, 'button[value="confirm"]')
    page.keyboard.press("Enter")
    expect(page.locator(".case .badge").first).to_have_text("Confirmed")
    expect(page.locator(".case h2")).to_be_focused()


def test_every_stop_of_the_keyboard_is_seen(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url, "#/cases")
    page.locator(".case-list a").first.wait_for()
    for _ in range(20):
        page.keyboard.press("Tab")
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring == "solid"


def test_a_token_in_the_address_is_taken_and_hidden(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url, f"#token={TOKEN}")
    expect(page).to_have_url(re.compile(r"#/live$"))
    page.goto(real.url + "#/cases")
    expect(page.get_by_label("Token")).to_have_value(TOKEN)
    assert page.evaluate("localStorage.length") == 0


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_a_case_tells_what_is_usual(real: Real, open_page: OpenPage) -> None:
    row = real.example("hold")
    compared = [reason.usual.text for reason in row.reasons if reason.usual]
    assert compared
    assert all(text.startswith("usually ") for text in compared)
    page = open_page(real.url, f"#/cases/{row.index}")
    expect(page.locator(".case .reasons small")).to_have_text(compared)
    page = open_page(real.url, f"#/prediction/{row.index}")
    expect(page.locator(".weights small.usual")).to_have_text(compared)
