"""A model's papers as files: written from what was registered, checked without the node.

    card.json               the model card, canonical JSON; its digest is on chain
    model.vdm, model.annex  the model itself, and what its reasons are worked out with
    bom.cdx.json            CycloneDX ML-BOM: model, data, libraries
    README.md               what is what, and how to check it
    signing.pub             the node's P-256 key, for tools that take no Ed25519
    statement.intoto.json   in-toto statement on all of these, in a DSSE envelope signed by the log
    model.sig               the same statement in a Sigstore bundle signed by that key, which
                            OpenSSF's model_signing verifies

The same registration gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from veridict.core.errors import NotFound, VeridictError
from veridict.core.nouns import Finding
from veridict.ledger.log import Log
from veridict.models.canonical import CanonicalModel
from veridict.models.card import ModelCard
from veridict.models.papers.bom import Made, bill_of_materials
from veridict.models.papers.readme import readme
from veridict.models.papers.statement import PAYLOAD_TYPE, Statement
from veridict.models.shelf import Shelf
from veridict.proofs import dsse
from veridict.proofs.bundle import Bundle, BundleKey
from veridict.proofs.note import Signer, Verifier
from veridict.services.records import ModelRecord, decode, is_prediction

CARD, MODEL, ANNEX = "card.json", "model.vdm", "model.annex"
BOM, README, STATEMENT = "bom.cdx.json", "README.md", "statement.intoto.json"
PUBLIC_KEY, SIGNATURE = "signing.pub", "model.sig"
# They carry the statement itself, or nothing of the model's.
IGNORED = (STATEMENT, SIGNATURE, ".git", ".gitattributes", ".github", ".gitignore")
ARCHITECTURES = {"TreeModel": "tree ensemble", "LinearModel": "linear", "MlpModel": "MLP"}
CHUNK = 4096

Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Subject:
    """What papers are written of: a registration as it was logged, and the model's own bytes."""

    record: ModelRecord
    model: bytes
    annex: bytes

    @classmethod
    def of(cls, record: ModelRecord, shelf: Shelf) -> Subject:
        """Raises NotFound where the node does not keep the model."""
        return cls(record, *shelf.need(bytes.fromhex(record.model_id)))


def write_papers(
    subject: Subject, signer: Signer, key: BundleKey | None = None
) -> dict[str, bytes]:
    """File name → bytes. Raises BadInput or BadModelBytes where the log or shelf was altered.

    Without `key` there is no `signing.pub` and no `model.sig`.
    """
    card = subject.record.model_card()
    kind = type(CanonicalModel(subject.model).parts).__name__
    made = Made(ARCHITECTURES[kind], subject.record.time_ms)
    files = {
        CARD: card.encode(),
        MODEL: subject.model,
        ANNEX: subject.annex,
        BOM: bill_of_materials(card, made),
        README: readme(
            card, subject.record.chain_id, subject.record.registry, signer.verifier, key is not None
        ),
    }
    if key is not None:
        files[PUBLIC_KEY] = key.public_pem
    statement = Statement.over(card.title, files, IGNORED).encode()
    files[STATEMENT] = dsse.sign(signer, PAYLOAD_TYPE, statement).encode()
    if key is not None:
        files[SIGNATURE] = Bundle.sign(key, PAYLOAD_TYPE, statement).encode()
    return files


def check_papers(
    files: Files, key: Verifier, card: ModelCard | None = None
) -> tuple[int, list[Finding]]:
    """How many files were examined, and what is wrong with them.

    `card` is what the papers must be of; without it, only that they agree with themselves.
    """
    if STATEMENT not in files:
        return 0, [Finding("papers.missing", STATEMENT, "a signed statement", "nothing")]
    try:
        envelope = dsse.Envelope.decode(files[STATEMENT])
        dsse.verify(envelope, [key])
        if envelope.payload_type != PAYLOAD_TYPE:
            found = envelope.payload_type
            return 1, [Finding("statement.malformed", STATEMENT, PAYLOAD_TYPE, found)]
        statement = Statement.decode(envelope.payload)
    except VeridictError as problem:
        code = str(problem.facts.get("finding", "statement.malformed"))
        return 1, [Finding(code, STATEMENT, "signed by the log's key", problem.message)]
    findings = statement.compare(files) or [
        *_agree(files, card),
        *_bundled(files, envelope.payload),
    ]
    return len(files), findings


def _bundled(files: Files, payload: bytes) -> list[Finding]:
    """The bundle, where there is a key for one, is by that key and of the same statement."""
    if PUBLIC_KEY not in files and SIGNATURE not in files:
        return []
    missing = {PUBLIC_KEY, SIGNATURE} - files.keys()
    if missing:
        (name,) = missing
        return [Finding("papers.missing", name, "a key and its signature", "one of them")]
    try:
        bundle = Bundle.decode(files[SIGNATURE])
        bundle.verify(files[PUBLIC_KEY])
    except VeridictError as problem:
        code = str(problem.facts["finding"])
        return [Finding(code, SIGNATURE, f"signed by {PUBLIC_KEY}", problem.message)]
    if (bundle.envelope.payload_type, bundle.envelope.payload) != (PAYLOAD_TYPE, payload):
        return [Finding("papers.other", SIGNATURE, STATEMENT, "another statement")]
    return []


def _agree(files: Files, card: ModelCard | None) -> list[Finding]:
    """Unaltered papers can still be of another model, or of two."""
    try:
        told = ModelCard.decode(files[CARD])
        model, annex, bom = files[MODEL], files[ANNEX], files[BOM]
    except (KeyError, VeridictError) as problem:
        return [Finding("papers.card", CARD, "a model card, its model and annex", str(problem))]
    pairs = [
        (MODEL, told.model_id, sha256(model).hexdigest()),
        (ANNEX, told.annex, sha256(annex).hexdigest()),
    ]
    if card is not None:
        pairs.append((CARD, card.digest.hex(), told.digest.hex()))
    findings = [Finding("papers.other", name, due, has) for name, due, has in pairs if due != has]
    if told.digest.hex().encode() not in bom:
        findings.append(Finding("papers.other", BOM, told.digest.hex(), "another card's digest"))
    return findings


def registration(log: Log, model_id: bytes | None = None) -> ModelRecord:
    """How `model_id`, or else the model registered last, was logged. Raises NotFound."""
    for stop in range(log.size, 0, -CHUNK):
        for body in reversed(list(log.bodies(max(0, stop - CHUNK), stop))):
            record = None if is_prediction(body) else decode(body)
            if isinstance(record, ModelRecord) and (
                model_id is None or record.model_id == model_id.hex()
            ):
                return record
    raise NotFound(
        "no model is registered in this log"
        if model_id is None
        else f"model {model_id.hex()} is not registered in this log",
        remedy="register one with `veridict model register`",
    )
