"""Payments in the normal form as a table: what features and detectors are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from veridict.core.nouns import Request
from veridict.watch.arrays import I64
from veridict.watch.feeds.normal import TRANSFERS, Event, Transfer
from veridict.watch.stream import Table


class Paid(msgspec.Struct, frozen=True):
    """What features read of a payment; of what they do not need there may be more or less."""

    payer: str
    payee: str
    amount_minor: int
    amount: str = ""
    asset: str = ""


_paid = msgspec.json.Decoder(Paid)


def paid_of(request: Request) -> Paid | None:
    """None for a request that is no payment."""
    try:
        return _paid.decode(request.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def arrived(events: Sequence[Event], times_s: I64) -> Table[Transfer]:
    """`events` with `times_s`, which must not fall, in place of their own."""
    columns: dict[str, Any] = {"id": [e.id for e in events], "time_s": times_s}
    columns |= {name: [getattr(e.transfer, name) for e in events] for name in TRANSFERS.names}
    return _table(columns, len(events))


def remembered(
    requests: Sequence[tuple[Request, Paid]], times_s: I64, labels: Sequence[int] | None = None
) -> Table[Transfer]:
    """Payments read from the log again, with their labels where these are known."""
    columns: dict[str, Any] = {"id": [r.id for r, _ in requests], "time_s": times_s}
    columns |= {
        name: [getattr(paid, name) for _, paid in requests]
        for name in ("payer", "payee", "amount_minor", "amount", "asset")
    }
    return _table(columns, len(requests), labels)


def requests_of(events: Sequence[Event]) -> list[Request]:
    """Each event as what a decision is asked about, at the time that its source says."""
    columns: list[list[Any]] = [[e.id for e in events], [e.time_s for e in events]]
    columns += [[getattr(e.transfer, name) for e in events] for name in TRANSFERS.names]
    return [
        Request(e.id, e.transfer.payer, e.time_s, content)
        for e, content in zip(events, TRANSFERS.contents(columns), strict=True)
    ]


def seconds_of(times: Sequence[int]) -> I64:
    return np.array(times, np.int64)


def _table(
    columns: dict[str, Any], size: int, labels: Sequence[int] | None = None
) -> Table[Transfer]:
    blank = [""] * size
    whole = {name: columns.get(name, blank) for name in TRANSFERS.schema.names}
    whole["label"] = [None] * size if labels is None else labels
    return Table(pa.table(whole, schema=TRANSFERS.schema), TRANSFERS)
