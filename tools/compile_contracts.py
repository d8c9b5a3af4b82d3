"""Compile contracts/*.vy and contracts/asm/*.evm into the artifacts that ship with the package.

    python tools/compile_contracts.py            write src/veridict/chain/artifacts/*.json
    python tools/compile_contracts.py --check    exit 1 where they differ from the sources

The same sources and compiler give the same bytes on every machine: paths are
relative to contracts/, keys are sorted, no times.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import vyper
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.output_bundle import OutputBundle
from vyper.compiler.phases import CompilerData

from tools.assemble import assemble

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "contracts"
ARTIFACTS = ROOT / "src" / "veridict" / "chain" / "artifacts"
ASSEMBLER = ROOT / "tools" / "assemble.py"
SIGNATURE = re.compile(r"^; +(\w+)\(([^)]*)\) -> (\w+)$", re.MULTILINE)  # of an .evm file


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


def assemble_contract(source: Path) -> dict[str, Any]:
    """The artifact of one contract in assembly; its functions are views, told in its comments.

    `integrity` is the SHA-256 of the source and the assembler.
    """
    text = source.read_text()
    code = assemble(text)
    # PUSH2 length  DUP1  PUSH1 10  PUSH0  CODECOPY  PUSH0  RETURN
    initcode = bytes.fromhex(f"61{len(code):04x}80600a5f395ff3") + code
    return {
        "name": source.stem,
        "compiler": ASSEMBLER.relative_to(ROOT).as_posix(),
        "evm_version": "cancun",
        "sources": {source.relative_to(SOURCES).as_posix(): sha256(text.encode()).hexdigest()},
        "integrity": sha256(ASSEMBLER.read_bytes() + text.encode()).hexdigest(),
        "abi": [_view(*signature) for signature in SIGNATURE.findall(text)],
        "bytecode": "0x" + initcode.hex(),
        "runtime": "0x" + code.hex(),
    }


def _view(name: str, parameters: str, result: str) -> dict[str, Any]:
    """The ABI of a view: `parameters` as in "address[] chunks, bytes inputs"."""
    words = [parameter.split() for parameter in parameters.split(", ")]
    return {
        "type": "function",
        "name": name,
        "stateMutability": "view",
        "inputs": [{"type": kind, "name": word} for kind, word in words],
        "outputs": [{"type": result, "name": ""}],
    }


def render(artifact: dict[str, Any]) -> str:
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def compile_all() -> dict[str, str]:
    """File name -> text, for every contract."""
    compiled = [compile_contract(source) for source in sorted(SOURCES.glob("[!.]*.vy"))]
    assembled = [assemble_contract(source) for source in sorted(SOURCES.glob("asm/*.evm"))]
    return {f"{artifact['name']}.json": render(artifact) for artifact in compiled + assembled}


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
