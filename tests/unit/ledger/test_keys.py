"""The keystore: made once, closed to others, never shown."""

from __future__ import annotations

import pickle
import traceback
from pathlib import Path

import pytest

from tests.support.ledger import TEST_SKEY, make_signer
from veridict.core.errors import BadInput, StorageFailed
from veridict.ledger.keys import load_or_create_signer
from veridict.proofs.note import Signer


def test_a_key_is_made_once_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    first = load_or_create_signer(tmp_path / "new", "example.com/log")
    again = load_or_create_signer(tmp_path / "new", "example.com/log")
    assert first.verifier == again.verifier
    file = tmp_path / "new" / "log.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["log.key"]  # nothing left beside it


def test_two_directories_have_two_keys(tmp_path: Path) -> None:
    keys = {load_or_create_signer(tmp_path / d, "example.com/log").verifier.vkey for d in "ab"}
    assert len(keys) == 2


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_or_create_signer(tmp_path, "example.com/log")
    (tmp_path / "log.key").chmod(0o640)
    with pytest.raises(StorageFailed, match="others") as caught:
        load_or_create_signer(tmp_path, "example.com/log")
    assert "600" in caught.value.remedy


def test_another_name_is_refused(tmp_path: Path) -> None:
    load_or_create_signer(tmp_path, "example.com/log")
    with pytest.raises(BadInput):
        load_or_create_signer(tmp_path, "example.com/other")


@pytest.mark.parametrize("text", ["", "nonsense", TEST_SKEY[:-4] + "AAAA", "é"])
def test_a_damaged_keystore_is_named_without_its_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "log.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(StorageFailed) as caught:
        load_or_create_signer(tmp_path, "PeterNeumann")
    shown = "".join(traceback.format_exception(caught.value)) + str(caught.value.as_dict())
    assert TEST_SKEY[40:60] not in shown


def test_a_signer_shows_its_public_half_only() -> None:
    signer = make_signer()
    secret = TEST_SKEY.rsplit("+", 1)[1]
    assert signer.verifier.vkey in repr(signer)
    for shown in (repr(signer), str(signer), f"{signer!r}", repr([signer])):
        assert secret not in shown
    with pytest.raises(TypeError):
        pickle.dumps(signer)


def test_generated_keys_survive_their_text() -> None:
    signer = Signer.generate("example.com/log")
    assert Signer.from_skey(signer.skey()).verifier == signer.verifier
