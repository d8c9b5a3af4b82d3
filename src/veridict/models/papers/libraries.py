"""Which versions of which libraries made a model: for its card and its bill of materials."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from veridict.core.version import VERSION

TRAINING = ("lightgbm", "numpy", "scipy")


def libraries(names: Iterable[str] = TRAINING) -> tuple[str, ...]:
    """`name==version` of veridict and of those of `names` that are installed, alphabetically.

    >>> libraries(["numpy"])[0].partition("==")[0]
    'numpy'
    """
    found = {"veridict": VERSION}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return tuple(f"{name}=={found[name]}" for name in sorted(found))
