"""Compilers: one file a framework. `compile_model` finds the one that knows the model.

To add a framework: a file here with `matches(model) -> bool`, `compile_it(model,
feature_names) -> Compiled` and `raw_scores(model, rows)`, the source's own numbers, for
`agreement`; and its name in FRAMEWORKS.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from numpy.typing import ArrayLike

from veridict.core.errors import UnsupportedModel
from veridict.models.compile.agreement import Agreement, agreement
from veridict.models.compile.outcome import Compiled, Link
from veridict.models.layout import MAGIC

__all__ = [
    "FRAMEWORKS",
    "Agreement",
    "Compiled",
    "Link",
    "agreement",
    "compile_file",
    "compile_model",
]

FRAMEWORKS = (
    "lightgbm",
    "xgboost",
    "sklearn_trees",
    "sklearn_hist",
    "sklearn_isolation",
    "sklearn_linear",
    "sklearn_mlp",
    "sklearn_pipeline",
    "onnx",
)

QUANTISED = {"sklearn_linear", "sklearn_mlp", "sklearn_pipeline", "onnx"}  # or may be

_ONNX = b"\x08"  # field 1 of a ModelProto, ir_version, as a varint: exporters write it first
# Protocol 2 and later; compressed as joblib does (zlib, gzip, xz, bzip2); in a zip, as torch does.
_PICKLES = (
    b"\x80",
    b"x\x01",
    b"x\x5e",
    b"x\x9c",
    b"x\xda",
    b"\x1f\x8b",
    b"\xfd7zXZ",
    b"BZh",
    b"PK",
)


def compile_model(
    model: object,
    *,
    feature_names: Sequence[str] | None = None,
    rows: ArrayLike | None = None,
) -> Compiled:
    """The canonical form of a trained model.

    `feature_names` replaces the names the model knows, in training order. `rows`, as many as
    there are, tell linear models and networks which values occur, for a tighter bound; trees,
    which need none, ignore them. Raises UnsupportedModel, naming the reason, for what has
    no canonical form.
    """
    for framework in FRAMEWORKS:
        compiler = import_module(f"veridict.models.compile.{framework}")
        if compiler.matches(model):
            known = (rows,) if framework in QUANTISED else ()
            compiled: Compiled = compiler.compile_it(model, feature_names, *known)
            return compiled
    kind = type(model)
    raise UnsupportedModel(
        f"there is no compiler for {kind.__module__}.{kind.__qualname__}",
        remedy=f"pass a trained model of: {', '.join(FRAMEWORKS)}",
    )


def compile_file(path: Path, rows: ArrayLike | None = None) -> Compiled:
    """The canonical form of a model file, recognised by its first bytes:

    LightGBM's text, XGBoost's JSON or UBJSON, ONNX. `rows` as for `compile_model`. Nothing in
    the file is executed. Raises UnsupportedModel for another or a damaged file.
    """
    try:
        return _compile_bytes(path.read_bytes(), path.name, rows)
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError) as problem:
        raise UnsupportedModel(
            f"{path.name} is no whole model file: {problem!r}",
            remedy="pass the file as the framework wrote it",
            file=path.name,
        ) from problem


def _compile_bytes(data: bytes, name: str, rows: ArrayLike | None) -> Compiled:
    from veridict.models.compile import lightgbm, onnx, xgboost

    if data.startswith(b"tree\n"):
        return lightgbm.compile_text(data.decode())
    if data.startswith(b"{"):
        return xgboost.compile_bytes(data)
    if data.startswith(_PICKLES):
        raise UnsupportedModel(
            f"{name} looks like a pickle: to read it is to run whatever code it holds",
            remedy="load it where you trust it, and pass the model to veridict.compile",
            file=name,
        )
    if data.startswith(MAGIC):
        raise UnsupportedModel(f"{name} is compiled already", remedy="use it as it is", file=name)
    if data.startswith(_ONNX):
        return onnx.compile_bytes(data, rows)
    raise UnsupportedModel(
        f"{name} is no model file of a known kind",
        remedy="pass LightGBM's text, XGBoost's JSON or UBJSON, or ONNX",
        file=name,
    )
