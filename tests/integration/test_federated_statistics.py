"""Joint statistics over a folder: what all rows come to, small cells hidden, rows nobody shows."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.support.cli import run
from veridict.apps.federating.asking import Asked, answer, asked, read_question
from veridict.core.errors import BadInput, EvidenceError, PeerUnavailable, VeridictError
from veridict.federated.statistics import Summary, shown
from veridict.proofs.signing import PrivateKey

ROWS = 300
RANGES = ["age:0:100", "dose:0:8"]


def table(path: Path, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = np.column_stack([rng.normal(50 + seed, 12, ROWS).clip(0, 100), rng.random(ROWS) * 8])
    np.savetxt(path, rows, delimiter=",", header="age,dose", comments="", fmt="%.6f")
    return rows.round(6)


def together(
    question: Asked, keys: Sequence[PrivateKey], folder: Path
) -> list[tuple[Summary, ...]]:
    with ThreadPoolExecutor(len(keys)) as pool:
        return [
            made.result()
            for made in [
                pool.submit(answer, question, folder / f"{i}.csv", folder / "share", key, 60.0)
                for i, key in enumerate(keys)
            ]
        ]


@pytest.fixture
def keys() -> list[PrivateKey]:
    return [PrivateKey.generate() for _ in range(3)]


def ask(keys: Sequence[PrivateKey], **changes: float | None) -> Asked:
    fields: dict[str, float | None] = {"rows_max": 1200, "least": 10, "epsilon": None}
    fields |= changes
    return asked(RANGES, [key.public.hex() for key in keys], **fields)  # type: ignore[arg-type]


def test_all_find_what_the_pool_would(tmp_path: Path, keys: list[PrivateKey]) -> None:
    rows = np.concatenate([table(tmp_path / f"{i}.csv", i) for i in range(3)])
    question = ask(keys)
    found = together(question, keys, tmp_path)
    assert found[0] == found[1] == found[2]
    for summary, column in zip(found[0], rows.T, strict=True):
        assert summary.present == pytest.approx(3 * ROWS, abs=0.01)
        assert summary.mean == pytest.approx(column.mean(), rel=1e-4)
        assert summary.deviation == pytest.approx(column.std(), rel=1e-3)
        assert sum(summary.cells) == pytest.approx(3 * ROWS, abs=0.1)
    assert None in shown(found[0][0], 10)  # the tails of age
    told = b"".join(p.read_bytes() for p in (tmp_path / "share").rglob("*") if p.is_file())
    mine = question.question.answer(rows[:ROWS])
    assert mine.astype("<u4").tobytes() not in told
    with pytest.raises(BadInput, match="answered this question before"):
        answer(question, tmp_path / "0.csv", tmp_path / "share", keys[0], 0.1)


def test_noise_is_added_and_is_small_beside_many_rows(
    tmp_path: Path, keys: list[PrivateKey]
) -> None:
    rows = np.concatenate([table(tmp_path / f"{i}.csv", i) for i in range(3)])
    found = together(ask(keys, epsilon=3.0), keys, tmp_path)
    assert found[0] == found[1]
    age = found[0][0]
    assert age.present != pytest.approx(3 * ROWS, abs=1e-3)
    assert age.mean == pytest.approx(rows[:, 0].mean(), abs=5)
    with pytest.raises(BadInput):
        ask(keys, rows_max=300, epsilon=0.001).question.answer(np.zeros((301, 2)))


def test_a_message_of_somebody_else_is_found(tmp_path: Path, keys: list[PrivateKey]) -> None:
    for i in range(3):
        table(tmp_path / f"{i}.csv", i)
    question = ask(keys)
    with pytest.raises(PeerUnavailable):
        answer(question, tmp_path / "0.csv", tmp_path / "share", keys[0], 0.1)
    (said,) = (tmp_path / "share").rglob("advertise.*")
    fresh = tmp_path / "share" / "again"
    fresh.mkdir()
    stranger = ask(keys)
    at = fresh / stranger.session.id.hex()[:16]
    at.mkdir()
    first = sorted(key.public.hex() for key in keys)
    mine = next(key for key in keys if key.public.hex() == first[0])
    for member in (1, 2):
        (at / f"advertise.{member}").write_bytes(said.read_bytes())
    with pytest.raises(EvidenceError):
        answer(stranger, tmp_path / "0.csv", fresh, mine, 1.0)


def test_small_cells_are_never_alone() -> None:
    def summary(*cells: float) -> Summary:
        feature = ask([PrivateKey.generate() for _ in range(3)]).question.features[0]
        return Summary(feature, sum(cells), 0.0, 1.0, (1.0, 2.0, 3.0), cells)

    assert shown(summary(50, 3, 20, 0), 10) == (50, None, None, 0)
    assert shown(summary(50, 3, 4, 0), 10) == (50, None, None, 0)
    assert shown(summary(50, 30, 20, 0), 10) == (50, 30, 20, 0)


def test_a_question_is_written_for_all(
    tmp_path: Path, keys: list[PrivateKey], capsys: pytest.CaptureFixture[str]
) -> None:
    own = run(capsys, "federate", "statistics", "key", "--home", tmp_path, "--json").json["key"]
    words = ["federate", "statistics", "ask", "-f", "age:0:100", "--rows-max", "500"]
    roster = [word for key in [own, *(k.public.hex() for k in keys)] for word in ("-k", key)]
    out = tmp_path / "q.json"
    assert run(capsys, *words, *roster, "-o", out, "--json").json["parties"] == 4
    assert own in read_question(out).roster
    assert run(capsys, *words, *roster[:4], "-o", out).status == 2
    assert run(capsys, *words[:3], "-f", "age", "--rows-max", "5", *roster).status == 2
    with pytest.raises(VeridictError):
        read_question(tmp_path / "nothing.json")
