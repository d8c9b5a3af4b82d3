"""A case's report in the colours of the dashboard."""

from __future__ import annotations

from importlib.resources import files

from veridict.services.cases.casework import Casework
from veridict.services.cases.exporting import export
from veridict.services.cases.page import page
from veridict.services.cases.views import ReportView


def draw(work: Casework, index: int, by: str, note: str, redacted: bool) -> ReportView:
    """Makes it, notes that it was made, and draws it. Raises NotFound, BadInput."""
    done = export(work, index, by=by, note=note, redacted=redacted)
    static = files(__package__).joinpath("static")
    tokens = static.joinpath("css", "tokens.css").read_text()
    seal = static.joinpath("seal.svg").read_text().strip()
    drawn = page(done.report, tokens=tokens, seal=seal)
    return ReportView(done.index, done.sha256, done.report.to_json().decode(), drawn)
