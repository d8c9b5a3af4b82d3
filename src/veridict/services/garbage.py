"""Python's search for garbage, kept out of what a node holds for as long as it lives."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_guard = Lock()
_within = 0


@contextmanager
def only_new_garbage() -> Iterator[None]:
    """What exists at the beginning is not searched until the end.

    A stream makes many short-lived values, so Python searches often, and would go through
    models, libraries and the chain every time: a tenth of the time, in pauses of 0.1 s.
    Of several, inside each other or beside, the last one ends it.
    """
    global _within
    with _guard:
        _within += 1
        gc.freeze()
    try:
        yield
    finally:
        with _guard:
            _within -= 1
            if not _within:
                gc.unfreeze()
