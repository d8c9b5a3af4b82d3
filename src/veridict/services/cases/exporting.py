"""A report is made, and that it was made is a record: its digest, sealed with who did it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from veridict.services.cases.casework import Casework
from veridict.services.cases.naming import Numbered, Plain
from veridict.services.cases.report import Report, report_on


@dataclass(frozen=True, slots=True)
class Exported:
    """`index` is the record of the export; `sha256` is that of the report's JSON, in hex."""

    report: Report
    sha256: str
    index: int


def export(work: Casework, index: int, *, by: str, redacted: bool, note: str = "") -> Exported:
    """Raises NotFound where `index` is no case, BadInput where nobody is named."""
    report = report_on(work, index, Numbered() if redacted else Plain())
    digest = sha256(report.to_json()).hexdigest()
    done = work.exported(index, by=by, note=note, redacted=redacted, sha256=digest)
    return Exported(report, digest, done.index)
