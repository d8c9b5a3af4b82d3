"""Which files belong to a model: an in-toto Statement v1 as OpenSSF model signing lays it out.

    predicateType          https://model_signing/signature/v1.0
    predicate.resources    every file's name and SHA-256, names in alphabetical order
    predicate.serialization   how files became resources: one each ("files")
    subject                one: the model's name, and SHA-256 over the resources' digests in order

A reader of that predicate recomputes the subject from the resources and compares them
with the files in the directory, except those in `ignore_paths`. (The model's own id is
the digest of its resource.) Layout: sigstore/model-transparency, `model_signing/_signing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from veridict.core.codec import canonical_json, parse_json
from veridict.core.errors import BadInput, EvidenceError
from veridict.core.nouns import Finding
from veridict.models.source import HEX32, DataFile

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"

# What reading a document of another shape raises.
_SHAPES = (ValueError, TypeError, KeyError, AttributeError, RecursionError, BadInput)


@dataclass(frozen=True, slots=True)
class Statement:
    """`resources` in alphabetical order of their names; `ignored` names files not covered."""

    name: str
    resources: tuple[DataFile, ...]
    ignored: tuple[str, ...]

    @classmethod
    def over(cls, name: str, files: Mapping[str, bytes], ignored: Sequence[str] = ()) -> Statement:
        """About exactly these files, by their names."""
        digests = tuple(DataFile(n, sha256(files[n]).hexdigest()) for n in sorted(files))
        return cls(name, digests, tuple(sorted(ignored)))

    @property
    def root(self) -> str:
        """SHA-256 over the resources' digests, in order, in hex."""
        return sha256(b"".join(bytes.fromhex(f.sha256) for f in self.resources)).hexdigest()

    def encode(self) -> bytes:
        """The statement as canonical JSON, one line and its newline."""
        return b"%b\n" % canonical_json(
            {
                "_type": STATEMENT_TYPE,
                "subject": [{"name": self.name, "digest": {"sha256": self.root}}],
                "predicateType": PREDICATE_TYPE,
                "predicate": {
                    "serialization": {
                        "method": "files",
                        "hash_type": "sha256",
                        "allow_symlinks": False,
                        "ignore_paths": list(self.ignored),
                    },
                    "resources": [
                        {"name": f.name, "algorithm": "sha256", "digest": f.sha256}
                        for f in self.resources
                    ],
                },
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Statement:
        """Raises EvidenceError ("statement.malformed") unless it is one and agrees with itself."""
        try:
            found: Any = parse_json(data)
            (subject,) = found["subject"]
            predicate = found["predicate"]
            how = predicate["serialization"]
            kinds = (found["_type"], found["predicateType"], how["method"])
            resources = tuple(
                DataFile(item["name"], item["digest"])
                for item in predicate["resources"]
                if item["algorithm"] == "sha256" and HEX32.match(item["digest"])
            )
            statement = cls(subject["name"], resources, tuple(how.get("ignore_paths", ())))
            same = statement.root == subject["digest"]["sha256"]
            whole = len(resources) == len(predicate["resources"])
        except _SHAPES as problem:
            raise _malformed(type(problem).__name__) from problem
        if kinds != (STATEMENT_TYPE, PREDICATE_TYPE, "files"):
            raise _malformed(f"it is of the kinds {kinds}")
        if not whole or not same:
            raise _malformed("its subject is not the digest of its resources")
        return statement

    def compare(self, files: Mapping[str, bytes]) -> list[Finding]:
        """What is wrong with `files`, by name: altered, missing, or not told of."""
        told = {file.name: file.sha256 for file in self.resources}
        covered = {name: data for name, data in files.items() if name not in self.ignored}
        findings = []
        for name in sorted(told.keys() | covered.keys()):
            if name not in covered:
                findings.append(Finding("papers.missing", name, told[name], "nothing"))
            elif name not in told:
                findings.append(Finding("papers.surplus", name, "nothing", "a file"))
            elif (digest := sha256(covered[name]).hexdigest()) != told[name]:
                findings.append(Finding("papers.altered", name, told[name], digest))
        return findings


def _malformed(why: str) -> EvidenceError:
    return EvidenceError(
        f"this is not a statement on a model's files: {why}",
        remedy="fetch it again from its keeper",
        finding="statement.malformed",
    )
