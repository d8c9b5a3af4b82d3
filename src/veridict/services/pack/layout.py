"""Where what lies in a pack: format veridict-audit-pack/1. The bytes: docs/reference/audit-pack.md.

README.md                    what this is and how to check it
anchors.json                 the keeper's notes of heads stored on chains
checkpoints/00000000         every signed head, with its cosignatures
log/checkpoint, log/tile/…   the log as c2sp.org/tlog-tiles publishes it
metrics.json                 what the keeper says the decided rows came to, by group
models/<id>/…                a model's papers: card, bytes, annex, BOM, signed statement
pack.json                    whose log it is, on which chains, and which payloads are open
payloads/000                 what opens the commitments of records 0 to 255
policy.txt                   the witnesses, where there are any
SHA256SUMS                   of everything above, for `sha256sum --check`
statement.intoto.json        in-toto statement on SHA256SUMS in a DSSE envelope of the log's key
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import msgspec

from veridict.chain.addresses import address_bytes, checksum
from veridict.core.codec import JsonValue, canonical_json, nesting
from veridict.core.errors import EvidenceError, VeridictError
from veridict.core.nouns import Anchor, Payload
from veridict.ledger.payloads import decode_payload, encode_payload
from veridict.proofs.tlog_tiles import TILE_WIDTH, TilePath
from veridict.services.anchoring.places import Deployed
from veridict.services.deploy import Addresses

FORMAT = "veridict-audit-pack/1"
README, ANCHORS, METRICS, ABOUT, POLICY = (
    "README.md", "anchors.json", "metrics.json", "pack.json", "policy.txt",
)  # fmt: skip
LOG, CHECKPOINTS, MODELS, PAYLOADS = "log/", "checkpoints/", "models/", "payloads/"
SUMS, STATEMENT = "SHA256SUMS", "statement.intoto.json"
MAX_JSON_BYTES = 16 << 20
MAX_CHECKPOINTS = 10**8  # eight digits

_LENGTH = struct.Struct(">I")


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`pack.json`. `opened` is [first, behind the last] record whose payload may be open.

    `home` is the chain that has the models, and no anchor there is older than block `since`;
    `places` are contracts on other chains that hold anchors.
    """

    format: str
    origin: str
    vkey: str
    operator: str
    size: int
    opened: tuple[int, int]
    home: Addresses
    since: int
    places: list[Deployed]
    guards: list[str]

    def encode(self) -> bytes:
        return _encoded(msgspec.to_builtins(self))

    @classmethod
    def decode(cls, data: bytes) -> About:
        """Raises EvidenceError ("pack.about")."""
        about: About = _decoded(data, cls, "pack.about")
        first, stop = about.opened
        if about.format != FORMAT:
            raise wrong("pack.about", f"its format is {about.format[:80]!r}, not {FORMAT!r}")
        if not 0 <= first <= stop <= about.size:
            raise wrong("pack.about", "its size and range cannot be")
        home = about.home
        for address in (
            about.operator, home.registry, home.anchor, home.stakes, home.judge, *about.guards,
            *(place.contract for place in about.places),
            *(place.operator for place in about.places),
        ):  # fmt: skip
            _check_address(address)
        return about


class _AnchorNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    chain_id: int
    contract: str
    log_id: str
    size: int
    root: str
    time_s: int
    tx_hash: str
    block_number: int
    block_hash: str


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measure of the decided rows of one model, as on a card; `group` "" is all of them."""

    model_id: str
    name: str
    value: str
    group: str
    rows: int


class State(IntEnum):
    """Of one record's payload: there is none, it is open, or the pack does not tell."""

    NONE = 0
    OPEN = 1
    WITHHELD = 2


def bundle_name(n: int) -> str:
    """`payloads/000`, in the groups of three digits that entry bundles have."""
    return PAYLOADS + TilePath(None, n).text.removeprefix("tile/entries/")


def checkpoint_name(number: int) -> str:
    return f"{CHECKPOINTS}{number:08d}"


def model_name(model_id: str, file: str) -> str:
    return f"{MODELS}{model_id}/{file}"


def encode_payloads(states: Sequence[Payload | State]) -> bytes:
    """A state byte each; behind OPEN a big-endian u32 length and the payload as a log stores it."""
    parts = []
    for state in states:
        if isinstance(state, State):
            parts.append(bytes([state]))
        else:
            data = encode_payload(state)
            parts.append(bytes([State.OPEN]) + _LENGTH.pack(len(data)) + data)
    return b"".join(parts)


def decode_payloads(data: bytes, width: int) -> list[State | bytes]:
    """Exactly `width`, open ones as stored. Raises EvidenceError ("payloads.malformed")."""
    found: list[State | bytes] = []
    at = 0
    while at < len(data) and len(found) < width <= TILE_WIDTH:
        state, at = data[at], at + 1
        if state in (State.NONE, State.WITHHELD):
            found.append(State(state))
            continue
        start = at + _LENGTH.size
        if state != State.OPEN or start > len(data):
            raise wrong("payloads.malformed", f"state {state} before byte {at}")
        at = start + int.from_bytes(data[start - _LENGTH.size : start], "big")
        if at > len(data):
            raise wrong("payloads.malformed", "it ends inside a payload")
        found.append(data[start:at])
    if at != len(data) or len(found) != width:
        raise wrong("payloads.malformed", f"it does not hold {width} payloads and nothing else")
    return found


def open_payload(stored: bytes) -> Payload | None:
    """None where it is damaged: an examiner names it."""
    try:
        return decode_payload(stored)
    except VeridictError:
        return None


def encode_anchors(anchors: Sequence[Anchor]) -> bytes:
    return _encoded(
        [
            msgspec.to_builtins(
                _AnchorNote(
                    a.chain_id, a.contract, a.log_id.hex(), a.size, a.root.hex(), a.time_s,
                    a.tx_hash, a.block_number, a.block_hash,
                )
            )
            for a in anchors
        ]
    )  # fmt: skip


def decode_anchors(data: bytes) -> list[Anchor]:
    """Raises EvidenceError ("anchors.malformed")."""
    notes = _decoded(data, list[_AnchorNote], "anchors.malformed")
    try:
        return [
            Anchor(
                n.chain_id, n.contract, bytes.fromhex(n.log_id), n.size, bytes.fromhex(n.root),
                n.time_s, n.tx_hash, n.block_number, n.block_hash,
            )
            for n in notes
        ]  # fmt: skip
    except ValueError as problem:
        raise wrong("anchors.malformed", "a root or a log id is no hex") from problem


def encode_claims(claims: Sequence[Claim]) -> bytes:
    return _encoded([msgspec.to_builtins(claim) for claim in claims])


def decode_claims(data: bytes) -> list[Claim]:
    """Raises EvidenceError ("metrics.malformed")."""
    claims: list[Claim] = _decoded(data, list[Claim], "metrics.malformed")
    return claims


def _check_address(text: str) -> None:
    """Raises EvidenceError unless it is one, in the one spelling of EIP-55."""
    try:
        known = checksum(address_bytes(text))
    except VeridictError as problem:
        raise wrong("pack.about", problem.message) from problem
    if known != text:
        raise wrong("pack.about", f"{text} is not spelled as {known}")


def wrong(code: str, why: str) -> EvidenceError:
    return EvidenceError(
        f"this part of the pack cannot be: {why}",
        remedy="ask its keeper for the pack again",
        finding=code,
    )


def _encoded(value: JsonValue) -> bytes:
    return canonical_json(value) + b"\n"


def _decoded(data: bytes, kind: Any, code: str) -> Any:
    """Only what `_encoded` writes."""
    try:
        if len(data) > MAX_JSON_BYTES or nesting(data) > 8:
            raise ValueError("it is too long or too deep")
        value = msgspec.json.decode(data, type=kind)
        if _encoded(msgspec.to_builtins(value)) != data:
            raise ValueError("it is not spelled canonically")
    except (msgspec.DecodeError, ValueError, VeridictError) as problem:
        raise wrong(code, str(problem)[:200]) from problem
    return value
