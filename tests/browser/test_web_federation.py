"""The federation page: members, rounds, parts, refusals and what privacy cost; and none joined."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.browser.conftest import OpenPage, overflow, shot
from tests.browser.served import TOKEN
from tests.support.small_node import SmallNode
from veridict.apps.web.app import create_app
from veridict.apps.web.server import WebServer
from veridict.services.federation.views import (
    FILE,
    FederationView,
    MemberView,
    PartView,
    RefusalView,
    RoundView,
    kept,
)

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


def _view(rounds: list[RoundView]) -> FederationView:
    members = [
        MemberView(
            n, f"0x{n + 1:040x}", str(10**16), n != 3, ["round 4: norm"] * (n == 3),
            "1.234" if n != 2 else None,
        )
        for n in range(5)
    ]  # fmt: skip
    return FederationView(
        "four hospitals", CONTRACT, "logistic", "committee", "trust", 1, False, "3", members, rounds
    )


def _rounds() -> list[RoundView]:
    parts = [PartView(n, 0.25 if n < 3 else 0.0, str(10**14)) for n in range(5)]
    refusal = RefusalView(4, "federation.no-say", "the rule gave its update no part")
    lied = RefusalView(3, "committee.update", "its update is above the norm bound")
    everybody = list(range(5))
    return [
        RoundView(6, "under way", "vote", everybody, everybody[:4], [], [], None),
        RoundView(5, "failed", "failed", everybody[:2], [], [], [], None),
        RoundView(4, "final", "final", everybody, everybody, parts, [refusal, lied], 0.5123),
        RoundView(3, "final", "final", everybody, everybody, parts, [], 0.5555),
    ]


def _keep(home: Path, rounds: list[RoundView]) -> None:
    folder = home / "federation" / CONTRACT.lower()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(msgspec.json.encode(_view(rounds)))


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    app = create_app(SmallNode(), token=TOKEN, federations=lambda: kept(tmp_path))
    with WebServer(app) as server:
        yield server.url


def test_rounds_are_told_at_every_width(url: str, tmp_path: Path, open_page: OpenPage) -> None:
    _keep(tmp_path, _rounds())
    for phone in (False, True):
        for dark in (False, True):
            page = open_page(url, "#/federation", phone=phone, dark=dark)
            page.get_by_text("Member 4: the rule gave its update no part").wait_for()
            assert page.locator(".parts li").count() == 10
            assert page.get_by_text("under way: vote").count() == 1
            assert page.get_by_text("round 4: norm").count() == 1
            assert page.get_by_text("1.234").count() == 4
            assert page.get_by_text("0.5123").count() == 2  # the round's, and the newest known
            shot(page, f"federation-{'phone' if phone else 'desk'}-{'dark' if dark else 'light'}")
            assert overflow(page) == 0


def test_a_new_round_appears_by_itself(url: str, tmp_path: Path, open_page: OpenPage) -> None:
    _keep(tmp_path, _rounds()[2:])
    page = open_page(url, "#/federation")
    page.get_by_text("0.5123").first.wait_for()
    _keep(tmp_path, _rounds())
    page.get_by_text("under way: vote").wait_for(timeout=20_000)


def test_a_home_without_a_federation_says_what_to_run(url: str, open_page: OpenPage) -> None:
    page = open_page(url, "#/federation")
    page.get_by_text("veridict federate join").wait_for()
