"""The public Merkle vectors of transparency-dev/merkle: each file is named by its defect."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from veridict.core.errors import EvidenceError
from veridict.proofs.merkle import (
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)

ROOT = Path(__file__).parent / "rfc6962_merkle"
FILES = sorted(ROOT.rglob("*.json"))
# How many vectors each family holds: a test that found none would pass by being empty.
FAMILIES = {"inclusion": 98, "consistency": 98, "subtreeinclusion": 204, "subtreeconsistency": 118}


def _proof(vector: dict[str, Any]) -> list[bytes]:
    return [b64decode(item) for item in vector["proof"] or []]


def _inclusion(v: dict[str, Any]) -> None:
    leaf, root = b64decode(v["leafHash"]), b64decode(v["root"])
    verify_inclusion(v["leafIdx"], v["treeSize"], leaf, _proof(v), root)


def _consistency(v: dict[str, Any]) -> None:
    root1, root2 = b64decode(v["root1"]), b64decode(v["root2"])
    verify_consistency(v["size1"], v["size2"], root1, root2, _proof(v))


def _subtree_inclusion(v: dict[str, Any]) -> None:
    leaf, root = b64decode(v["leafHash"]), b64decode(v["root"])
    verify_subtree_inclusion(v["leafIdx"], v["start"], v["end"], leaf, _proof(v), root)


def _subtree_consistency(v: dict[str, Any]) -> None:
    root1, root2 = b64decode(v["root1"]), b64decode(v["root2"])
    verify_subtree_consistency(v["start"], v["end"], v["size"], root1, root2, _proof(v))


VERIFY: dict[str, Callable[[dict[str, Any]], None]] = {
    "inclusion": _inclusion,
    "consistency": _consistency,
    "subtreeinclusion": _subtree_inclusion,
    "subtreeconsistency": _subtree_consistency,
}


def test_every_vector_is_here() -> None:
    assert Counter(path.relative_to(ROOT).parts[0] for path in FILES) == FAMILIES


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_vector(path: Path) -> None:
    vector = json.loads(path.read_text())
    verify = VERIFY[path.relative_to(ROOT).parts[0]]
    if vector["wantErr"]:
        with pytest.raises(EvidenceError):
            verify(vector)
    else:
        verify(vector)
