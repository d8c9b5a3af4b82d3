"""A case is worked on: handed on, noted, stopped for others, drawn as a ring, reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from tests.browser.conftest import OpenPage, overflow, shot
from tests.browser.served import TOKEN, Real
from tests.support.cases import decided, payment


@pytest.fixture(scope="module")
def ring(real: Real) -> int:
    """The case that closes a ring of five payments, among accounts that hang on it."""
    members = ["acc 1", "acc 2", "acc 3", "acc 4", "acc 5"]
    steps = list(zip(members, members[1:] + members[:1], strict=True))
    beside = [("shop 7", "acc 2"), ("acc 4", "wallet 9"), ("wallet 9", "shop 7")]
    made = decided(
        real.node, [payment(f"ring {a} {b}", a, b, 81_000_00) for a, b in [*steps, *beside]]
    )
    real.window.casework.act(made[0].index, "confirm", by="Ada", note="")
    return made[len(steps) - 1].index


def sign(page: Page, note: str = "") -> None:
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Note").fill(note)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_ring_is_drawn_and_told(
    real: Real, open_page: OpenPage, ring: int, phone: bool, dark: bool
) -> None:
    page = open_page(real.url, f"#/cases/{ring}", phone=phone, dark=dark)
    expect(page.locator(".graph .account")).to_have_count(7)
    expect(page.locator(".graph .edge.in-ring")).to_have_count(5)
    expect(page.locator(".graph .edge.is-confirmed")).to_have_count(1)
    expect(page.locator(".linked .soft").first).to_contain_text("closes a ring of 5 payments")
    expect(page.locator(".graph")).to_have_attribute(
        "aria-label", "7 accounts, 8 payment lines, a ring: acc 5, acc 1, acc 2, acc 3, acc 4"
    )
    expect(page.locator(".ties li").first).to_contain_text("account acc 5")
    page.locator(".graph-box summary").click()
    expect(page.locator(".graph-box tbody tr")).to_have_count(8)
    page.mouse.move(0, 0)
    shot(page, f"case-ring-{'phone' if phone else 'desk'}-{'dark' if dark else 'light'}")
    assert overflow(page) == 0


def test_a_case_is_handed_on_and_noted(real: Real, open_page: OpenPage) -> None:
    (made,) = decided(real.node, [payment("hand me on", "p 1", "q 1", 10**10)])
    page = open_page(real.url, f"#/cases/{made.index}")
    sign(page, "you know them")
    page.get_by_label("Hand on to").fill("Bob")
    page.get_by_role("button", name="Hand on").click()
    expect(page.locator(".acts")).to_contain_text("Given to Bob by Ada")
    expect(page.locator(f'.case-list a[data-case="{made.index}"]')).to_contain_text("Bob")
    sign(page, "called them")
    page.get_by_role("button", name="Only note").click()
    expect(page.locator(".acts blockquote").last).to_have_text("called them")
    assert real.window.casework.case(made.index).status == "open"


def test_a_cleared_case_stops_others_until_it_is_taken_back(
    real: Real, open_page: OpenPage
) -> None:
    (made,) = decided(real.node, [payment("clear", "p 2", "q 2", 10**10)])
    page = open_page(real.url, f"#/cases/{made.index}")
    sign(page, "rent")
    page.get_by_label("When released").check()
    page.get_by_role("button", name="Release", exact=True).click()
    expect(page.locator(".case .facts")).to_contain_text("Stops others")
    row = page.locator(".stopping tbody tr").first
    expect(row).to_contain_text("p 2 → q 2")
    (child,) = decided(real.node, [payment("child", "p 2", "q 2", 10**10)])
    assert real.window.casework.case(child.index).status == "suppressed"
    page.get_by_role("button", name="Stopped").click()
    expect(page.locator(f'.case-list a[data-case="{child.index}"]')).to_be_visible()
    shot(page, "case-stopped-desk-light")
    row.get_by_role("button", name="Take back").click()
    expect(row).to_contain_text("revoked")


@pytest.mark.slow
def test_reports_are_saved_with_and_without_names(
    real: Real, open_page: OpenPage, ring: int, tmp_path: Path
) -> None:
    page = open_page(real.url, f"#/cases/{ring}")
    saved: dict[str, list[Path]] = {}
    for button in ("Report without names", "Full report"):
        files: list[Download] = []

        def keep(one: Download, files: list[Download] = files) -> None:
            files.append(one)

        page.once("download", keep)
        sign(page)
        with page.expect_event(
            "download", lambda one: one.suggested_filename.endswith("json")
        ) as got:
            page.get_by_role("button", name=button).click()
        expect(page.locator(".case h2")).to_be_focused()
        for one in (*files, got.value):
            path = tmp_path / f"{button} {one.suggested_filename}"
            one.save_as(path)
            saved.setdefault(button, []).append(path)
    told = {kind: sorted(paths) for kind, paths in saved.items()}
    assert [len(paths) for paths in told.values()] == [2, 2]
    redacted, full = (json.loads(paths[1].read_text()) for paths in told.values())
    assert (redacted["redacted"], full["redacted"]) == (True, False)
    assert full["subject"] == "acc 5"
    assert "acc 5" not in told["Report without names"][0].read_text()
    for kind, paths in told.items():
        show_report(real, open_page, paths[0], "redacted" if "without" in kind else "full")


def show_report(real: Real, open_page: OpenPage, path: Path, name: str) -> None:
    """The page as a reader opens it, from a file of its own, on paper's width and a phone's."""
    for phone in (False, True):
        page = open_page(real.url, phone=phone, dark=phone)
        page.route("**/report.html", lambda route: route.fulfill(path=path))
        page.goto(real.url + "report.html")
        expect(page.locator("svg.graph circle")).to_have_count(7)
        shot(page, f"case-report-{name}-{'phone-dark' if phone else 'desk-light'}")
        assert overflow(page) == 0


def test_keys_move_and_lead_to_what_is_done(real: Real, open_page: OpenPage) -> None:
    page = open_page(real.url, "#/cases")
    page.locator(".case-list a").nth(1).wait_for()
    first, second = page.locator(".case-list .case-name").all_inner_texts()[:2]
    expect(page.locator(".case h2")).to_have_text(first)
    page.keyboard.press("j")
    expect(page.locator(".case h2")).to_have_text(second)
    page.keyboard.press("k")
    expect(page.locator(".case h2")).to_have_text(first)
    for key, stop in (("r", 'button[value="release"]'), ("c", 'button[value="confirm"]')):
        page.keyboard.press(key)
        expect(page.locator(stop)).to_be_focused()
    page.keyboard.press("n")
    expect(page.get_by_label("Note")).to_be_focused()
    page.keyboard.type("jack")  # letters in a note are letters
    expect(page.get_by_label("Note")).to_have_value("jack")
    expect(page.locator(".case h2")).to_have_text(first)
