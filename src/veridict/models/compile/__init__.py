"""Compilers: one file a framework. `compile_model` finds the one that knows the model.

To add a framework: a file here with `matches(model) -> bool` and
`compile_it(model, feature_names) -> Compiled`, and its name in FRAMEWORKS.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from veridict.core.errors import UnsupportedModel
from veridict.models.compile.agreement import Agreement, agreement
from veridict.models.compile.outcome import Compiled, Link

__all__ = [
    "FRAMEWORKS",
    "Agreement",
    "Compiled",
    "Link",
    "agreement",
    "compile_file",
    "compile_model",
]

FRAMEWORKS = ("lightgbm",)


def compile_model(model: object, *, feature_names: Sequence[str] | None = None) -> Compiled:
    """The canonical form of a trained model.

    `feature_names` replaces the names the model knows, in training order.
    Raises UnsupportedModel, naming the reason, for what has no exact form.
    """
    for framework in FRAMEWORKS:
        compiler = import_module(f"veridict.models.compile.{framework}")
        if compiler.matches(model):
            compiled: Compiled = compiler.compile_it(model, feature_names)
            return compiled
    kind = type(model)
    raise UnsupportedModel(
        f"there is no compiler for {kind.__module__}.{kind.__qualname__}",
        remedy=f"pass a trained model of: {', '.join(FRAMEWORKS)}",
    )


def compile_file(path: Path) -> Compiled:
    """The canonical form of a model file: LightGBM's text, as Booster.save_model writes it.

    Nothing in the file is executed. Raises UnsupportedModel for another or a damaged file.
    """
    from veridict.models.compile.lightgbm import compile_text

    try:
        return compile_text(path.read_text("utf-8"))
    except (OSError, ValueError, LookupError) as problem:
        raise UnsupportedModel(
            f"{path.name} is no LightGBM model: {problem!r}",
            remedy="pass the text file that Booster.save_model wrote, whole",
            file=path.name,
        ) from problem
