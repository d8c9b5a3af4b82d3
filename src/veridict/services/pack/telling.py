"""A report as data: what `--json` prints. Stable: veridict-audit-report/1."""

from __future__ import annotations

from veridict.core.nouns import Check, Finding
from veridict.services.pack.answers import Answer
from veridict.services.pack.verifying import Report

FORMAT = "veridict-audit-report/1"


def as_dict(report: Report) -> dict[str, object]:
    about = report.about
    return {
        "format": FORMAT,
        "standing": report.standing.value,
        "pack": {
            "sha256": report.sha256,
            "origin": about.origin,
            "vkey": about.vkey,
            "operator": about.operator,
            "records": about.size,
            "opened": list(about.opened),
            "chain_id": about.home.chain_id,
        },
        "answers": [_answer(answer) for answer in report.answers],
        "checks": [_check(check) for check in report.examination.checks],
    }


def _answer(answer: Answer) -> dict[str, object]:
    return {
        "number": answer.number,
        "question": answer.question,
        "standing": answer.standing.value,
        "examined": answer.examined,
        "evidence": [{"label": told.label, "value": told.value} for told in answer.evidence],
        "findings": [_finding(finding) for finding in answer.findings],
        "unasked": list(answer.unasked),
    }


def _check(check: Check) -> dict[str, object]:
    return {
        "number": check.number,
        "title": check.title,
        "examined": check.examined,
        "findings": [_finding(finding) for finding in check.findings],
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "where": finding.where,
        "expected": finding.expected,
        "found": finding.found,
    }
