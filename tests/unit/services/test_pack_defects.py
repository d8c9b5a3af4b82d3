"""One fixture a defect: what a stranger or the keeper changes in a pack is found, and named.

On a pack of a few records, offline. `tests/scenario/test_pack.py` has what a chain is needed for.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.packs import (
    HEAD,
    Alter,
    Members,
    Rows,
    about,
    anchors,
    codes,
    flipped,
    put,
    repacked,
    rows_in,
    verified,
    with_rows,
    without,
)
from tests.support.small_pack import OPERATOR, SIGNER, grouping, small_pack
from veridict.core.errors import EvidenceError
from veridict.core.nouns import NO_REASON, Decision, PredictionRecord
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.note import Signer
from veridict.services.pack import layout, manifest
from veridict.services.pack.answers import Standing
from veridict.services.pack.layout import Claim, State
from veridict.services.pack.reading import Pack
from veridict.services.pack.verifying import Brought
from veridict.services.records import ErasureRecord, ModelRecord, decode, encode
from veridict.services.sayings import ErasureWords, said, saying

PAGE, BUNDLE, LEAVES = "payloads/000", "log/tile/entries/000.p/7", "log/tile/0/000.p/7"
KNOWN = Brought(keys=(SIGNER.verifier,), operator=OPERATOR, grouping=grouping)


def test_the_whole_pack_has_no_findings() -> None:
    report = verified(BytesIO(whole()), KNOWN)
    assert codes(report) == set()
    assert report.standing is Standing.IN_PART


def whole() -> bytes:
    return packed(small_pack(), SIGNER)


def packed(members: Members, signer: Signer | None) -> bytes:
    with tempfile.TemporaryDirectory(prefix="veridict-pack-") as directory:
        return repacked(members, Path(directory) / "p.zip", signer).read_bytes()


@dataclass(frozen=True, slots=True)
class Defect:
    """`resigned`: by the keeper, who signs the digests anew. `caught_as` must be found."""

    name: str
    caught_as: str
    alter: Alter
    resigned: bool = True
    heads: tuple[SignedCheckpoint, ...] = ()


def of_model(file: str, change: Callable[[bytes], bytes]) -> Alter:
    def alter(members: Members) -> Members:
        name = model_file(members, file)
        return {**members, name: change(members[name])}

    return alter


def claims(change: Callable[[list[Claim]], list[Claim]]) -> Alter:
    def alter(members: Members) -> Members:
        made = change(layout.decode_claims(members[layout.METRICS]))
        return {**members, layout.METRICS: layout.encode_claims(made)}

    return alter


def payload_page(change: Callable[[list[Any]], None]) -> Alter:
    def alter(members: Members) -> Members:
        stored = layout.decode_payloads(members[PAGE], 7)
        states = [
            layout.open_payload(s) or State.NONE if isinstance(s, bytes) else s for s in stored
        ]
        change(states)
        return {**members, PAGE: layout.encode_payloads(states)}

    return alter


def swap(states: list[Any]) -> None:
    states[1], states[2] = states[2], states[1]


def another_key(members: Members) -> Members:
    """Everything is kept under a key of the forger's own, with the log's name."""
    return with_rows(members, rows_in(members), Signer.generate(SIGNER.name))


def another_origin(members: Members) -> Members:
    """The log's key signs a head of a log of another name."""
    head = SignedCheckpoint(members[HEAD].decode())
    other = Checkpoint("elsewhere.example/log", head.size, head.root)
    text = SignedCheckpoint.sign(other, SIGNER).text.encode()
    last = max(n for n in members if n.startswith(layout.CHECKPOINTS))
    return {**members, last: text}


def older_head_last(members: Members) -> Members:
    names = sorted(n for n in members if n.startswith(layout.CHECKPOINTS))
    return {**members, layout.checkpoint_name(len(names)): members[names[0]]}


def model_file(members: Members, file: str) -> str:
    return next(n for n in members if n.startswith(layout.MODELS) and n.endswith(file))


def swap_inputs(states: list[Any]) -> None:
    states[1], states[2] = (
        replace(states[1], inputs=states[2].inputs), replace(states[2], inputs=states[1].inputs),
    )  # fmt: skip


def gone(state: State, index: int = 2) -> Callable[[list[Any]], None]:
    def change(states: list[Any]) -> None:
        states[index] = state

    return change


def other_words(states: list[Any]) -> None:
    states[6] = replace(states[6], request=replace(states[6].request, content=b"{}"))


def undone(members: Members) -> Members:
    """An erasure says that it took a payload that is still there."""
    words = saying(ErasureWords("us", "", [(2, 2)]), name="e", subject="", time_ms=0)
    record = ErasureRecord("00" * 32, said(words), 1, "request", 0)
    return with_rows(members, [*rows_in(members), (encode(record), words)], SIGNER)


def damaged_payload(members: Members) -> Members:
    """The page holds as many as it should, and one of them is half a payload."""
    stored = layout.decode_payloads(members[PAGE], 7)
    page = b""
    for state in stored:
        half = state[:50] if isinstance(state, bytes) else b""
        page += b"\1" + len(half).to_bytes(4, "big") + half if half else b"\0"
    return {**members, PAGE: page}


def signed_by_another(members: Members) -> Members:
    other = Signer.generate(SIGNER.name)
    return {**members, layout.STATEMENT: manifest.sign(other, members[layout.SUMS])}


def later_card(body: bytes) -> bytes:
    """The same registration, of a model that learned until long after its first decision."""
    record = decode(body)
    assert isinstance(record, ModelRecord)
    card = {**record.card, "trained_to_s": 10**9}
    return encode(msgspec.structs.replace(record, card=card))


def edited(index: int, edit: Callable[[PredictionRecord], PredictionRecord]) -> Alter:
    """One prediction told otherwise, in a log that is in order and signed anew."""

    def alter(members: Members) -> Members:
        rows = rows_in(members)
        body, payload = rows[index]
        rows[index] = (edit(PredictionRecord.decode(body)).encode(), payload)
        return with_rows(members, rows, SIGNER)

    return alter


def logged(change: Callable[[Rows], Rows]) -> Alter:
    """Another log altogether, in order and signed."""
    return lambda members: with_rows(members, change(rows_in(members)), SIGNER)


def cut(members: Members) -> Members:
    """The log as it was before its last two records, behind a head of all of them."""
    rows = rows_in(members)
    return {**with_rows(members, rows[:5], SIGNER), "checkpoints/00000001": members[HEAD]}


def headed(size: int, root: bytes, signer: Signer = SIGNER) -> SignedCheckpoint:
    return SignedCheckpoint.sign(Checkpoint(SIGNER.name, size, root), signer)


DEFECTS = (
    # by anybody: the keeper's signature is as it was
    Defect("edited payload", "pack.altered", flipped(PAGE, 300), resigned=False),
    Defect("edited readme", "pack.altered", put(layout.README, b"trust me\n"), resigned=False),
    Defect("missing bundle", "pack.missing", without(BUNDLE), resigned=False),
    Defect("missing digests", "pack.missing", without(layout.SUMS), resigned=False),
    Defect("missing signature", "pack.missing", without(layout.STATEMENT), resigned=False),
    Defect("added member", "pack.surplus", put("notes.txt", b"x"), resigned=False),
    Defect("added page", "pack.surplus", put("payloads/999", b""), resigned=False),
    Defect("unlisted member", "pack.sums", put("notes.txt", b"x"), resigned=False),
    Defect("members out of order", "pack.order", lambda m: dict(reversed(m.items())), False),
    Defect("edited digests", "pack.statement", flipped(layout.SUMS, 0), resigned=False),
    Defect("garbled digests", "pack.sums", put(layout.SUMS, b"no digests\n"), resigned=False),
    Defect("garbled signature", "dsse.malformed", put(layout.STATEMENT, b"{}"), resigned=False),
    Defect("another's signature", "dsse.signature", signed_by_another, resigned=False),
    # by the keeper, who signs what he packs
    Defect("swapped payloads", "payload.request", payload_page(swap)),
    Defect("swapped inputs", "payload.inputs", payload_page(swap_inputs)),
    Defect("withheld within", "payload.missing", payload_page(gone(State.WITHHELD))),
    Defect("erased without record", "payload.missing", payload_page(gone(State.NONE))),
    Defect("words gone without record", "payload.missing", payload_page(gone(State.NONE, 6))),
    Defect("other words", "payload.said", payload_page(other_words)),
    Defect("erased and still there", "erasure.undone", undone),
    Defect("damaged payload", "payload.malformed", damaged_payload),
    Defect("garbled payloads", "payloads.malformed", put(PAGE, b"\3")),
    Defect("garbled bundle", "bundle.malformed", put(BUNDLE, b"\0")),
    Defect("record flipped", "record.altered", flipped(BUNDLE, -20)),
    Defect("leaf flipped", "tile.altered", flipped(LEAVES, 40)),
    Defect("tile too short", "tile.malformed", put(LEAVES, bytes(32))),
    Defect("record gone", "record.dropped", without(BUNDLE)),
    Defect("model swapped", "model.altered", of_model("model.vdm", lambda d: d[:-1] + b"\x55")),
    Defect("model gone", "model.missing", lambda m: without(model_file(m, "model.vdm"))(m)),
    Defect("annex swapped", "annex.altered", of_model("model.annex", lambda d: d + b"\x55")),
    Defect("annex gone", "annex.missing", lambda m: without(model_file(m, "model.annex"))(m)),
    Defect("better measures", "metric.false",
           claims(lambda told: [msgspec.structs.replace(told[0], value="0.99"), *told[1:]])),
    Defect("invented measure", "metric.false",
           claims(lambda told: [*told, Claim(told[0].model_id, "F1", "0.99", "", 5)])),
    Defect("measure left out", "metric.missing", claims(lambda told: told[1:])),
    Defect("measure twice", "metric.twice", claims(lambda told: [*told, told[0]])),
    Defect("garbled measures", "metrics.malformed", put(layout.METRICS, b"[ ]\n")),
    Defect("garbled anchors", "anchors.malformed", put(layout.ANCHORS, b"{}\n")),
    Defect("anchor of another tree", "anchor.root-differs", anchors(root="00" * 32)),
    Defect("anchor beyond the log", "log.truncated", anchors(size=99)),
    Defect("garbled policy", "policy.malformed", put(layout.POLICY, b"quorum\n")),
    Defect("garbled head", "checkpoint.signature", put("checkpoints/00000000", b"no note")),
    Defect("wrong origin", "checkpoint.origin", another_origin),
    Defect("wrong key", "key.other", another_key),
    Defect("wrong key's heads", "checkpoint.signature", another_key),
    Defect("wrong operator", "operator.other", about(operator="0x" + "12" * 20)),
    Defect("heads out of order", "checkpoint.rolled-back", older_head_last),
    Defect("rolled back behind its head", "log.truncated", cut),
    Defect("two histories signed", "log.rewritten", put(
        "checkpoints/00000001", headed(7, bytes(32)).text.encode())),
    # a log of lies, in order and signed
    Defect("forged score", "score.false", edited(2, lambda r: replace(r, score=r.score - 1))),
    Defect("forged decision", "decision.false",
           edited(2, lambda r: replace(r, decision=Decision((r.decision + 1) % 3)))),
    Defect("forged reasons", "reasons.false",
           edited(2, lambda r: replace(r, reasons=(NO_REASON, NO_REASON, 0)))),
    Defect("model not registered", "model.unregistered",
           edited(2, lambda r: replace(r, model_id=bytes(32)))),
    Defect("prediction replayed", "sequence.gap", logged(lambda rows: [*rows, rows[2]])),
    Defect("predictions out of order", "sequence.gap",
           logged(lambda rows: [*rows[:2], rows[3], rows[2], *rows[4:]])),
    Defect("prediction left out", "sequence.gap", logged(lambda rows: [*rows[:2], *rows[3:]])),
    Defect("label before its prediction", "outcome.early",
           logged(lambda rows: [*rows[:3], rows[5], *rows[3:]])),
    Defect("act on nothing", "act.baseless", logged(lambda rows: [*rows[:1], rows[6], *rows[1:]])),
    Defect("row from before the model", "lookahead.learned", logged(
        lambda rows: [(later_card(rows[0][0]), None), *rows[1:]])),
    Defect("record that is none", "record.unreadable",
           logged(lambda rows: [*rows, (b"\2 nothing", None)])),
    Defect("record of 65 kB", "record.unreadable",
           logged(lambda rows: [*rows, (b"{" * 65_535, None)])),
    # what the auditor holds against it
    Defect("split view", "log.split-view", dict, heads=(headed(3, bytes(32)),)),
    Defect("rolled back", "log.rolled-back", dict, heads=(headed(8, bytes(32)),)),
    Defect("a stranger's head", "note.unsigned", dict,
           heads=(headed(3, bytes(32), Signer.generate(SIGNER.name)),)),
)  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_is_found_and_named(defect: Defect) -> None:
    members = defect.alter(dict(small_pack()))
    data = packed(members, SIGNER if defect.resigned else None)
    report = verified(BytesIO(data), replace(KNOWN, heads=defect.heads))
    assert defect.caught_as in codes(report), codes(report)
    assert report.standing is Standing.FAILS


def test_findings_without_end_are_counted() -> None:
    more = {f"notes/{number}": b"" for number in range(500)}
    told = [Claim("m", str(number), "0.5", "", 1) for number in range(500)]
    members = {**small_pack(), **more, layout.METRICS: layout.encode_claims(told)}
    report = verified(BytesIO(packed(members, SIGNER)), KNOWN)
    assert sum(len(answer.findings) for answer in report.answers) < 50
    assert {"480 more"} <= {found.found for found in report.whose.findings}


def test_names_of_defects_are_distinct() -> None:
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)


REFUSED: dict[str, tuple[str, Alter]] = {
    "no description": ("pack.missing", without(layout.ABOUT)),
    "no head": ("pack.missing", without(HEAD)),
    "garbled description": ("pack.about", put(layout.ABOUT, b"{}\n")),
    "a description nested deeply": ("pack.about", put(layout.ABOUT, b"[" * 10**5 + b"\n")),
    "another format": ("pack.about", about(format="veridict-audit-pack/9")),
    "more records than its head": ("pack.about", about(size=10**9)),
    "a range beyond it": ("pack.about", about(opened=(5, 10**6))),
    "no key": ("pack.about", about(vkey="none")),
    "a key of another log": ("pack.about", about(origin="elsewhere.example/log")),
    "a garbled head": ("note.malformed", put(HEAD, b"no note")),
    "an oversized head": ("pack.oversized", put(HEAD, bytes(2 << 20))),
    "an oversized description": ("pack.oversized", put(layout.ABOUT, bytes(17 << 20))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_at_all_is_refused_by_name(name: str) -> None:
    finding, alter = REFUSED[name]
    data = packed(alter(dict(small_pack())), SIGNER)
    with pytest.raises(EvidenceError) as refused:
        Pack(BytesIO(data))
    assert refused.value.facts["finding"] == finding
