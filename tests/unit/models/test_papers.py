"""Papers of a card: the bill of materials under the official schemas, and the statement."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from veridict.core.errors import BadInput, EvidenceError
from veridict.models.card import Metric, ModelCard
from veridict.models.papers.bom import Made, bill_of_materials
from veridict.models.papers.libraries import libraries
from veridict.models.papers.statement import PREDICATE_TYPE, Statement
from veridict.models.source import DataFile, DataSource, RecordSet

HEX = [sha256(bytes([n])).hexdigest() for n in range(6)]
SOURCE = DataSource(
    name="Ships",
    licences=("https://spdx.org/licenses/MIT",),
    url="https://example.org/ships",
    croissant=HEX[3],
    files=(DataFile("people.csv", HEX[4]),),
    record_sets=(RecordSet("people", ("age", "sex")),),
)
CARD = ModelCard(
    model_id=HEX[0],
    annex=HEX[1],
    title="Lifeboats",
    data=HEX[2],
    data_title="ships",
    trained_from_s=10,
    measured_from_s=20,
    trained_to_s=30,
    features=("age", "deck"),
    metrics=(
        Metric("average precision", "0.5", "", 10),
        Metric("selection rate", "0.25", "sex: female", 4),
        Metric("selection rate", "0.75", "sex: male", 6),
        Metric("demographic parity difference", "0.5", "sex", 10),
    ),
    limits=("Of one ship only.",),
    review_at="-5",
    hold_at="9007199254740993",
    sources=(SOURCE,),
    libraries=("lightgbm==4.7.0", "veridict==0.1.0"),
)
OLD = replace(CARD, measured_from_s=None, sources=(), libraries=())
MADE = Made("tree ensemble", 1_760_000_000_123)


@pytest.mark.parametrize("version", [SchemaVersion.V1_6, SchemaVersion.V1_7])
@pytest.mark.parametrize("card", [CARD, OLD], ids=["full", "sparse"])
def test_the_bill_of_materials_is_valid(card: ModelCard, version: SchemaVersion) -> None:
    document = json.loads(bill_of_materials(card, MADE))
    spelled = json.dumps(document | _naming(version))
    assert JsonStrictValidator(version).validate_str(spelled) is None


def _naming(version: SchemaVersion) -> dict[str, str]:
    number = version.to_version()
    return {
        "specVersion": number,
        "$schema": f"http://cyclonedx.org/schema/bom-{number}.schema.json",
    }


def test_the_validator_would_object() -> None:
    document = json.loads(bill_of_materials(CARD, MADE)) | {"invented": 1}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is not None


def test_the_bill_tells_model_data_libraries_and_who_is_at_risk() -> None:
    document = json.loads(bill_of_materials(CARD, MADE))
    model = document["metadata"]["component"]
    assert model["hashes"] == [{"alg": "SHA-256", "content": CARD.model_id}]
    parts = {part["bom-ref"]: part for part in document["components"]}
    assert parts["pkg:pypi/lightgbm@4.7.0"]["version"] == "4.7.0"
    assert {"type": "data", "hashes": [{"alg": "SHA-256", "content": CARD.data}]}.items() <= (
        parts[f"rows:{CARD.data}"].items()
    )
    assert {d["ref"] for d in document["dependencies"]} == {*parts, model["bom-ref"]}
    (assessed,) = model["modelCard"]["considerations"]["fairnessAssessments"]
    assert assessed["groupAtRisk"] == "sex: male"


def test_the_same_card_and_time_give_the_same_bytes() -> None:
    assert bill_of_materials(CARD, MADE) == bill_of_materials(CARD, MADE)
    assert bill_of_materials(CARD, MADE) != bill_of_materials(OLD, MADE)


def test_libraries_are_pinned_and_in_order() -> None:
    found = libraries(["numpy", "no-such-library"])
    assert [pinned.partition("==")[0] for pinned in found] == ["numpy", "veridict"]


def test_a_card_without_the_newer_fields_has_the_old_spelling() -> None:
    assert set(json.loads(OLD.encode())) == {
        "schema", "model_id", "annex", "title", "data", "data_title", "trained_from_s",
        "trained_to_s", "features", "metrics", "limits", "review_at", "hold_at",
    }  # fmt: skip
    assert ModelCard.decode(OLD.encode()) == OLD
    assert ModelCard.decode(CARD.encode()) == CARD


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(libraries=[]),  # empty is left out: one spelling
        lambda d: d.update(libraries=["lightgbm"]),
        lambda d: d.update(libraries="lightgbm==1"),
        lambda d: d.update(measured_from_s=None),
        lambda d: d.update(measured_from_s=31),
        lambda d: d.update(sources=[{}]),
        lambda d: d.update(sources=[3]),
        lambda d: d["sources"][0].update(files={}),
        lambda d: d["sources"][0].update(licences=[]),
        lambda d: d["sources"][0].update(croissant="00"),
        lambda d: d["sources"][0]["files"][0].update(sha256="00"),
        lambda d: d["sources"][0]["record_sets"][0].update(fields=[1]),
        lambda d: d["sources"][0]["record_sets"][0].update(more=1),
    ],
)
def test_a_malformed_card_is_refused(spoil: Any) -> None:
    document = json.loads(CARD.encode())
    spoil(document)
    spelled = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(BadInput):
        ModelCard.decode(spelled)


FILES = {"model.vdm": b"model", "card.json": b"{}", "sub/notes.txt": b"notes"}


def test_the_statement_has_the_layout_of_model_signing() -> None:
    document = json.loads(Statement.over("Lifeboats", FILES, ["s.json"]).encode())
    resources = document["predicate"]["resources"]
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == PREDICATE_TYPE == "https://model_signing/signature/v1.0"
    assert [r["name"] for r in resources] == ["card.json", "model.vdm", "sub/notes.txt"]
    assert {r["algorithm"] for r in resources} == {"sha256"}
    joined = b"".join(bytes.fromhex(r["digest"]) for r in resources)
    digest = sha256(joined).hexdigest()
    assert document["subject"] == [{"name": "Lifeboats", "digest": {"sha256": digest}}]
    assert document["predicate"]["serialization"] == {
        "method": "files", "hash_type": "sha256", "allow_symlinks": False,
        "ignore_paths": ["s.json"],
    }  # fmt: skip


def test_a_statement_names_what_is_wrong_with_files() -> None:
    statement = Statement.decode(Statement.over("Lifeboats", FILES, ["s.json"]).encode())
    assert statement.compare({**FILES, "s.json": b"ignored"}) == []
    altered = {**FILES, "model.vdm": b"other", "new.bin": b""}
    del altered["card.json"]
    assert [(f.code, f.where) for f in statement.compare(altered)] == [
        ("papers.missing", "card.json"),
        ("papers.altered", "model.vdm"),
        ("papers.surplus", "new.bin"),
    ]


def _spoiled(**fields: Any) -> bytes:
    return json.dumps(json.loads(Statement.over("a", FILES).encode()) | fields).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"[" * 100_000, _spoiled(subject=[]), _spoiled(_type="x"),
        _spoiled(predicateType="https://model_signing/Digests/v0.1"),
        _spoiled(subject=[{"name": "a", "digest": {"sha256": "00" * 32}}]),
        _spoiled(subject=[{"name": "a", "digest": {}}]), _spoiled(predicate={}),
        _spoiled(predicate={"serialization": {"method": "files"}, "resources": [{}]}),
    ],
)  # fmt: skip
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError) as refused:
        Statement.decode(data)
    assert refused.value.facts["finding"] == "statement.malformed"
