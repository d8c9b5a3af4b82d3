"""The edge runtime: NumPy and the standard library are all it may import, in either packing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.vectors.test_models import GOOD
from veridict.core.errors import BadInput, BadModelBytes
from veridict.models.canonical import CanonicalModel
from veridict.models.edge import EdgeModel
from veridict.models.edge_package import PARTS, write_edge_package

MAX_BYTES = 5_000_000  # of everything that is not NumPy
ALL_KINDS = [next(p for p in GOOD if p.stem.startswith(k)) for k in ("trees", "linear", "mlp")]

# Every import that is neither the standard library's, NumPy's nor ours fails.
PROBE = """
import sys

class Refusal:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top not in sys.stdlib_module_names and top not in ("numpy", "veridict"):
            raise ImportError(f"{name} is not allowed on an edge device")
        return None

sys.meta_path.insert(0, Refusal())
sys.path[:0] = sys.argv[1:3]
import json
from pathlib import Path
from veridict.models.edge import EdgeModel

for name in sys.argv[3:]:
    path = Path(name)
    told = json.loads(path.with_suffix(".json").read_text())
    packed = bytes.fromhex("".join(told["rows"]))
    model = EdgeModel(path.read_bytes())
    assert model.id.hex() == told["id"]
    assert [str(s) for s in model.score_packed(packed).tolist()] == told["recorded"], name
print(*sorted(m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "veridict"))
"""


def probe(*places: Path) -> list[str]:
    """The files of ours that scoring all vectors loads, where only `places` offer modules."""
    paths = map(str, (*places, Path(np.__file__).parents[1], *GOOD))
    run = subprocess.run(
        # -S: no site-packages but those named, so that an installed veridict cannot help out.
        [sys.executable, "-I", "-S", "-c", PROBE, *paths],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_it_imports_numpy_and_nothing_else() -> None:
    import veridict

    home = Path(veridict.__file__).parent
    loaded = probe(home.parent)
    assert [Path(name).relative_to(home).as_posix() for name in loaded] == sorted(PARTS)
    assert sum(Path(name).stat().st_size for name in loaded) < MAX_BYTES / 10


def test_it_runs_from_one_zip_file(tmp_path: Path) -> None:
    package = tmp_path / "edge.zip"
    assert write_edge_package(package) == package.stat().st_size < MAX_BYTES / 10
    assert all(name.startswith(str(package)) for name in probe(package))
    first = package.read_bytes()
    write_edge_package(package)
    assert package.read_bytes() == first


@pytest.mark.parametrize("path", ALL_KINDS, ids=lambda path: path.stem)
def test_rows_that_are_none_are_refused(path: Path) -> None:
    model = EdgeModel(path.read_bytes())
    width = model.n_features
    assert model.score(np.empty((0, width))).shape == (0,)
    assert model.scores(np.zeros((3, width))).shape == (3, model.n_outputs)
    for rows in (np.zeros(width), np.zeros((1, width + 1)), [["a"] * width]):
        with pytest.raises(BadInput):
            model.score(rows)
    with pytest.raises(BadInput):
        model.score_packed(bytes(8 * width + 1))
    with pytest.raises(BadModelBytes):
        EdgeModel(path.read_bytes()[:-1])


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_it_stands_in_where_numba_is_absent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, edge = CanonicalModel(path.read_bytes()), EdgeModel(path.read_bytes())
    monkeypatch.setitem(sys.modules, "numba", None)  # an import of it fails
    images = np.random.default_rng(1).integers(0, 2**64 - 1, (9, model.n_features), np.uint64)
    packed = images.astype(">u8").tobytes()
    assert model.score(images).tolist() == edge.score_packed(packed).tolist()
