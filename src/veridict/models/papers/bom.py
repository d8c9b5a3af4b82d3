"""A model's bill of materials: CycloneDX 1.6 ML-BOM, which a reader of 1.7 takes as well.

    metadata.component   the model: its id as SHA-256, and the model card in CycloneDX's words
    components           the rows it was trained on, the published data, the libraries
    dependencies         which of these the model was made of

Everything in it is on the card, so the same card and time give the same bytes.
(cyclonedx.org/docs/1.6/json; tests hold it to the official schemas.)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from veridict.core.version import VERSION
from veridict.models.card import Metric, ModelCard
from veridict.models.source import DataSource

SPEC_VERSION = "1.6"
PARITY = "demographic parity difference"
SELECTION = "selection rate"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """What the card does not say: how the model is built, and when it was registered."""

    architecture: str
    time_ms: int


def bill_of_materials(card: ModelCard, made: Made) -> bytes:
    """The document as indented JSON, UTF-8."""
    data = [_rows(card), *(_source(source) for source in card.sources)]
    parts = [*data, *(_library(library) for library in card.libraries)]
    model = _model(card, made, data)
    moment = datetime.fromtimestamp(made.time_ms // 1000, UTC)
    document = {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": uuid5(NAMESPACE_URL, f"veridict:card:{card.digest.hex()}").urn,
        "version": 1,
        "metadata": {
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "tools": {
                "components": [{"type": "application", "name": "veridict", "version": VERSION}]
            },
            "component": model,
        },
        "components": parts,
        "dependencies": [
            {"ref": model["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts]},
            *({"ref": part["bom-ref"]} for part in parts),
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def _model(card: ModelCard, made: Made, data: Sequence[Json]) -> Json:
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{card.model_id}",
        "name": card.title,
        "version": card.model_id,
        "description": "A canonical model: the SHA-256 of its bytes is its id.",
        "hashes": [_sha256(card.model_id)],
        "modelCard": {
            "modelParameters": {
                "architectureFamily": made.architecture,
                "datasets": [{"ref": item["bom-ref"]} for item in data],
                "inputs": [{"format": f"{name}: float64"} for name in card.features],
                "outputs": [{"format": "score: int64, in units of 2^-32"}],
            },
            "quantitativeAnalysis": {"performanceMetrics": [_metric(m) for m in card.metrics]},
            "considerations": {
                "technicalLimitations": list(card.limits),
                "fairnessAssessments": _fairness(card.metrics),
            },
            "properties": [
                _property("card", card.digest.hex()),
                _property("annex", card.annex),
                _property("review_at", card.review_at),
                _property("hold_at", card.hold_at),
            ],
        },
    }


def _metric(metric: Metric) -> Json:
    told = {"type": metric.name, "value": metric.value}
    return {**told, "slice": metric.group} if metric.group else told


def _fairness(metrics: Sequence[Metric]) -> list[Json]:
    """Who is selected most often, and how much more often than others, per attribute."""
    assessed = []
    for parity in (metric for metric in metrics if metric.name == PARITY):
        rates = [
            metric
            for metric in metrics
            if metric.name == SELECTION and metric.group.startswith(f"{parity.group}: ")
        ]
        most = max(rates, key=lambda metric: float(metric.value))
        assessed.append(
            {
                "groupAtRisk": most.group,
                "harms": f"{most.value} of its {most.rows} rows are reviewed or held, "
                f"{parity.value} more than in the least selected group of {parity.group}",
            }
        )
    return assessed


def _rows(card: ModelCard) -> Json:
    period = f"seconds {card.trained_from_s} to {card.trained_to_s} since 1970"
    return {
        "type": "data",
        "bom-ref": f"rows:{card.data}",
        "name": f"rows of {card.data_title} that were fitted to and chosen on",
        "description": f"The digest is of the rows, not of a file; {period}, end not included.",
        "hashes": [_sha256(card.data)],
        "data": [{"type": "dataset", "name": card.data_title}],
    }


def _source(source: DataSource) -> Json:
    return {
        "type": "data",
        "bom-ref": f"source:{source.croissant}",
        "name": source.name,
        "licenses": [{"license": {"name": licence}} for licence in source.licences],
        "externalReferences": [
            {"type": "distribution", "url": source.url},
            {
                "type": "other",
                "url": source.url,
                "comment": "Croissant description of the data set",
                "hashes": [_sha256(source.croissant)],
            },
        ],
        "data": [
            {
                "type": "dataset",
                "name": source.name,
                "contents": {"properties": [_property(f.name, f.sha256) for f in source.files]},
            }
        ],
    }


def _library(pinned: str) -> Json:
    name, _, version = pinned.partition("==")
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _sha256(digest: str) -> Json:
    return {"alg": "SHA-256", "content": digest}


def _property(name: str, value: str) -> Json:
    return {"name": f"veridict:{name}", "value": value}
