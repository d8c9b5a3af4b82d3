"""What a request says of whom and how much: what cases are linked, ranked and suppressed by.

A request is read, not interpreted: the parties of a payment by the names that payments give them,
whatever else two payments may share by the names in LINKS, a guard's payment by its ABI words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from veridict.chain.addresses import checksum
from veridict.core.nouns import Request

PAYER, PAYEE, AMOUNT = "payer", "payee", "amount_minor"
# Fields that tie payments together beside their parties, and what they are called.
LINKS = {"device": "device", "ip": "network address", "card": "card", "phone": "phone"}
_SETTLEMENT = 6 * 32  # chain, guard, payment, payer, payee, amount


@dataclass(frozen=True, slots=True)
class Facts:
    """`payer` and `payee` are "" where the request names none; `amount_minor` None.

    `links`: (what, which) of everything else that another payment may share.
    """

    payer: str
    payee: str
    amount_minor: int | None
    time_s: int
    links: tuple[tuple[str, str], ...] = ()

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in (self.payer, self.payee) if name))


def facts_of(request: Request) -> Facts:
    """Of a request that is no payment: its subject alone."""
    content = request.content
    if content[:1] == b"{":
        return _told(request, content)
    if len(content) == _SETTLEMENT and not any(content[96:108]) and not any(content[128:140]):
        payer, payee = checksum(content[108:128]), checksum(content[140:160])
        amount = int.from_bytes(content[160:], "big")
        return Facts(payer, payee, amount, request.time_s)
    return Facts(request.subject, "", None, request.time_s)


def _told(request: Request, content: bytes) -> Facts:
    try:
        told = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = {}
    amount = told.get(AMOUNT)
    links = [(what, told[name]) for name, what in LINKS.items() if _text(told.get(name))]
    return Facts(
        _text(told.get(PAYER)) or request.subject,
        _text(told.get(PAYEE)),
        amount if type(amount) is int and amount >= 0 else None,
        request.time_s,
        tuple(links),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
