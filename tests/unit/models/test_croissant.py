"""Croissant descriptions: the shipped ones and the specification's forms; each defect by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from typing import Any

import pytest

from veridict.core.errors import BadInput
from veridict.models.papers.croissant import MAX_BYTES, read_croissant
from veridict.models.source import DataFile, RecordSet
from veridict.solutions.finance.credit import Credit
from veridict.solutions.finance.payments import Payments

Document = dict[str, Any]
DIGEST = sha256(b"data").hexdigest()


def _document(**fields: Any) -> Document:
    """As version 1.0 shows them, with the fields that are altered."""
    return {
        "@context": {"@vocab": "https://schema.org/", "cr": "http://mlcommons.org/croissant/"},
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "Ships",
        "description": "Who was on board.",
        "license": "https://spdx.org/licenses/MIT",
        "url": "https://example.org/ships",
        "distribution": [
            {"@type": "cr:FileObject", "@id": "f", "name": "people.csv", "sha256": DIGEST.upper()},
            {"@type": "cr:FileSet", "@id": "parts", "includes": "*.csv"},
        ],
        "recordSet": {
            "@type": "cr:RecordSet",
            "@id": "people",
            "field": [
                {"@type": "cr:Field", "@id": "people/age"},
                {"@type": "cr:Field", "@id": "people/name", "name": "name"},
            ],
        },
    } | fields


def _read(document: Any) -> Any:
    return read_croissant(json.dumps(document).encode())


def test_a_description_becomes_a_source() -> None:
    data = json.dumps(_document()).encode()
    source = read_croissant(data)
    assert source.name == "Ships"
    assert source.licences == ("https://spdx.org/licenses/MIT",)
    assert source.croissant == sha256(data).hexdigest()
    assert source.files == (DataFile("people.csv", DIGEST),)
    assert source.record_sets == (RecordSet("people", ("age", "name")),)


def test_prefixes_lists_and_objects_are_the_same() -> None:
    spelled = _document(
        **{"@type": ["https://schema.org/Dataset"], "sc:license": [{"@id": "MIT"}, {"url": "CC0"}]}
    )
    del spelled["license"], spelled["conformsTo"]
    spelled["dct:conformsTo"] = ["http://example.org", "https://mlcommons.org/croissant/1.1"]
    assert _read(spelled).licences == ("MIT", "CC0")


@pytest.mark.parametrize("scenario", [Credit(), Payments.amlsim()], ids=lambda s: s.data_name)
def test_the_shipped_descriptions_are_of_the_shipped_files(scenario: Any) -> None:
    source = read_croissant(scenario.croissant)
    (described,) = source.files
    data = files("veridict.solutions.finance") / "data" / described.name
    assert sha256(data.read_bytes()).hexdigest() == described.sha256
    assert {*source.record_sets[0].fields} == {*scenario.load().rows.schema.names}


def _without(name: str) -> Callable[[], Document]:
    return lambda: {key: value for key, value in _document().items() if key != name}


def _file(**fields: Any) -> Callable[[], Document]:
    good = {"@type": "cr:FileObject", "@id": "f", "sha256": DIGEST}
    return lambda: _document(distribution=[good | fields])


def _field(**fields: Any) -> Callable[[], Document]:
    good = {"@type": "cr:RecordSet", "@id": "r", "field": [{"@type": "cr:Field", "@id": "x"}]}
    return lambda: _document(recordSet=[good | fields])


@pytest.mark.parametrize(
    ("make", "named"),
    [
        *((_without(name), name) for name in (
            "@context", "@type", "conformsTo", "name", "description", "license", "url",
            "distribution",
        )),
        (lambda: _document(**{"@type": "sc:Book"}), "@type is not Dataset"),
        (lambda: _document(conformsTo="http://mlcommons.org/croissant/0.8"), "conformsTo"),
        (lambda: _document(conformsTo={"@id": 1}), "conformsTo"),
        (lambda: _document(name=7), "name"),
        (lambda: _document(name="  "), "name"),
        (lambda: _document(license=[{}]), "license"),
        (lambda: _document(distribution="data.csv"), "distribution"),
        (_file(sha256="0b033707ea49365a5ffdd14615825511"), "sha256 of 'f'"),
        (_file(sha256=None), "no file has a sha256"),
        (_file(**{"@type": "cr:Source"}), "neither a FileObject nor a FileSet"),
        (_file(**{"@id": None}), "a file"),
        (lambda: _document(distribution=_document()["distribution"] * 2), "twice"),
        (_field(**{"@type": "cr:Field"}), "recordSet"),
        (_field(field=[{"@type": "cr:RecordSet", "@id": "x"}]), "no Field"),
        (_field(field=[3]), "field"),
        (list, "no JSON object"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_named(make: Callable[[], Any], named: str) -> None:
    with pytest.raises(BadInput, match="not a Croissant description") as refused:
        _read(make())
    assert named in refused.value.message


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"[" * 100_000, b'{"name":"a","name":"b"}', b" " * (MAX_BYTES + 1)]
)
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="not a Croissant description"):
        read_croissant(data)
