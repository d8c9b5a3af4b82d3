"""The chains to anchor on, from a file and from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from veridict.apps.chain_settings import DEADLINE_S, ChainSetting, read_chains
from veridict.apps.settings import Settings
from veridict.core.errors import BadInput, StorageFailed, VeridictError

WHOLE = """
[chain.sepolia]
rpc = "https://rpc.example/sepolia"
deadline_s = 900
chain_id = 11155111
contract = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
confirmations = 12
key_env = "SEPOLIA_KEY"

[chain.base]
rpc = "https://rpc.example/base"
"""


def test_none_unless_they_are_set(tmp_path: Path) -> None:
    assert read_chains({}, tmp_path) == ()
    assert Settings.read({}, home=tmp_path).chains == ()


def test_a_file_in_the_home(tmp_path: Path) -> None:
    (tmp_path / "chains.toml").write_text(WHOLE)
    sepolia, base = Settings.read({}, home=tmp_path).chains
    assert sepolia == ChainSetting(
        name="sepolia",
        rpc="https://rpc.example/sepolia",
        deadline_s=900,
        chain_id=11155111,
        contract="0x5FbDB2315678afecb367f032d93F642f64180aa3",
        confirmations=12,
        key_env="SEPOLIA_KEY",
    )
    assert base == ChainSetting(name="base", rpc="https://rpc.example/base", deadline_s=DEADLINE_S)


def test_the_environment_names_another_file(tmp_path: Path) -> None:
    (tmp_path / "chains.toml").write_text(WHOLE)
    other = tmp_path / "other.toml"
    other.write_text('[chain.one]\nrpc = "http://127.0.0.1:1"\n')
    (one,) = read_chains({"VERIDICT_CHAINS": str(other)}, tmp_path)
    assert one.name == "one"
    with pytest.raises(StorageFailed):
        read_chains({"VERIDICT_CHAINS": str(tmp_path / "missing.toml")}, tmp_path)


def test_the_command_line_adds_and_overrules(tmp_path: Path) -> None:
    (tmp_path / "chains.toml").write_text(WHOLE)
    given = ["sepolia=http://127.0.0.1:1", "new=http://127.0.0.1:2"]
    chains = {chain.name: chain for chain in read_chains({}, tmp_path, given)}
    assert set(chains) == {"sepolia", "base", "new"}
    assert (chains["sepolia"].rpc, chains["sepolia"].deadline_s) == ("http://127.0.0.1:1", 900)
    assert chains["new"] == ChainSetting(name="new", rpc="http://127.0.0.1:2")


@pytest.mark.parametrize(
    "text",
    [
        "[chain.a]\n",
        '[chain.a]\nrpc = "http://x"\ndeadline = 5\n',
        '[chain.a]\nrpc = "http://x"\ndeadline_s = 0\n',
        '[chain.a]\nrpc = "http://x"\ndeadline_s = "soon"\n',
        '[chain.a]\nrpc = "http://x"\nconfirmations = -1\n',
        '[chain.home]\nrpc = "http://x"\n',
        '[chain."two words"]\nrpc = "http://x"\n',
        "chain = 7\n",
        "[chain.a\n",
        "\x00",
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "chains.toml").write_text(text)
    with pytest.raises(BadInput) as caught:
        read_chains({}, tmp_path)
    assert caught.value.remedy


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chains.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput):
        read_chains({}, tmp_path)


@pytest.mark.parametrize("option", ["", "a", "a=", "=http://x", "home=http://x", "A=http://x"])
def test_an_option_that_is_no_name_and_url_is_refused(tmp_path: Path, option: str) -> None:
    with pytest.raises(VeridictError):
        read_chains({}, tmp_path, [option])
