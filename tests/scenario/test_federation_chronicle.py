"""What a member's dashboard tells of real rounds is what happened in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.federated_members import ROOT, Village, rules_of
from veridict.services.federation.chronicle import Chronicle
from veridict.services.federation.views import FILE, kept


@pytest.mark.slow
def test_rounds_are_told_as_they_were(tmp_path: Path) -> None:
    it = Village(tmp_path, rules_of(mode="open", settings={"rounds": 1}, reward=10**15), 4)
    folder = tmp_path / "home" / "federation" / it.contract.lower()
    folder.mkdir(parents=True)
    try:
        it.members[0].seat.contract.send("fund", value=10**16)
        chronicle = Chronicle(it.members[0], ROOT, folder)
        it.dead = {3}
        while it.members[0].seat.last_final < 3:
            told = [member.step() for member in it.alive()]
            chronicle.note(told[0])
            it.now_ms += 5000
        chronicle.note(it.members[0].step())
    finally:
        it.close()
    (view,) = kept(tmp_path / "home")
    assert (folder / FILE).is_file()
    assert [each.number for each in view.rounds] == [3, 2, 1]
    assert {each.outcome for each in view.rounds} == {"final"}
    assert all(each.revealed == [0, 1, 2] for each in view.rounds)
    assert [part.member for part in view.rounds[0].parts] == [0, 1, 2]
    assert abs(sum(part.part for part in view.rounds[0].parts) - 1) < 0.01
    assert sum(int(part.paid) for part in view.rounds[0].parts) > 0
    loss = view.rounds[0].loss
    assert loss is not None
    assert loss < 0.69  # better than saying one half
    assert len(view.members) == 4
    again = Chronicle(it.members[0], ROOT, folder)
    assert len(again._rounds) == 3
