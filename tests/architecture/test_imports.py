"""The rules on who may import whom: layers, homes of third parties, what a plain import costs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import packages_distributions, requires

import grimp
import pytest
from importlinter import cli

from tests.support.parts import ROOT

HOMES: Mapping[str, Sequence[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][
    "veridict"
]["homes"]
OURS = "veridict"
# Homes of what only an extra installs; they import it when it is asked for.
EXTRAS = (
    "veridict.apps.federating.flower_worker",
    "veridict.chain.web3",
    "veridict.control.blockspace",
    "veridict.federated.learners.torch_network",
    "veridict.federated.privacy.accounting",
    "veridict.ledger.filestores",
    "veridict.ledger.postgres",
    "veridict.models.compile.onnx",
    "veridict.privacy.shared",
    "veridict.watch.broker.nats",
)
HEAVY = ("numba", "lightgbm", "sklearn", "pyarrow", "pandas", "eth", "web3", "fastapi", "rich")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(OURS, include_external_packages=True, cache_dir=None)


def _external_imports(graph: grimp.ImportGraph) -> list[tuple[str, str]]:
    """(module of ours, top-level package of others) for every import from neither us nor Python."""
    others = {
        module
        for module in graph.modules
        if module.split(".")[0] not in {OURS, *sys.stdlib_module_names}
    }
    return [
        (importer, other.split(".")[0])
        for other in sorted(others)
        for importer in sorted(graph.find_modules_that_directly_import(other))
    ]


def _lies_in(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def test_layers_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert cli.lint_imports(no_cache=True) == cli.EXIT_STATUS_SUCCESS


def test_core_and_proofs_need_little(graph: grimp.ImportGraph) -> None:
    strangers = [
        (module, other)
        for module, other in _external_imports(graph)
        if _lies_in(module, "veridict.core")
        or (_lies_in(module, "veridict.proofs") and other != "cryptography")
    ]
    assert len(graph.find_descendants("veridict.core")) > 3
    assert strangers == []


def test_third_parties_are_imported_only_in_their_homes(graph: grimp.ImportGraph) -> None:
    imports = _external_imports(graph)
    strays = [
        f"{module} imports {other}"
        for module, other in imports
        if not any(_lies_in(module, home) for home in HOMES.get(other, ()))
    ]
    assert imports, "no import of a third party was seen: the check would be empty"
    assert strays == []


def test_every_imported_package_is_declared(graph: grimp.ImportGraph) -> None:
    distributions = packages_distributions()
    requirements = [r for r in requires(OURS) or [] if "extra ==" not in r]
    declared = {re.split(r"[^\w.-]", r)[0].lower().replace("_", "-") for r in requirements}
    undeclared = {
        other
        for module, other in _external_imports(graph)
        if not {d.lower().replace("_", "-") for d in distributions.get(other, [])} & declared
        and not any(_lies_in(module, home) for home in EXTRAS)
    }
    assert undeclared == set()


def test_a_plain_import_is_light() -> None:
    probe = f"import sys, {OURS}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.split() == []
