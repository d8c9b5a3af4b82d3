"""Compile contracts/*.vy into the artifacts that ship with the package.

    python tools/compile_contracts.py            write src/veridict/chain/artifacts/*.json
    python tools/compile_contracts.py --check    exit 1 where they differ from the sources

The same sources and compiler give the same bytes on every machine: paths are
relative to contracts/, keys are sorted, no times.
"""

from __future__ import annotations

import argparse
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import vyper
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.output_bundle import OutputBundle
from vyper.compiler.phases import CompilerData

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "contracts"
ARTIFACTS = ROOT / "src" / "veridict" / "chain" / "artifacts"


def compile_contract(source: Path) -> dict[str, Any]:
    """The artifact of one contract.

    Hex strings start with 0x. `sources` maps each file compiled, imports
    included, to its SHA-256; `integrity` is Vyper's own sum over them.
    """
    bundle = FilesystemInputBundle([SOURCES])
    data = CompilerData(bundle.load_file(source.relative_to(SOURCES)), bundle)
    formats = ("abi", "bytecode", "bytecode_runtime", "method_identifiers", "integrity")
    out = vyper.compiler.outputs_from_compiler_data(data, formats)
    return {
        "name": source.stem,
        "compiler": f"vyper {vyper.__version__}",
        "evm_version": data.settings.evm_version,
        "sources": _digests(data),
        "integrity": out["integrity"],
        "abi": out["abi"],
        "method_ids": out["method_identifiers"],
        "bytecode": out["bytecode"],
        "runtime": out["bytecode_runtime"],
    }


def render(artifact: dict[str, Any]) -> str:
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def compile_all() -> dict[str, str]:
    """File name -> text, for every contract."""
    return {
        f"{source.stem}.json": render(compile_contract(source))
        for source in sorted(SOURCES.glob("*.vy"))
    }


def differences(fresh: dict[str, str]) -> list[str]:
    """What stands in ARTIFACTS and should not, or does not and should."""
    stored = {path.name: path.read_text() for path in ARTIFACTS.glob("*.json")}
    return sorted(
        name for name in fresh.keys() | stored.keys() if fresh.get(name) != stored.get(name)
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args(argv).check

    fresh = compile_all()
    stale = differences(fresh)
    if check:
        for name in stale:
            print(f"{name} differs from its source: run `make contracts`", file=sys.stderr)
        return 1 if stale else 0

    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in fresh:
            (ARTIFACTS / name).write_text(fresh[name])
        else:
            (ARTIFACTS / name).unlink()
    print(f"{len(fresh)} contracts, {len(stale)} artifacts changed")
    return 0


def _digests(data: CompilerData) -> dict[str, str]:
    files = OutputBundle(data).source_codes.values()
    return {
        file.resolved_path.relative_to(SOURCES).as_posix(): sha256(
            file.contents.encode()
        ).hexdigest()
        for file in files
    }


if __name__ == "__main__":
    sys.exit(main())
