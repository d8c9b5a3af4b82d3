"""Two nodes in two homes write one log in PostgreSQL: one sequence, one audit, nobody surprised."""

from __future__ import annotations

import shutil
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.cli import run
from tests.support.models import random_linear
from tests.support.postgres import PASSWORD, Server
from tests.support.small_pack import card_of
from veridict.apps.settings import Settings
from veridict.apps.trust import open_log
from veridict.apps.wire import open_node
from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput
from veridict.core.nouns import Decision, PredictionRecord, Request
from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel
from veridict.models.working import WorkingModel
from veridict.services import acting
from veridict.services.node import Node
from veridict.services.predict import Prediction
from veridict.services.records import decode

TURNS = 12


def requests(node: str, turn: int, count: int) -> list[Request]:
    names = [f"{node}{turn}.{row}" for row in range(count)]
    return [Request(name, f"subject {name[0]}", 0, canonical_json({"id": name})) for name in names]


def predict_often(node: Node, name: str, made: list[Prediction]) -> None:
    chance = np.random.default_rng(ord(name))
    for turn in range(TURNS):
        count = 1 + turn % 3
        rows = chance.normal(0, 50, (count, node.at_work().model.n_features))
        made += node.predict(rows, requests(name, turn, count))


def _erased_by_one_for_all(eraser: Node, other: Node) -> None:
    """Payloads that either sealed, and both had opened."""
    index = other.log.find_request("a0.0")
    assert index is not None
    assert (eraser.log.payload(index), other.log.payload(index)) != (None, None)
    (done,) = acting.erase(eraser, "subject a", ground="request", by="officer", note="")
    other.follow()
    assert other.log.payload(index) is None
    assert eraser.parts.vault.behind() == other.parts.vault.behind() == []
    kept = other.log.find_request("b0.0")
    assert kept is not None
    assert other.log.payload(kept) == eraser.log.payload(kept)
    assert other.log.payload(kept) is not None
    for node in (eraser, other):
        assert {check.passed for check in node.audit()} == {True}
    assert done.count > 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("keys", ["of one machine", "of several hosts"])
def test_two_nodes_write_one_log(
    keys: str,
    tmp_path: Path,
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = Settings(tmp_path / "a", store=postgres.new_place())
    if keys == "of one machine":
        first = replace(first, keys=tmp_path / "vault")
    else:
        first = replace(first, shared_vault=postgres.new_place())
    with ExitStack() as opened:
        a = opened.enter_context(open_node(first))
        model = CanonicalModel.from_parts(random_linear(3))
        annex = Annex(model.id, ())
        a.register(WorkingModel(model, annex), card_of(model, annex))
        # the second home is a copy of the first: the same keys, the same models, another machine
        shutil.copytree(
            first.home, tmp_path / "b", ignore=shutil.ignore_patterns("chain", "*.lock")
        )
        second = replace(first, home=tmp_path / "b", rpc=a.rpc_url)
        b = opened.enter_context(open_node(second))

        made: dict[str, list[Prediction]] = {"a": [], "b": []}
        threads = [
            threading.Thread(target=predict_often, args=(node, name, made[name]))
            for name, node in (("a", a), ("b", b))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        records = [decode(body) for body in a.log.bodies()]
        for prediction in made["a"] + made["b"]:
            assert records[prediction.index] == prediction.record
        sequences = [r.sequence for r in records if isinstance(r, PredictionRecord)]
        assert sequences == list(range(2 * sum(1 + turn % 3 for turn in range(TURNS))))
        times = [r.time_ms for r in records if isinstance(r, PredictionRecord)]
        assert times == sorted(times)

        for node in (a, b):
            node.follow()
            assert sum(node.board.counts[each] for each in Decision) == len(sequences)
            assert node.log.find_request("a0.0") == made["a"][0].index
            assert node.log.find_request("b0.0") == made["b"][0].index
        assert a.anchor() is not None
        assert {check.passed for check in [*a.audit(), *b.audit()]} == {True}
        receipt = b.receipt(made["a"][-1].index)
        assert all(check.passed for check in receipt.verify(b.rpc_url))
        # from outside the nodes: what the command line makes of the second home
        monkeypatch.setenv("VERIDICT_STORE", str(second.store))
        monkeypatch.setenv("VERIDICT_VAULT", str(second.keys or second.shared_vault))
        path = tmp_path / "receipt.json"
        path.write_bytes(receipt.to_json())
        for command in (
            ("audit", "--home", second.home, "--rpc", b.rpc_url, "--json"),
            ("verify", path, "--rpc", b.rpc_url, "--json"),
        ):
            ran = run(capsys, *command)
            assert ran.status == 0, ran.err
            assert PASSWORD not in ran.out + ran.err
        with open_log(second) as log:
            assert log.size == a.log.size
        _erased_by_one_for_all(b, a)

    assert PASSWORD not in repr(first)
    with pytest.raises(BadInput, match="is kept in the database"):
        open_node(replace(first, store=None))
    assert PASSWORD.encode() not in b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )
