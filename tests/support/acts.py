"""Acts of a person, with the words that they commit to."""

from __future__ import annotations

from typing import Literal

from veridict.core.nouns import Payload
from veridict.services.records import ActRecord
from veridict.services.sayings import Words, said, saying


def act_on(
    index: int, act: Literal["release", "confirm"] = "release", *, time_ms: int = 0
) -> tuple[ActRecord, Payload]:
    payload = saying(Words("somebody", ""), name="act", subject="", time_ms=time_ms)
    return ActRecord(act, index, said(payload), None, None, time_ms), payload
