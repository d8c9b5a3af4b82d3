"""What exists is not searched for garbage while anybody asks for that."""

from __future__ import annotations

import gc

from veridict.services.garbage import only_new_garbage


def test_the_last_one_out_ends_it() -> None:
    before = gc.get_freeze_count()
    outer, inner = only_new_garbage(), only_new_garbage()
    with outer:
        assert gc.get_freeze_count() > before
        with inner:
            assert gc.get_freeze_count() > before
        assert gc.get_freeze_count() > before
    assert gc.get_freeze_count() == 0
