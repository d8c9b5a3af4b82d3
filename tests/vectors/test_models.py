"""Known answers of models of every kind, and bytes that must be refused, by the committed files."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import page_reader
from tools.make_model_vectors import FOLDER, files
from veridict.core.errors import BadModelBytes
from veridict.models import reference
from veridict.models.canonical import CanonicalModel, decode, encode
from veridict.models.edge import EdgeModel
from veridict.models.image import unpack

GOOD = sorted((FOLDER / "good").glob("*.vdm"))
BROKEN = sorted((FOLDER / "broken").glob("*.vdm"))


def _stem(path: Path) -> str:
    return path.stem


def _told(path: Path) -> Any:
    return json.loads(path.with_suffix(".json").read_text())


def test_every_committed_file_is_what_the_reference_writes() -> None:
    written = dict(files())
    committed = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in FOLDER.rglob("*")
        if path.is_file()
    }
    assert sorted(committed) == sorted(written)
    assert [name for name in written if committed[name] != written[name]] == []


@pytest.mark.parametrize("path", GOOD, ids=_stem)
def test_runtimes_know_the_answers(path: Path) -> None:
    data, told = path.read_bytes(), _told(path)
    scores = [[int(score) for score in row] for row in told["scores"]]
    recorded = [int(score) for score in told["recorded"]]
    inputs = [bytes.fromhex(row) for row in told["rows"]]
    assert len(inputs) == len(scores) == len(recorded) > 0
    assert sha256(data).hexdigest() == told["id"]

    model = CanonicalModel(data)
    assert (model.n_features, model.n_outputs) == (told["features"], told["outputs"])
    assert encode(model.parts) == data
    images = unpack(b"".join(inputs), model.n_features)
    assert model.scores(images).tolist() == scores
    assert model.score(images).tolist() == recorded
    assert model.score(images).dtype == np.int64
    assert [model.score_one(row) for row in inputs] == recorded
    assert EdgeModel(data).score_packed(b"".join(inputs)).tolist() == recorded
    assert [reference.scores(model.parts, row) for row in images.tolist()] == scores
    assert [page_reader.scores(data, row) for row in inputs] == scores


@pytest.mark.parametrize("path", BROKEN, ids=_stem)
def test_defects_are_refused_by_name(path: Path) -> None:
    refusal = json.loads((FOLDER / "broken.json").read_text())[path.stem]
    with pytest.raises(BadModelBytes, match=refusal):
        decode(path.read_bytes())


def test_there_are_vectors_of_every_kind() -> None:
    for paths, at_least in ((GOOD, 5), (BROKEN, 15)):
        for kind in ("trees", "linear", "mlp"):
            assert sum(path.stem.startswith(kind) for path in paths) >= at_least
