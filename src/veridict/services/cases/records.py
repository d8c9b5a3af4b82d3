"""What people do with a case, as records of the log; deciding it is `services.records.ActRecord`.

    case                  taken over, noted upon or handed on as a report
    suppression           a cleared case stops alerts like it, for a while and within limits
    suppressed            an alert that a suppression stopped: it needs nobody
    suppression-revoked   a suppression stops nothing more

A case is named by the log index of its prediction. Who did it, why and about whom stands in the
record's payload, sealed under the key of whom the prediction is about (`services.sayings`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

Step = Literal["assign", "note", "export"]


class CaseRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="case"):
    """`said` commits to who and what: Words, Assignment or Export."""

    step: Step
    index: int
    said: str
    time_ms: int


class SuppressionRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="suppression"):
    """Stops at most `most` alerts until `until_ms` that are like the cleared case `index`.

    Like it: by model `model_id`, for the same strongest reason `feature`, decided no graver, about
    the same two parties, of at most the same amount. `said` commits to these two, to the amount,
    and to who says so (`sayings.Suppressing`).
    """

    index: int
    model_id: str
    feature: int
    until_ms: int
    most: int
    said: str
    time_ms: int


class SuppressedRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="suppressed"):
    """Case `index` was stopped by the suppression at record `suppression`."""

    index: int
    suppression: int
    time_ms: int


class RevocationRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="suppression-revoked"):
    """`said` commits to who took the suppression at record `suppression` back, and why."""

    suppression: int
    said: str
    time_ms: int
