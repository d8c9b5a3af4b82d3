"""The normal form of a payment, whatever it came from: message, chain, broker, file, request.

    field         type   meaning
    id            str    unique for ever: the same payment told twice has the same id
    time_s        int    when it was ordered, seconds since the Unix epoch, as the source says
    payer         str    account, address or name that the money leaves, NFC
    payee         str    where it goes, NFC
    amount        str    exact, in the asset's smallest unit (cents, wei): decimal digits to 2^256-1
    asset         str    ISO 4217 code, or CAIP-19: "eip155:1/erc20:0x…", "eip155:1/native"
    amount_minor  int    what it is worth in hundredths of the watcher's unit (`assets.Assets`)
    source        str    where it was heard of: "eip155:1", "iso20022", "http", a file's name
    channel       str    how it was ordered: "card", "pending", "transfer", … or empty
    place         str    empty, a country "FR", or one with degrees "FR 48.8566 2.3522"

What does not fit is refused with a code, so that it can be counted: BadInput, facts["drop"].
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from veridict.core.errors import BadInput
from veridict.watch.columns import MAX_AMOUNT_MINOR, MAX_TEXT, MAX_TIME_S
from veridict.watch.stream import Shape

# What a drop is counted under, and what it means.
CODES = {
    "id.bad": "the payment's id is empty, too long or no text",
    "payer.bad": "the payer's name is empty, too long or no text",
    "payee.bad": "the payee's name is empty, too long or no text",
    "time.absurd": "its time is before 1970 or after the year 3000",
    "time.ahead": "its time is ahead of this machine's clock by more than is allowed",
    "amount.bad": "the amount is not written as a number",
    "amount.negative": "the amount is negative",
    "amount.too-fine": "the amount has more decimals than its asset",
    "amount.absurd": "the amount is beyond 2^256-1, or worth ten trillion and more",
    "asset.bad": "the asset is neither an ISO 4217 code nor CAIP-19",
    "asset.unknown": "nobody said how many decimals the asset has",
    "place.bad": "the place is neither a country nor one with degrees",
    "channel.bad": "the channel is no short word",
    "message.bad": "the message cannot be read",
    "message.large": "the message is too large",
    "contradiction": "its id was used before, for another payment",
    "retracted": "its block is no longer on the chain",
    "flood": "one transaction moved more often than is looked at",
    "partition.other": "its payer belongs to another partition of the stream",
}

MAX_AMOUNT = 2**256 - 1
_DIGITS = re.compile(r"0|[1-9][0-9]{0,77}")
_ASSET = re.compile(
    r"[A-Z]{3}|[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}/[-a-z0-9]{3,8}(:[-.%a-zA-Z0-9]{1,128})?"
)
_PLACE = re.compile(r"([A-Z]{2}( -?[0-9]{1,2}(\.[0-9]{1,6})? -?[0-9]{1,3}(\.[0-9]{1,6})?)?)?")
_WORD = re.compile(r"[ -~]{0,64}")
# Control, surrogate, private and unassigned characters; and those that turn the direction of text.
_ODD = frozenset({"Cc", "Cs", "Co", "Cn"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@dataclass(frozen=True, slots=True)
class Transfer:
    """The fields of a payment but for its id and time; see the head of this file."""

    payer: str
    payee: str
    amount_minor: int
    amount: str
    asset: str
    source: str
    channel: str = ""
    place: str = ""


def _subject(id: str, transfer: Transfer) -> str:
    return transfer.payer


TRANSFERS: Shape[Transfer] = Shape(Transfer, _subject)


@dataclass(frozen=True, slots=True)
class Event:
    """One payment as a feed gives it; make it with `event`."""

    id: str
    time_s: int
    transfer: Transfer

    def says_the_same(self, other: Transfer) -> bool:
        """Whether `other`, heard under this id, is this payment: when and where may differ."""
        mine = self.transfer
        return (mine.payer, mine.payee, mine.amount, mine.asset) == (
            other.payer, other.payee, other.amount, other.asset,
        )  # fmt: skip


def event(
    id: str,
    time_s: int,
    *,
    payer: str,
    payee: str,
    amount: int,
    asset: str,
    amount_minor: int,
    source: str,
    channel: str = "",
    place: str = "",
) -> Event:
    """A valid one. Raises BadInput with `drop`: "id.bad", "amount.negative", … (see `CODES`)."""
    _need(0 <= time_s < MAX_TIME_S, "time.absurd", f"time {time_s}", "seconds since 1970")
    _need(amount >= 0, "amount.negative", f"amount {amount}", "book refunds the other way")
    _need(amount <= MAX_AMOUNT, "amount.absurd", "more than 2^256-1", "check the amount's unit")
    worth = 0 <= amount_minor <= MAX_AMOUNT_MINOR
    _need(worth, "amount.absurd", f"worth {amount_minor / 100:.3g}", "check the amount's unit")
    _need(_ASSET.fullmatch(asset), "asset.bad", f"asset {asset[:40]!r}", "ISO 4217 or CAIP-19")
    _need(_PLACE.fullmatch(place), "place.bad", f"place {place[:40]!r}", "FR, or FR 48.85 2.35")
    plain = _WORD.fullmatch(channel)
    _need(plain, "channel.bad", f"channel {channel[:40]!r}", "up to 64 ASCII characters")
    return Event(
        name_of(id, "id.bad"),
        time_s,
        Transfer(
            name_of(payer, "payer.bad"), name_of(payee, "payee.bad"), amount_minor, str(amount),
            asset, source, channel, place,
        ),
    )  # fmt: skip


def name_of(text: str, code: str) -> str:
    """`text` in NFC without space around it. Raises BadInput where it is no name of anything.

    Letters of all scripts are names; what cannot be seen or turns the text around is none.
    """
    if not text.isascii() or not text.isprintable():
        seen = all(unicodedata.category(c) not in _ODD and c not in _TURNING for c in text)
        _need(seen, code, f"{text[:40]!a} has characters that are no text", "send plain names")
        text = unicodedata.normalize("NFC", text)
    text = text.strip()
    _need(text, code, "it is empty", "name every payment, payer and payee")
    size = len(text.encode())
    _need(size <= MAX_TEXT, code, f"{size} bytes", f"use names of up to {MAX_TEXT} bytes")
    return text


def whole(text: str) -> int:
    """Digits as an integer. Raises BadInput for any other writing of a number."""
    _need(_DIGITS.fullmatch(text), "amount.bad", f"{text[:40]!r}", "write digits, no sign or zeros")
    return int(text)


def _need(fine: object, code: str, what: str, remedy: str) -> None:
    if not fine:
        raise unfit(code, what, remedy)


def unfit(code: str, what: str, remedy: str) -> BadInput:
    """The error of a payment that cannot be decided; `code` is what it is counted under."""
    return BadInput(f"{code}: {what}", remedy=remedy, drop=code)
