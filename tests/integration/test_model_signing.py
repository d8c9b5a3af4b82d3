"""OpenSSF's model_signing, as it is published, verifies papers that this project signed."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from veridict.models.papers.statement import PAYLOAD_TYPE, Statement
from veridict.proofs.bundle import Bundle, BundleKey
from veridict.services.papers.files import IGNORED, PUBLIC_KEY, SIGNATURE, STATEMENT

# 1.1.1 needs pyOpenSSL without saying so.
PACKAGES = ("model-signing==1.1.1", "pyOpenSSL>=24")
VECTOR = Path(__file__).parents[1] / "vectors" / "model_signing"


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, in an environment of its own; without an index there is nothing to test."""
    place = tmp_path_factory.mktemp("model_signing")
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    made = _run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES)
    if made.returncode:
        pytest.skip(f"model_signing cannot be installed here: {made.stderr.strip()[-300:]}")
    return place / "bin" / "model_signing"


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def _verify(
    tool: Path, papers: Path, key: Path | None = None, signature: Path | None = None
) -> subprocess.CompletedProcess[str]:
    given = ("--signature", signature or papers / SIGNATURE)
    return _run(tool, "verify", "key", papers, *given, "--public_key", key or papers / PUBLIC_KEY)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    key = BundleKey.generate()
    files = {
        "model.vdm": b"\x00model",
        "sub/card.json": b'{"title":"Boats"}',
        PUBLIC_KEY: key.public_pem,
    }
    statement = Statement.over("Lifeboats", files, IGNORED).encode()
    files |= {
        SIGNATURE: Bundle.sign(key, PAYLOAD_TYPE, statement).encode(),
        STATEMENT: b"the log's envelope",
    }
    for name, data in files.items():
        (tmp_path / "papers" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "papers" / name).write_bytes(data)
    return tmp_path / "papers"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_tool_verifies_what_was_signed_and_nothing_else(tool: Path, papers: Path) -> None:
    good = _verify(tool, papers)
    assert good.returncode == 0, good.stderr
    assert "succeeded" in good.stdout
    stranger = papers.parent / "stranger.pub"
    stranger.write_bytes(BundleKey.generate().public_pem)
    assert _verify(tool, papers, stranger).returncode != 0
    (papers / "more.txt").write_bytes(b"")
    assert _verify(tool, papers).returncode != 0
    (papers / "more.txt").unlink()
    (papers / "model.vdm").write_bytes(b"\x00other")
    assert _verify(tool, papers).returncode != 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_tool_verifies_papers_that_the_command_wrote(tool: Path, tmp_path: Path) -> None:
    """From a registration on a node, by the commands that its user types."""
    home, out = tmp_path / "home", tmp_path / "papers"
    trained = tmp_path / "model"
    for words in (
        ("train", "--scenario", "credit", "--out", trained),
        ("register", trained / "model.vdm", "--home", home),
        ("papers", "--home", home, "--out", out),
    ):
        done = _run(Path(sys.executable).with_name("veridict"), "model", *words)
        assert done.returncode == 0, done.stderr
    made = _verify(tool, out)
    assert made.returncode == 0, made.stderr
    (out / "card.json").write_bytes(b"{}")
    assert _verify(tool, out).returncode != 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_vector_is_the_tools_own(tool: Path, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "file.txt").write_bytes((VECTOR / "file.txt").read_bytes())
    made = _verify(tool, tmp_path / "m", VECTOR / PUBLIC_KEY, VECTOR / SIGNATURE)
    assert made.returncode == 0, made.stderr
