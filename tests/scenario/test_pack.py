"""A pack of the demo in a stranger's hands: ten answers, and every false one named.

The pack is written from a node that told the demo on real data, acted on a case and anchored.
`test_pack_lies` has the keeper who packs a log of lies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.cli import run
from tests.support.pack_lies import (
    false_act,
    looked_ahead,
    other_payment,
    other_request,
    without_act,
    without_settlement,
)
from tests.support.packs import (
    Members,
    anchors,
    codes,
    flipped,
    put,
    repacked,
    rows_in,
    unpacked,
    verified,
)
from tests.support.told import opened, payments, told_copy
from veridict.apps.packs import look, open_exhibit
from veridict.apps.settings import Settings
from veridict.chain.embedded import EmbeddedChain
from veridict.core.errors import Refused
from veridict.ledger.keys import load_or_create_signer
from veridict.proofs.note import Signer
from veridict.services.acting import act, erase
from veridict.services.node import Node
from veridict.services.pack import layout
from veridict.services.pack.answers import Data, Standing
from veridict.services.pack.layout import Claim
from veridict.services.pack.page import page
from veridict.services.pack.verifying import Brought
from veridict.services.pack.writing import export
from veridict.services.records import is_prediction
from veridict.solutions.roster import grouping_of_data


@dataclass(frozen=True, slots=True)
class Told:
    """The node, its pack, and all that an auditor can know about both from elsewhere."""

    node: Node
    home: Path
    pack: Path
    signer: Signer
    members: Members
    rpc_url: str
    data: Data
    early: Path

    def brought(self, **changed: Any) -> Brought:
        known: dict[str, Any] = {
            "keys": (self.signer.verifier,),
            "operator": self.node.operator,
            "rpcs": (self.node.network.client.rpc,),
            "data": self.data,
            "grouping": grouping_of_data("amlsim"),
        }
        return Brought(**{**known, **changed})


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    directory = tmp_path_factory.mktemp("packed")
    home = told_copy(directory / "home")
    with opened(home) as node:
        cases = [index for index, case in node.board.cases.items() if not case.acts]
        with open_exhibit(Settings(home)) as exhibit:
            export(exhibit, directory / "early.zip")
        for index in cases[:2]:  # so that the note of the first anchor is in the pack
            act(node, index, "confirm", by="an analyst", note="as reported")
            node.anchor()
        with open_exhibit(Settings(home)) as exhibit:
            export(exhibit, directory / "p.zip")
        signer = load_or_create_signer(home / "log", node.log.origin)
        members = unpacked(directory / "p.zip")
        data = Data(payments(), payments().load())
        yield Told(
            node, home, directory / "p.zip", signer, members, node.rpc_url, data,
            directory / "early.zip",
        )  # fmt: skip


def test_a_stranger_gets_ten_answers(told: Told, tmp_path: Path) -> None:
    """In another process, in an empty directory, with a home that holds nothing."""
    page = tmp_path / "out.html"
    ran = subprocess.run(
        [
            sys.executable, "-m", "veridict.apps.cli.main", "audit", "verify", str(told.pack),
            "--rpc", told.rpc_url, "--vkey", told.signer.verifier.vkey,
            "--operator", told.node.operator, "--page", str(page), "--json",
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "VERIDICT_HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads(ran.stdout)
    assert [answer["number"] for answer in report["answers"]] == list(range(11))
    assert {answer["standing"] for answer in report["answers"]} == {"holds"}
    assert all(answer["evidence"] and answer["examined"] for answer in report["answers"])
    assert report["standing"] == "holds"
    assert page.read_text().startswith("<!doctype html>")


def test_offline_it_says_what_it_could_not_ask(told: Told) -> None:
    report = verified(told.pack, Brought(keys=(told.signer.verifier,)))
    assert report.standing is Standing.IN_PART
    assert codes(report) == set()
    standings = {answer.number: answer.standing for answer in report.answers}
    assert standings[4] is standings[10] is Standing.HOLDS
    unasked = [line for answer in report.answers for line in answer.unasked]
    assert sum("no chain given" in line for line in unasked) == 6
    assert sum("not answerable from this pack" in line for line in unasked) == 4


def test_nobody_is_believed_who_was_not_named(told: Told) -> None:
    unnamed = verified(told.pack, Brought())
    assert any("whose key this is" in line for line in unnamed.whose.unasked)
    vouched = verified(told.pack, told.brought(keys=()))
    assert vouched.standing is Standing.HOLDS
    key = next(told.value for told in vouched.whose.evidence if told.label == "key")
    assert "vouched for by" in key
    nameless = verified(told.pack, told.brought(operator=None))
    assert nameless.standing is Standing.IN_PART
    assert any("the pack's own word" in line for line in nameless.whose.unasked)


def test_the_same_log_gives_the_same_bytes(told: Told, tmp_path: Path) -> None:
    with open_exhibit(Settings(told.home)) as exhibit:
        done = export(exhibit, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == told.pack.read_bytes()
    assert done.size + done.behind == told.node.log.size
    assert done.bytes == told.pack.stat().st_size


def test_every_tool_can_check_the_digests(told: Told, tmp_path: Path) -> None:
    for name, data in told.members.items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "--strict", layout.SUMS], cwd=tmp_path, check=False
    )
    assert checked.returncode == 0


def test_payloads_outside_of_the_range_stay_at_home(told: Told, tmp_path: Path) -> None:
    first, stop = 400, 700
    with open_exhibit(Settings(told.home)) as exhibit:
        done = export(exhibit, tmp_path / "some.zip", first=first, stop=stop)
    assert done.opened == (first, stop)
    data = (tmp_path / "some.zip").read_bytes()
    rows = rows_in(told.members)
    for index in (first - 1, stop):
        payload = rows[index][1]
        assert payload is not None
        assert payload.request_salt not in data
        assert payload.request.content not in data
    inside = rows[first][1]
    assert inside is not None
    assert inside.request.content in data
    report = verified(tmp_path / "some.zip", told.brought())
    assert codes(report) == set()
    assert report.standing is Standing.IN_PART
    again = report.answers[4]
    assert again.examined == sum(is_prediction(body) for body, _ in rows[first:stop])
    assert any("withholds the inputs" in line for line in again.unasked)


@dataclass(frozen=True, slots=True)
class Defect:
    """Only a chain tells it: the keeper has signed everything anew, and all of it agrees."""

    name: str
    caught_as: str
    alter: Callable[[Members, Signer], Members]


def note_of(**changed: Any) -> Callable[[Members, Signer], Members]:
    return lambda members, signer: anchors(**changed)(members)


DEFECTS = (
    Defect("history rewritten", "anchor.root-differs", without_act),
    Defect("anchor altered", "anchor.altered", note_of(root="00" * 32)),
    Defect("anchor's block", "anchor.block", note_of(block_hash="0x" + "00" * 32)),
    Defect("settlement not logged", "guard.unlogged", without_settlement),
    Defect("another payment", "request.other", other_payment),
    Defect("act unproven", "act.unproven", false_act),
    Defect("act not logged", "act.unlogged", without_act),
)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_what_only_a_chain_tells(told: Told, tmp_path: Path, defect: Defect) -> None:
    altered = defect.alter(dict(told.members), told.signer)
    path = repacked(altered, tmp_path / "p.zip", told.signer)
    report = verified(path, told.brought(data=None))
    assert defect.caught_as in codes(report), codes(report)
    assert report.standing is Standing.FAILS


DATA_DEFECTS = (
    Defect("looked ahead", "features.other", looked_ahead),
    Defect("another request", "request.other", other_request),
)


@pytest.mark.parametrize("defect", DATA_DEFECTS, ids=lambda defect: defect.name)
def test_what_only_the_data_tell(told: Told, tmp_path: Path, defect: Defect) -> None:
    members = {**told.members, layout.ANCHORS: layout.encode_anchors([])}
    path = repacked(defect.alter(members, told.signer), tmp_path / "p.zip", told.signer)
    report = verified(path, told.brought(rpcs=()))
    found = {code for code in codes(report) if not code.startswith("metric.")}
    assert found == {defect.caught_as}  # but for measures, which were told of the true log


def test_data_of_another_digest_is_not_the_card_s(told: Told) -> None:
    rows = payments().load()
    fewer = Data(payments(), rows.slice(4000, len(rows)))
    report = verified(told.pack, told.brought(rpcs=(), data=fewer))
    assert {"data.other", "metric.false", "features.other"} <= codes(report)
    assert report.answers[2].standing is Standing.FAILS


def test_a_deprecated_model_does_not_decide(tmp_path: Path) -> None:
    home = told_copy(tmp_path / "home")
    with opened(home) as node:
        model = node.at_work().model
        node.network.registry.send("deprecate", model.id)
        rows = np.full((3, model.n_features), 7.0)
        for _ in range(2):
            node.predict(rows)
            node.anchor()
        node.predict(rows)
        node.anchor()
        with open_exhibit(Settings(home)) as exhibit:
            export(exhibit, tmp_path / "p.zip")
        rpc = node.network.client.rpc
        report = verified(tmp_path / "p.zip", Brought(rpcs=(rpc,), operator=node.operator))
    assert codes(report) == {"model.inactive"}
    assert report.answers[1].standing is Standing.FAILS


def test_what_was_erased_is_not_in_it_and_accounted_for(tmp_path: Path) -> None:
    home = told_copy(tmp_path / "home")
    with opened(home) as node:
        opened_ = [p for p in node.log.payloads() if p is not None]
        victim = next(p for p in opened_[700:] if "/" not in p.request.id)  # no guard's payment
        erase(node, victim.request.subject, ground="request", by="an officer", note="asked for")
        with (
            open_exhibit(Settings(home)) as exhibit,
            pytest.raises(Refused, match="not under a checkpoint yet"),
        ):
            export(exhibit, tmp_path / "p.zip")
        assert not (tmp_path / "p.zip").exists()
        node.anchor()
        with open_exhibit(Settings(home)) as exhibit:
            export(exhibit, tmp_path / "p.zip")
        with open_exhibit(Settings(home)) as exhibit:
            export(exhibit, tmp_path / "some.zip", first=1000, stop=1100)
        data = Data(payments(), payments().load())
        known = Brought(rpcs=(node.network.client.rpc,), operator=node.operator, data=data)
        report = verified(tmp_path / "p.zip", replace(known, grouping=grouping_of_data("amlsim")))
        some = verified(tmp_path / "some.zip", known)
    packed = (tmp_path / "p.zip").read_bytes()
    assert victim.request_salt not in packed
    assert victim.request.content not in packed
    assert codes(report) == codes(some) == set()
    assert report.standing is Standing.HOLDS
    assert any("accounted for by record" in told.value for told in report.answers[9].evidence)
    assert any(told.label == "erased" for told in report.answers[4].evidence)


def test_an_older_pack_is_one_only_by_the_auditors_word(told: Told) -> None:
    strict = verified(told.early, told.brought(data=None))
    assert codes(strict) == {"log.truncated", "anchor.unnoted"}
    lenient = verified(told.early, told.brought(earlier=True))
    assert codes(lenient) == set()
    assert any("anchored since" in line for line in lenient.answers[6].unasked)


# -- the command line --------------------------------------------------------------------------


def test_the_command_line_tells_it_in_words(
    told: Told, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "p.zip"
    written = run(capsys, "audit", "export", "-o", pack, "--home", told.home, "--json")
    assert written.status == 0
    assert written.json["sha256"] in run(capsys, "audit", "verify", pack, "--json").out
    shown = run(capsys, "audit", "verify", pack)
    assert shown.status == 5
    for question in range(1, 11):
        assert f" {question}  " in shown.out
    assert "could not be asked" in shown.out
    damaged = repacked(flipped("payloads/001", 300)(unpacked(pack)), tmp_path / "d.zip")
    shown = run(capsys, "audit", "verify", damaged)
    assert shown.status == 4
    assert "pack.altered" in shown.out


def test_an_rpc_of_another_chain_is_refused(
    told: Told, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedChain.open(tmp_path / "chain", chain_id=4242, genesis_accounts={}) as other:
        ran = run(capsys, "audit", "verify", told.pack, "--rpc", other.serve(), "--json")
    assert ran.status == 3
    assert ran.json["error"] == "chain.wrong"


def test_bad_options_are_told(
    told: Told, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known"
    known.write_bytes(b"nothing")
    for options in (
        ["--vkey", "no key"], ["--operator", "0x12"], ["--known", str(known)],
        ["--rpc", "localhost:1"], ["--map", "amount"],
    ):  # fmt: skip
        ran = run(capsys, "audit", "verify", told.pack, *options, "--json")
        assert ran.status == 2, options
    for first, stop in (("9", "2"), ("99999", "100000")):
        ran = run(
            capsys, "audit", "export", "-o", tmp_path / "x.zip", "--from", first, "--to", stop,
            "--home", told.home, "--json",
        )  # fmt: skip
        assert ran.status == 2
    ran = run(capsys, "audit", "export", "--home", tmp_path / "none", "--json")
    assert (ran.status, ran.json["error"]) == (2, "not-found")


def test_the_page_escapes_what_a_pack_says(told: Told, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    false = put(layout.METRICS, layout.encode_claims([Claim(evil, evil, evil, evil, 1)]))
    path = repacked(false(dict(told.members)), tmp_path / "p.zip", told.signer)
    report = verified(path, Brought())
    tokens, seal = look()
    text = page(report, tokens=tokens, seal=seal, told_at=evil)
    assert evil not in text
    assert "&lt;script&gt;" in text
    assert "Content-Security-Policy" in text
