"""A pack of a log that is anchored on two chains, and packs that point at the wrong contracts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.box import FUNDS, RICH
from tests.support.packs import about_of, codes, repacked, unpacked, verified
from tests.support.told import payments, told_copy
from veridict.apps.packs import open_exhibit
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.chain.client import Client
from veridict.chain.embedded import EmbeddedChain
from veridict.chain.receipts import Tx
from veridict.core.errors import VeridictError, WrongChain
from veridict.core.ports import Rpc
from veridict.ledger.keys import load_or_create_signer
from veridict.proofs.note import Signer
from veridict.services.pack import layout
from veridict.services.pack.answers import Standing
from veridict.services.pack.verifying import Brought
from veridict.services.pack.writing import export

NEAR = 777_001


@dataclass(frozen=True, slots=True)
class Packed:
    pack: Path
    home: Rpc
    near: Rpc
    operator: str
    signer: Signer

    def brought(self, **changed: Any) -> Brought:
        known = {"rpcs": (self.home, self.near), "operator": self.operator}
        return Brought(**{**known, **changed})


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packed]:
    directory = tmp_path_factory.mktemp("chains")
    home = told_copy(directory / "home")
    with EmbeddedChain.open(directory / "near", chain_id=NEAR, genesis_accounts=FUNDS) as near:
        (home / "chains.toml").write_text(f'[chain.near]\nrpc = "{near.serve()}"\n')
        settings = Settings.read({}, home=home)
        with open_node(settings, payments()) as node:
            tried = {each.name: each for each in node.anchor_everywhere()}
            problem = tried["near"].problem
            assert problem is not None
            Client(near, RICH).send(Tx(str(problem.facts["operator"]), value=10**18))
            node.anchor_everywhere()
            assert {anchor.chain_id for anchor in node.log.anchors()} > {NEAR}
            with open_exhibit(settings) as exhibit:
                export(exhibit, directory / "p.zip")
            signer = load_or_create_signer(home / "log", node.log.origin)
            rpc = node.network.client.rpc
            yield Packed(directory / "p.zip", rpc, near, node.operator, signer)


def test_every_chain_is_asked(packed: Packed) -> None:
    report = verified(packed.pack, packed.brought())
    assert codes(report) == set()
    told = {line.label: line.value for line in report.whose.evidence}
    assert str(NEAR) in told["near"]
    heads = next(t.value for t in report.answers[6].evidence if t.label == "heads on chain")
    one = verified(packed.pack, packed.brought(rpcs=(packed.home,)))
    fewer = next(t.value for t in one.answers[6].evidence if t.label == "heads on chain")
    assert int(heads.split(",")[0]) > int(fewer.split(",")[0])
    assert any(str(NEAR) in line for line in one.whose.unasked)


def test_a_chain_that_the_pack_does_not_tell_of(packed: Packed, tmp_path: Path) -> None:
    with (
        EmbeddedChain.open(tmp_path / "chain", chain_id=777_009, genesis_accounts={}) as other,
        pytest.raises(WrongChain, match="777009"),
    ):
        verified(packed.pack, packed.brought(rpcs=(packed.home, other)))


def test_another_chain_of_that_id(packed: Packed, tmp_path: Path) -> None:
    with (
        EmbeddedChain.open(tmp_path / "chain", chain_id=NEAR, genesis_accounts={}) as other,
        pytest.raises(WrongChain, match="genesis"),
    ):
        verified(packed.pack, packed.brought(rpcs=(packed.home, other)))


NOBODY = "0x" + "99" * 20


@pytest.mark.parametrize("name", ["registry", "anchor", "stakes", "judge"])
def test_contracts_that_are_none(packed: Packed, tmp_path: Path, name: str) -> None:
    """Found or refused: never believed, and never the program's own fault."""
    members = unpacked(packed.pack)
    about = about_of(members)
    false = msgspec.structs.replace(
        about, home=msgspec.structs.replace(about.home, **{name: NOBODY})
    )
    members[layout.ABOUT] = false.encode()
    path = repacked(members, tmp_path / "p.zip", packed.signer)
    if name == "anchor":  # then it is another chain, for all that anybody knows
        with pytest.raises(WrongChain, match=NOBODY):
            verified(path, packed.brought())
        return
    report = verified(path, packed.brought())
    assert "contract.none" in {finding.code for finding in report.whose.findings}
    assert report.standing is Standing.FAILS


def test_a_place_and_a_guard_that_are_none(packed: Packed, tmp_path: Path) -> None:
    members = unpacked(packed.pack)
    about = about_of(members)
    places = [msgspec.structs.replace(place, contract=NOBODY) for place in about.places]
    false = msgspec.structs.replace(about, places=places, guards=[NOBODY])
    members[layout.ABOUT] = false.encode()
    path = repacked(members, tmp_path / "p.zip", packed.signer)
    report = verified(path, packed.brought())
    assert "anchor.unexamined" in codes(report)
    assert sum(NOBODY in line for line in report.whose.unasked) == 2


@pytest.mark.parametrize("address", ["nowhere", "0x12", "", "0x" + "zz" * 20])
def test_addresses_that_are_none(packed: Packed, tmp_path: Path, address: str) -> None:
    members = unpacked(packed.pack)
    about = about_of(members)
    falses = (
        msgspec.structs.replace(about, home=msgspec.structs.replace(about.home, anchor=address)),
        msgspec.structs.replace(about, guards=[address]),
        msgspec.structs.replace(about, operator=address),
    )
    for false in falses:
        members[layout.ABOUT] = false.encode()
        path = repacked(members, tmp_path / "p.zip", packed.signer)
        with pytest.raises(VeridictError) as refused:
            verified(path, packed.brought(operator=None))
        assert refused.value.facts.get("finding") == "pack.about"
