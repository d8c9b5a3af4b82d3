"""Parts that a machine may lack: their tests skip loudly, and under CI=true they fail."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

PREFIX = "missing part: "


def missing(part: str, how_to_install: str, *, installable: bool = True) -> NoReturn:
    """Ends the test (or, called while a module is collected, all its tests) for want of `part`.

    What no installer can bring (`installable=False`, large data sets) skips under CI=true too.
    """
    reason = f"{PREFIX}{part} ({how_to_install})"
    if installable and os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; under CI=true nothing may be skipped", pytrace=False)
    pytest.skip(reason, allow_module_level=True)


def parts_named_in(reasons: list[str]) -> list[str]:
    """The distinct parts, with how to install them, among the reasons of skipped tests."""
    return sorted({text.split(PREFIX, 1)[1] for text in reasons if PREFIX in text})
