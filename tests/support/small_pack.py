"""A true pack of a few records, made in a moment: a linear model, four decisions, one label."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from tests.support.acts import act_on
from tests.support.ledger import make_signer, make_vault
from tests.support.models import random_linear
from tests.support.packs import Members, unpacked
from veridict.core.codec import canonical_json
from veridict.core.nouns import Anchor, Policy, Request
from veridict.ledger.log import Entry, Log
from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel
from veridict.models.card import Metric, ModelCard
from veridict.models.shelf import Shelf
from veridict.models.working import WorkingModel
from veridict.services.anchoring.places import log_id, log_key
from veridict.services.deploy import Addresses
from veridict.services.pack.writing import Exhibit, export
from veridict.services.predict import Issuer, predict
from veridict.services.records import ModelRecord, OutcomesRecord, encode

SIGNER = make_signer()
OPERATOR = "0x" + "11" * 20
PLACES = Addresses(7, *("0x" + f"{n:02x}" * 20 for n in range(0x21, 0x25)))
NOW_MS = 1_700_000_000_000


@cache
def small_pack() -> Members:
    """Its members; `repacked` with SIGNER gives the file again."""
    with tempfile.TemporaryDirectory(prefix="veridict-pack-") as directory:
        return unpacked(write_small_pack(Path(directory)))


def write_small_pack(directory: Path) -> Path:
    shelf = Shelf(directory / "models")
    signer = SIGNER
    with Log.open(directory / "log", signer=signer, vault=make_vault(directory)) as log:
        model = CanonicalModel.from_parts(random_linear(3))
        annex = Annex(model.id, ())
        shelf.put(model.id, model.bytes, annex.encode())
        card = card_of(model, annex)
        log.append([Entry(encode(_registered(card)), None)])
        issuer = Issuer(WorkingModel(model, annex), card.policy, log, lambda: NOW_MS, 0)
        rows = np.arange(4 * model.n_features, dtype=float).reshape(4, -1)
        predict(issuer, [_request(n) for n in range(4)], rows)
        log.checkpoint()
        log.append([Entry(encode(OutcomesRecord("a day", 0, [(0, 3)], [1], NOW_MS)), None)])
        log.append([_act(2)])
        head = log.checkpoint()
        log.put_anchor(
            Anchor(
                PLACES.chain_id, PLACES.anchor, log_id(OPERATOR, log_key(signer.verifier.vkey)),
                head.size, head.root, NOW_MS // 1000, "0x" + "aa" * 32, 5, "0x" + "bb" * 32,
            )
        )  # fmt: skip
        exhibit = Exhibit(log, shelf, signer, OPERATOR, PLACES, grouping=grouping)
        export(exhibit, directory / "small.zip")
    return directory / "small.zip"


def card_of(model: CanonicalModel, annex: Annex) -> ModelCard:
    policy = Policy(-(2**30), 2**40)
    return ModelCard(
        model_id=model.id.hex(),
        annex=annex.digest.hex(),
        title="Small",
        data="ab" * 32,
        data_title="small.csv",
        trained_from_s=10,
        trained_to_s=20,
        features=tuple(f"f{n}" for n in range(model.n_features)),
        metrics=(Metric("average precision", "0.5", "", 10),),
        limits=("Of nothing.",),
        review_at=str(policy.review_at),
        hold_at=str(policy.hold_at),
    )


def _registered(card: ModelCard) -> ModelRecord:
    return ModelRecord.of(
        card, chain_id=7, registry=PLACES.registry, block_number=3, time_ms=NOW_MS
    )


def _request(number: int) -> Request:
    content = canonical_json({"id": f"r{number}", "time_s": 30 + number})
    return Request(f"r{number}", f"subject {number}", 30 + number, content)


def grouping(request: Request) -> tuple[str, ...]:
    return ("half: first",) if request.id < "r2" else ("half: second",)


def _act(index: int) -> Entry:
    record, payload = act_on(index, time_ms=NOW_MS)
    return Entry(encode(record), payload)
