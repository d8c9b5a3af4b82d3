"""Compilers: one file a framework. `compile_model` finds the one that knows the model.

To add a framework: a file here with `matches(model) -> bool` and
`compile_it(model, feature_names) -> Compiled`, and its name in FRAMEWORKS.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from veridict.core.errors import UnsupportedModel
from veridict.models.compile.agreement import Agreement, agreement
from veridict.models.compile.outcome import Compiled, Link

__all__ = ["FRAMEWORKS", "Agreement", "Compiled", "Link", "agreement", "compile_model"]

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
