"""Whole logs with one lie in them, in order and signed: what only a chain or the data tells."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import msgspec

from tests.support.packs import Members, Rows, rows_in, with_rows
from veridict.core.codec import TAG_INPUTS, TAG_REQUEST, commit
from veridict.core.nouns import Policy, PredictionRecord
from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel
from veridict.models.image import unpack
from veridict.proofs.note import Signer
from veridict.services.records import ActRecord, decode, encode, is_prediction


def false_act(members: Members, signer: Signer) -> Members:
    """An act tells of another transaction than the one that moved the tokens."""
    rows = rows_in(members)
    at, act = acts_in(rows)[0]
    body = encode(msgspec.structs.replace(act, tx_hash="0x" + "77" * 32))
    return with_rows(members, [*rows[:at], (body, rows[at][1]), *rows[at + 1 :]], signer)


def without_act(members: Members, signer: Signer) -> Members:
    """What the human did is left out, and something harmless stands in its place."""
    rows = rows_in(members)
    at, act = acts_in(rows)[0]
    body = encode(msgspec.structs.replace(act, payment_id=None, tx_hash=None))
    return with_rows(members, [*rows[:at], (body, rows[at][1]), *rows[at + 1 :]], signer)


def without_settlement(members: Members, signer: Signer) -> Members:
    """A guard acted on a prediction of another score than the one in the log."""
    rows = rows_in(members)
    at = next(n for n, (_, p) in enumerate(rows) if p and len(p.request.content) == 192)
    record = PredictionRecord.decode(rows[at][0])
    body = replace(record, score=record.score - 1).encode()
    return with_rows(members, [*rows[:at], (body, rows[at][1]), *rows[at + 1 :]], signer)


def other_payment(members: Members, signer: Signer) -> Members:
    """The log's keeper says that another amount was asked about."""
    rows = rows_in(members)
    at = next(n for n, (_, p) in enumerate(rows) if p and len(p.request.content) == 192)
    body, payload = rows[at]
    assert payload is not None
    content = payload.request.content[:-1] + b"\x01"
    request = commit(TAG_REQUEST, payload.request_salt, content)
    told = replace(payload, request=replace(payload.request, content=content))
    record = replace(PredictionRecord.decode(body), request=request)
    rows[at] = (record.encode(), told)
    return with_rows(members, rows, signer)


def acts_in(rows: Rows) -> list[tuple[int, ActRecord]]:
    """Those that moved tokens."""
    found = []
    for at, (body, _) in enumerate(rows):
        record = None if is_prediction(body) else decode(body)
        if isinstance(record, ActRecord) and record.tx_hash is not None:
            found.append((at, record))
    return found


def looked_ahead(members: Members, signer: Signer) -> Members:
    """Inputs that the rows before do not give, with the true score of these inputs."""
    rows = rows_in(members)
    at = next(n for n, (body, _) in enumerate(rows) if is_prediction(body))
    model = CanonicalModel(next(d for n, d in members.items() if n.endswith("model.vdm")))
    annex = Annex.decode(
        next(d for n, d in members.items() if n.endswith("model.annex")), model.id, model.annexed
    )
    body, payload = rows[at]
    later = rows[at + 700][1]
    assert payload is not None
    assert later is not None
    record, images = PredictionRecord.decode(body), unpack(later.inputs, model.n_features)
    first, second, third = model.explain(images, annex)[0][0].tolist()
    policy = Policy(*(int(card_of(members)[name]) for name in ("review_at", "hold_at")))
    score = int(model.score(images)[0])
    false = replace(
        record,
        score=score,
        decision=policy.decide(score),
        reasons=(first, second, third),
        inputs=commit(TAG_INPUTS, payload.inputs_salt, later.inputs),
    )
    rows[at] = (false.encode(), replace(payload, inputs=later.inputs))
    return with_rows(members, rows, signer)


def card_of(members: Members) -> dict[str, Any]:
    name = next(n for n in members if n.endswith("card.json"))
    found: dict[str, Any] = json.loads(members[name])
    return found


def other_request(members: Members, signer: Signer) -> Members:
    """A row of the data, decided with another amount than it has."""
    rows = rows_in(members)
    at = next(n for n, (body, _) in enumerate(rows) if is_prediction(body))
    body, payload = rows[at]
    assert payload is not None
    content = re.sub(rb'"amount_minor":[0-9]+', b'"amount_minor":1', payload.request.content)
    assert content != payload.request.content
    request = commit(TAG_REQUEST, payload.request_salt, content)
    told = replace(payload, request=replace(payload.request, content=content))
    rows[at] = (replace(PredictionRecord.decode(body), request=request).encode(), told)
    return with_rows(members, rows, signer)
