"""ISO 20022 payments: what is read of a message, and what is refused with which code."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from tests.support.messages import UETR, message, payment
from tests.support.missing import missing
from veridict.core.errors import BadInput
from veridict.watch.feeds.assets import Assets
from veridict.watch.feeds.base import Arrived, Dropped
from veridict.watch.feeds.iso20022 import Iso20022Feed
from veridict.watch.feeds.normal import Event
from veridict.watch.feeds.pacs008 import read_message

ASSETS = Assets()


def only(data: bytes) -> Event:
    (found,) = read_message(data, ASSETS)
    assert isinstance(found, Event), found
    return found


def code(data: bytes) -> str:
    """Why the message, or its only payment, is refused."""
    try:
        (found,) = read_message(data, ASSETS)
    except BadInput as problem:
        return str(problem.facts["drop"])
    assert isinstance(found, Dropped), found
    return found.code


def test_a_payment_in_the_normal_form() -> None:
    found = only(message())
    assert (found.id, found.time_s) == (UETR.format(1), 1_767_258_000)
    told = found.transfer
    assert (told.payer, told.payee) == ("GB82WEST12345698765432", "EASTDEFFXXX/acct-1")
    assert (told.amount, told.asset, told.amount_minor) == ("1250", "EUR", 1_250)
    assert (told.source, told.channel, told.place) == ("iso20022", "transfer", "FR")


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("1000", "JPY", "1000"), ("1.234", "KWD", "1234"), ("7", "EUR", "700"), ("0.10", "USD", "10")],
)
def test_amounts_are_exact_in_the_currencys_own_unit(
    amount: str, currency: str, minor: str
) -> None:
    assert only(message([payment(amount=amount, currency=currency)])).transfer.amount == minor


@pytest.mark.parametrize("version", ["02", "08", "10", "13"])
def test_every_version_and_any_envelope(version: str) -> None:
    bare = message(version=version)
    inside = bare.split(b"?>", 1)[1]
    assert only(b"<Envelope><AppHdr/>" + inside + b"</Envelope>") == only(bare)


def test_several_payments_each_on_its_own() -> None:
    parts = [payment(1), payment(2, amount="-5"), payment(3, amount="1.001"), payment(4)]
    found = read_message(message(parts), ASSETS)
    told = [one.id if isinstance(one, Event) else one.code for one in found]
    assert told == [UETR.format(1), "amount.negative", "amount.too-fine", UETR.format(4)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((UETR.format(1), "8A562C67"), "id.bad"),
        (("GB82WEST12345698765432", "GB82WEST12345698765433"), "payer.bad"),
        (("EASTDEFFXXX", "east"), "payee.bad"),
        (('Ccy="EUR"', 'Ccy="eur"'), "asset.bad"),
        (('Ccy="EUR"', ""), "asset.bad"),
        ((">12.50<", ">twelve<"), "amount.bad"),
        ((">12.50<", ">1<x/>2.50<"), "message.bad"),
        ((">12.50<", f">{10**30}<"), "amount.absurd"),
        (("2026-01-01T10:00:00+01:00", "yesterday"), "time.absurd"),
        (("<NbOfTxs>1<", "<NbOfTxs>2<"), "message.bad"),
        (("pacs.008.001.08", "pacs.009.001.08"), "message.bad"),
        (("FIToFICstmrCdtTrf", "FICdtTrf"), "message.bad"),
        (("</Document>", ""), "message.bad"),
        (('"UTF-8"?>', '"UTF-8"?><!DOCTYPE Document [<!ENTITY a "b">]>'), "message.bad"),
        (('"UTF-8"?>', '"no such code"?>'), "message.bad"),
    ],
)
def test_what_is_malformed_is_refused_with_a_code(change: tuple[str, str], why: str) -> None:
    told = message().decode()
    assert change[0] in told
    assert code(told.replace(*change).encode()) == why


def test_entities_are_neither_expanded_nor_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    for doctype in (
        f'<!DOCTYPE D [<!ENTITY l0 "ha">{laughs}]>',
        f'<!DOCTYPE D [<!ENTITY l9 SYSTEM "file://{secret}">]>',
        '<!DOCTYPE D SYSTEM "http://127.0.0.1:1/d.dtd">',
    ):
        hostile = message().decode().replace("?>", f"?>{doctype}", 1).replace("Ann", "&l9;")
        assert code(hostile.encode()) == "message.bad"


def test_depth_and_size_are_bounded() -> None:
    deep = b"<a>" * 5_000 + b"</a>" * 5_000
    assert code(deep) == "message.bad"
    assert code(b" " * (9 << 20)) == "message.large"


def test_a_payment_without_uetr_is_known_by_bank_and_message() -> None:
    told = message().decode().replace(f"<UETR>{UETR.format(1)}</UETR>", "")
    assert only(told.encode()).id == "/m-1/e1/"


def test_a_folder_is_followed_in_order_of_arrival_and_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "b.xml").write_bytes(message([payment(1), payment(2), payment(3)]))
    (tmp_path / ".hidden.xml").write_bytes(b"half a mess")
    feed = Iso20022Feed(tmp_path, once=True)
    feed.start("")
    first = feed.pull(2, 0.0)
    (tmp_path / "a.xml").write_bytes(b"no message")
    (tmp_path / "later.tmp").write_bytes(message([payment(4)]))
    (tmp_path / "later.tmp").rename(tmp_path / "c.xml")
    again = Iso20022Feed(tmp_path, once=True)
    again.start(first[-1].cursor)
    rest = [item for _ in range(4) for item in again.pull(10, 0.0)]
    assert again.ended
    told = [
        one.event.id if isinstance(one, Arrived) else getattr(one, "code", "?")
        for one in (*first, *rest)
    ]
    assert told == [*(UETR.format(n) for n in (1, 2, 3)), "message.bad", UETR.format(4)]
    last = Iso20022Feed(tmp_path, once=True)
    last.start(rest[-1].cursor)
    assert list(last.pull(10, 0.0)) == []


def test_all_sample_messages_of_the_market_are_read() -> None:
    root = os.environ.get("VERIDICT_DATA")
    archive = Path(root or "") / "industry/iso20022_cbpr_examples.tar.gz"
    if not root or not archive.is_file():
        missing("the sample messages", "set VERIDICT_DATA to their folder", installable=False)
    read = 0
    with tarfile.open(archive) as messages:
        for name in messages.getnames():
            opened = messages.extractfile(name)
            if opened is None:
                continue
            data = opened.read()
            if "/pacs.008" in name:
                assert all(isinstance(one, Event) for one in read_message(data, ASSETS)), name
                read += 1
            else:
                assert code(data) == "message.bad", name
    assert read == 8
