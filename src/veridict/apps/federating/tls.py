"""TLS 1.3 in which both ends show a certificate, and only those of members are taken."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path

from veridict.apps.federating.cards import Card


def server_context(certificate: Path, key: Path, cards: Iterable[Card]) -> ssl.SSLContext:
    """A listener that lets in holders of these cards' keys; `trust` adds more while it listens."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context, certificate, key)
    trust(context, cards)
    return context


def client_context(certificate: Path, key: Path, card: Card) -> ssl.SSLContext:
    """For connections to the holder of one card. Its address may change, its key may not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the certificate itself is pinned
    _harden(context, certificate, key)
    trust(context, [card])
    return context


def trust(context: ssl.SSLContext, cards: Iterable[Card]) -> None:
    """From the next handshake on."""
    for card in cards:
        context.load_verify_locations(cadata=card.certificate)


def _harden(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
