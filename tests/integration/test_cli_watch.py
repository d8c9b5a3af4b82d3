"""`veridict watch SOURCE`, as people and machines read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.messages import message, payment
from tests.support.told import told_copy
from veridict.apps.cli.main import main
from veridict.apps.feeds import ASSETS, RULES

LISTED = "0x01e2919679362dfBC9ee1644Ba9C6da6D6245BB1"
RULE = """
rules:
  - name: exact-amount
    when: amount == 77
    decide: hold
    because: the amount is {amount:.0f}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = told_copy(tmp_path_factory.mktemp("watching") / "home")
    (home / RULES).write_text(RULE)
    (home / ASSETS).write_text("JPY=0:0.01  # a hundredth\n")
    return home


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[Any]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--json"])
    out = capsys.readouterr().out
    assert ended.value.code == 0, out
    return [msgspec.json.decode(line) for line in out.splitlines()]


def test_files_and_messages_side_by_side_once_each(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "day.csv"
    file.write_text(
        "tx,ts,from,to,value\n"
        f"c-1,2023-01-01T10:00:00Z,ann,{LISTED},5.00\n"
        "c-2,1672567300,ann,bob,77.00\n"
        "c-3,1672567400,ann,bob,-3\n"
    )
    messages = tmp_path / "messages"
    messages.mkdir()
    (messages / "1.xml").write_bytes(message([payment(1, amount="7700", currency="JPY")]))
    mapping = "id=tx,time=ts,payer=from,payee=to,amount=value"
    command = ["watch", str(file), str(messages), "--map", mapping, "--once", "--home", str(home)]
    *lines, facts = told(capsys, *command)
    by_id = {line["id"]: line for line in lines}
    assert by_id["c-1"]["decision"] == by_id["c-2"]["decision"] == "hold"
    assert "the amount is 77" in str(by_id["c-2"]["reasons"])
    assert [line["decision"] for line in lines if "JPY" in str(line["what"])] == ["hold"]
    assert facts["decided"] == 3
    assert facts["not_decided"] == {"amount.negative": 1}
    (again,) = told(capsys, *command)
    assert (again["decided"], again["not_decided"]) == (0, {})

    (status,) = told(capsys, "watch", "status", "--home", str(home))
    refused = {feed["name"].split("#")[0]: feed["refused"] for feed in status}
    assert [one["code"] for one in refused["file:day.csv"]] == ["amount.negative"]
    assert refused["iso20022:messages"] == []


def test_the_nodes_own_chain_is_followed_to_its_head(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how = ["watch", "chain", "--since", "0", "--once", "--each", "--home", str(home)]
    *lines, facts = told(capsys, *how)
    assert facts["decided"] == len(lines) > 0
    assert any("/native" in str(line["id"]) for line in lines)


@pytest.mark.parametrize(
    ("source", "said"),
    [("nowhere.csv", "there is no file"), ("ftp://bank", "no source of payments")],
)
def test_what_is_no_source_is_told(
    home: Path, source: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["watch", source, "--home", str(home)])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
