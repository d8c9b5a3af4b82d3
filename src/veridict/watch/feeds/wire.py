"""The normal form as JSON: what HTTP, brokers and files of JSON lines carry.

{"id": "p-1", "time": "2026-01-01T10:00:00Z", "payer": "alice", "payee": "shop",
 "amount": "12.50", "asset": "EUR", "channel": "card", "place": "FR"}

`time` may be whole seconds since 1970. Instead of `amount` there may be `amount_minor`, in the
asset's smallest unit: digits or an integer. A float is no amount: it has lost cents already.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from veridict.core.errors import BadInput
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.normal import Event, event, unfit, whole

MAX_BYTES = 16_384  # of one payment
_Short = Annotated[str, msgspec.Meta(max_length=512)]


class PaymentJson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The head of this file says what the fields are."""

    id: _Short
    time: int | _Short
    payer: _Short
    payee: _Short
    asset: _Short
    amount: _Short | None = None
    amount_minor: int | _Short | None = None
    channel: _Short = ""
    place: _Short = ""


_decoder = msgspec.json.Decoder(PaymentJson)


def read_payment(data: bytes, assets: Assets, source: str) -> Event:
    """Raises BadInput with `drop`: what it is counted under."""
    if len(data) > MAX_BYTES:
        raise unfit("message.large", f"{len(data)} bytes", f"send up to {MAX_BYTES} a payment")
    try:
        said = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as problem:
        raise unfit(
            "message.bad", f"no payment: {problem}", "see the page on watching a feed"
        ) from problem
    return payment_of(said, assets, source)


def payment_of(said: PaymentJson, assets: Assets, source: str) -> Event:
    """Raises BadInput with `drop`."""
    amount = _amount(said, assets)
    return event(
        said.id,
        seconds(said.time),
        payer=said.payer,
        payee=said.payee,
        amount=amount,
        asset=said.asset,
        amount_minor=assets.worth(said.asset, amount),
        source=source,
        channel=said.channel,
        place=said.place,
    )


def seconds(time: int | str) -> int:
    """Whole seconds since 1970, from them or from ISO 8601; without a zone it is UTC."""
    if isinstance(time, int):
        return time
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        raise unfit("time.absurd", f"{time[:40]!r}", "write 2026-01-01T10:00:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() // 1)


def _amount(said: PaymentJson, assets: Assets) -> int:
    if (said.amount is None) == (said.amount_minor is None):
        raise unfit("amount.bad", "one of amount and amount_minor", "give exactly one of them")
    if said.amount is not None:
        return assets.minor(said.asset, said.amount)
    minor = said.amount_minor
    return whole(minor) if isinstance(minor, str) else int(minor or 0)


def drop_code(problem: BadInput) -> str:
    """What a payment that could not be read is counted under."""
    return str(problem.facts.get("drop") or "message.bad")
