"""pacs.008 messages for tests, as small as they may be."""

from __future__ import annotations

from collections.abc import Sequence

UETR = "8a562c67-ca16-48ba-b074-65581be6f0{:02x}"
PAYMENT = """
<CdtTrfTxInf>
  <PmtId><EndToEndId>e{number}</EndToEndId><UETR>{uetr}</UETR></PmtId>
  <IntrBkSttlmAmt Ccy="{currency}">{amount}</IntrBkSttlmAmt>
  <Dbtr><Nm>Ann Example</Nm><PstlAdr><Ctry>FR</Ctry></PstlAdr></Dbtr>
  <DbtrAcct><Id><IBAN>GB82WEST12345698765432</IBAN></Id></DbtrAcct>
  <DbtrAgt><FinInstnId><BICFI>WESTGB2LXXX</BICFI></FinInstnId></DbtrAgt>
  <CdtrAgt><FinInstnId><BICFI>EASTDEFFXXX</BICFI></FinInstnId></CdtrAgt>
  <Cdtr><Nm>Bob Example</Nm></Cdtr>
  <CdtrAcct><Id><Othr><Id>{account}</Id></Othr></Id></CdtrAcct>
</CdtTrfTxInf>"""
MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.{version}">
<FIToFICstmrCdtTrf>
<GrpHdr><MsgId>m-1</MsgId><CreDtTm>2026-01-01T10:00:00+01:00</CreDtTm>
<NbOfTxs>{count}</NbOfTxs><SttlmInf><SttlmMtd>INDA</SttlmMtd></SttlmInf></GrpHdr>{payments}
</FIToFICstmrCdtTrf>
</Document>"""


def payment(number: int = 1, amount: str = "12.50", currency: str = "EUR", **other: str) -> str:
    told = {"uetr": UETR.format(number), "account": f"acct-{number}", **other}
    return PAYMENT.format(number=number, amount=amount, currency=currency, **told)


def message(
    payments: Sequence[str] | None = None, *, version: str = "08", count: str = ""
) -> bytes:
    given = [payment()] if payments is None else payments
    told = count or str(len(given))
    return MESSAGE.format(version=version, count=told, payments="".join(given)).encode()
