"""What a look-up shows of the records it found: each read from the log again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from veridict.core.nouns import PredictionRecord
from veridict.ledger.entry import owner_of
from veridict.ledger.view import LogView
from veridict.proofs.merkle import leaf_hash
from veridict.services.accounts import Accounts, erasures_of
from veridict.services.records import decode
from veridict.services.sayings import commitment_of
from veridict.services.views import FoundView


def found_views(
    log: LogView, indices: Sequence[int], accounts: Accounts | None = None
) -> list[FoundView]:
    """One a record. `accounts` are made when they are first needed, unless they are there."""
    told = []
    for index in indices:
        body, payload = log.body(index), log.payload(index)
        record = decode(body)
        prediction = record if isinstance(record, PredictionRecord) else None
        erased_by = None
        if payload is None and (prediction or commitment_of(record)):
            accounts = accounts or Accounts(log, erasures_of(log))
            erased_by = accounts.of(index)
        told.append(
            FoundView(
                index=index,
                kind="prediction" if prediction else _kind(record),
                leaf=leaf_hash(body).hex(),
                time_ms=getattr(record, "time_ms", None),
                sequence=prediction.sequence if prediction else None,
                model_id=prediction.model_id.hex() if prediction else None,
                decision=prediction.decision.word if prediction else None,
                request_id=payload.request.id if payload else None,
                subject=owner_of(payload) if payload else None,
                erased_by=erased_by,
            )
        )
    return told


def _kind(record: object) -> str:
    return str(msgspec.to_builtins(record)["kind"])
