"""ISO 20022 pacs.008 (FIToFICustomerCreditTransfer) into the normal form, a payment a CdtTrfTxInf.

    id       UETR; without one "EndToEndId/TxId" under the instructing bank and the message
    payer    the debtor's account (IBAN or other), else its LEI, BIC or name
    payee    the creditor's, likewise
    amount   IntrBkSttlmAmt with its currency, exactly; more decimals than it has are refused
    time     CreDtTm of the group header; IntrBkSttlmDt is a day and may be a later one
    place    the debtor's country

Any version of the message is read, alone or in an envelope with its header; what is not read is not
checked: a schema is the sending bank's business, money and parties are ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from veridict.core.errors import BadInput
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.base import Dropped, sample_of
from veridict.watch.feeds.normal import Event, event, unfit
from veridict.watch.feeds.wire import drop_code, seconds
from veridict.watch.feeds.xml import Path, Walk

SOURCE = "iso20022"
MAX_PAYMENTS = 100_000  # of one message
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:pacs\.008\.001\.[0-9]{2}")
_UETR = re.compile(r"[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_ROOT = ("Document", "FIToFICstmrCdtTrf")
_ACCOUNT = (("Id", "IBAN"), ("Id", "Othr", "Id"))
# What names a party that has no account in the message: the surest first.
_PARTY = (
    ("Id", "OrgId", "LEI"), ("Id", "OrgId", "AnyBIC"), ("Id", "OrgId", "Othr", "Id"),
    ("Id", "PrvtId", "Othr", "Id"), ("Nm",),
)  # fmt: skip


@dataclass(slots=True)
class _Message:
    """What is gathered while the message is walked: the header's texts, one payment's texts."""

    header: dict[Path, str] = field(default_factory=dict)
    payment: dict[Path, str] = field(default_factory=dict)
    currency: str = ""
    known: bool = False
    found: list[Event | Dropped] = field(default_factory=list)


def read_message(data: bytes, assets: Assets) -> list[Event | Dropped]:
    """Its payments in their order; one that does not fit is a `Dropped` with an empty cursor.

    Raises BadInput with `drop` where the message as a whole cannot be read.
    """
    message = _Message()

    def opened(path: Path, attributes: dict[str, str]) -> None:
        at = _inside(path)
        if at == ():
            message.known = bool(_NAMESPACE.fullmatch(walk.namespace))
        if at == ("CdtTrfTxInf",):
            message.payment, message.currency = {}, ""
        if at == ("CdtTrfTxInf", "IntrBkSttlmAmt"):
            message.currency = message.currency or attributes.get("Ccy", "")

    def closed(path: Path, text: str) -> None:
        at = _inside(path)
        if at is None or not message.known:
            return
        if at == ("CdtTrfTxInf",):
            _found(message, assets)
        elif at[:1] == ("CdtTrfTxInf",):
            message.payment.setdefault(at[1:], text)
        elif at[:1] == ("GrpHdr",):
            message.header.setdefault(at[1:], text)

    walk = Walk(opened, closed)
    walk.read(data)
    if not message.known:
        raise unfit("message.bad", "no pacs.008 message", "send FIToFICstmrCdtTrf messages")
    if not message.found:
        raise unfit("message.bad", "a pacs.008 without a CdtTrfTxInf", "send at least one payment")
    told = message.header.get(("NbOfTxs",), "")
    if told != str(len(message.found)):
        raise unfit(
            "message.bad",
            f"NbOfTxs says {told[:20]!r} and there are {len(message.found)} payments",
            "get the message again: it was cut or altered",
        )
    return message.found


def _inside(path: Path) -> Path | None:
    """Where `path` is within the message, whatever envelope is around it."""
    for start in range(min(3, len(path) - 1)):
        if path[start : start + 2] == _ROOT:
            return path[start + 2 :]
    return None


def _found(message: _Message, assets: Assets) -> None:
    if len(message.found) >= MAX_PAYMENTS:
        raise unfit("message.large", f"more than {MAX_PAYMENTS} payments", "send smaller messages")
    try:
        message.found.append(_event(message, assets))
    except BadInput as problem:
        told = "; ".join(f"{'/'.join(path)}={text}" for path, text in message.payment.items())
        dropped = Dropped("", drop_code(problem), problem.message, sample=sample_of(told))
        message.found.append(dropped)


def _event(message: _Message, assets: Assets) -> Event:
    payment, currency = message.payment, message.currency
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise unfit("asset.bad", f"currency {currency[:10]!r}", "give IntrBkSttlmAmt with Ccy")
    amount = assets.minor(currency, payment.get(("IntrBkSttlmAmt",), ""))
    debtor, creditor = _party(payment, "Dbtr"), _party(payment, "Cdtr")
    country = payment.get(("Dbtr", "PstlAdr", "Ctry"), "")
    return event(
        _id(message),
        seconds(message.header.get(("CreDtTm",), "")),
        payer=debtor,
        payee=creditor,
        amount=amount,
        asset=currency,
        amount_minor=assets.worth(currency, amount),
        source=SOURCE,
        channel="transfer",
        place=country if _COUNTRY.fullmatch(country) else "",
    )


def _id(message: _Message) -> str:
    payment, header = message.payment, message.header
    uetr = payment.get(("PmtId", "UETR"), "")
    if uetr:
        if not _UETR.fullmatch(uetr):
            raise unfit("id.bad", f"UETR {uetr[:40]!r}", "a UETR is a UUID of version 4")
        return uetr
    end, tx = payment.get(("PmtId", "EndToEndId"), ""), payment.get(("PmtId", "TxId"), "")
    if not end and not tx:
        raise unfit("id.bad", "neither UETR nor EndToEndId nor TxId", "identify every payment")
    bank = payment.get(("InstgAgt", "FinInstnId", "BICFI")) or header.get(
        ("InstgAgt", "FinInstnId", "BICFI"), ""
    )
    return "/".join((bank, header.get(("MsgId",), ""), end, tx))


def _party(payment: dict[Path, str], side: str) -> str:
    """Its account, as the bank that keeps it knows it; without one, who it is."""
    iban, other = (payment.get((f"{side}Acct", *path), "") for path in _ACCOUNT)
    bank = payment.get((f"{side}Agt", "FinInstnId", "BICFI"), "")
    code = "payer.bad" if side == "Dbtr" else "payee.bad"
    if bank and not _BIC.fullmatch(bank):
        raise unfit(code, f"BIC {bank[:20]!r}", "send the bank's BIC")
    if iban:
        if not _IBAN.fullmatch(iban) or _rest_of(iban) != 1:
            raise unfit(code, f"IBAN {iban[:40]!r}", "check it: its check digits do not fit")
        return iban
    if other:  # unique within its bank alone
        return f"{bank}/{other}" if bank else other
    return next((found for path in _PARTY if (found := payment.get((side, *path)))), "")


def _rest_of(iban: str) -> int:
    """1 for a right IBAN: ISO 7064 MOD 97-10, letters counting from A = 10."""
    return int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97
