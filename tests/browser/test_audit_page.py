"""The audit report as a page: at desk and phone width, light and dark, on paper, and hostile."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from tests.browser.conftest import OpenPage, overflow, shot
from tests.support.packs import flipped, repacked, verified
from tests.support.small_pack import OPERATOR, SIGNER, grouping, small_pack
from veridict.apps.packs import look
from veridict.services.pack import layout
from veridict.services.pack.layout import Claim
from veridict.services.pack.page import page as as_page
from veridict.services.pack.verifying import Brought, Report

EVIL = '<img src="x" onerror="document.title=1"><script>document.title=2</script>'


def written(target: Path, report: Report) -> str:
    tokens, seal = look()
    target.write_text(as_page(report, tokens=tokens, seal=seal, told_at="2026-01-01 12:00:00 UTC"))
    return target.as_uri()


def report_of(data: bytes) -> Report:
    known = Brought(keys=(SIGNER.verifier,), operator=OPERATOR, grouping=grouping)
    return verified(BytesIO(data), known)


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    directory = tmp_path_factory.mktemp("pages")
    whole = repacked(small_pack(), directory / "p.zip", SIGNER)
    altered = flipped("payloads/000", 300)(dict(small_pack()))
    damaged = repacked(altered, directory / "d.zip")
    evil = [Claim(EVIL, EVIL, EVIL, EVIL, 1)]
    hostile = {**small_pack(), layout.METRICS: layout.encode_claims(evil)}
    packs = {
        "part": whole,
        "fails": damaged,
        "hostile": repacked(hostile, directory / "h.zip", SIGNER),
    }
    return {
        name: written(directory / f"{name}.html", report_of(path.read_bytes()))
        for name, path in packs.items()
    }


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)], ids=["desk", "phone"])
def test_the_report_shows_every_answer(
    urls: dict[str, str], open_page: OpenPage, phone: bool, dark: bool
) -> None:
    for name, headline in (("part", "Nothing is wrong"), ("fails", "This does not hold")):
        page = open_page(urls[name], "", phone=phone, dark=dark)
        page.get_by_text(headline).first.wait_for()
        assert page.locator(".answer").count() == 11
        assert page.locator(".ten li").count() == 10
        assert page.locator(".badge").count() == 11
        assert overflow(page) == 0
        shot(page, f"report-{name}-{'phone' if phone else 'desk'}-{'dark' if dark else 'light'}")


def test_a_finding_stands_where_it_belongs(urls: dict[str, str], open_page: OpenPage) -> None:
    page = open_page(urls["fails"], "")
    assert page.locator("#q0 .list b").first.inner_text() == "pack.altered"
    page.locator('.ten a[href="#q6"]').click()
    assert page.url.endswith("#q6")
    assert page.locator("#q10").is_visible()


def test_it_prints_on_a_few_pages(urls: dict[str, str], open_page: OpenPage) -> None:
    page = open_page(urls["part"], "")
    sheet = page.pdf(format="A4", print_background=True)
    assert sheet.startswith(b"%PDF")
    pages = sheet.count(b"/Type /Page") - sheet.count(b"/Type /Pages")
    assert 1 < pages < 8
    folder = Path("build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.pdf").write_bytes(sheet)


def test_what_a_hostile_pack_says_is_text(urls: dict[str, str], open_page: OpenPage) -> None:
    page = open_page(urls["hostile"], "")
    assert page.title().startswith("Audit of")
    assert page.locator("img, script").count() == 0
    assert page.get_by_text("onerror").first.is_visible()
