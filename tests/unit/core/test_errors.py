"""The error tree: every leaf says who must act, and the page about it is true."""

from __future__ import annotations

import re

import pytest

from tools.tables import PAGES, error_classes, meanings, rendered
from veridict.core import errors
from veridict.core.errors import CallerError, EvidenceError, OperatorError, VeridictError

BRANCHES = {VeridictError, CallerError, OperatorError}
LEAVES = [c for c in error_classes() if c not in BRANCHES]


def test_every_class_has_its_own_code() -> None:
    codes = [c.code for c in error_classes()]
    assert len(codes) > 10
    assert len(set(codes)) == len(codes)


def test_the_tree_at_the_top_names_every_class() -> None:
    assert set(meanings()) == {c.__name__ for c in error_classes()} - {"VeridictError"}


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda c: c.__name__)
def test_the_tree_states_the_http_status(leaf: type[VeridictError]) -> None:
    line = next(ln for ln in (errors.__doc__ or "").splitlines() if f" {leaf.__name__} " in ln)
    stated = re.search(r"\b([45]\d\d)\b", line)
    branch = next(c for c in (CallerError, OperatorError, EvidenceError) if issubclass(leaf, c))
    assert leaf.http_status == (int(stated.group(1)) if stated else branch.http_status)


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda c: c.__name__)
def test_the_exit_status_tells_who_must_act(leaf: type[VeridictError]) -> None:
    expected = {CallerError: 2, OperatorError: 3, EvidenceError: 4}
    assert [leaf.exit_status] == [n for base, n in expected.items() if issubclass(leaf, base)]
    assert 400 <= leaf.http_status < 600


def test_an_error_carries_remedy_and_facts() -> None:
    error = errors.NotFound("no record 7", remedy="choose 0 to 6", index=7)
    assert str(error) == "no record 7"
    assert error.as_dict() == {
        "error": "not-found",
        "message": "no record 7",
        "remedy": "choose 0 to 6",
        "facts": {"index": 7},
    }


def test_the_reference_pages_are_fresh() -> None:
    pages = sorted(PAGES.glob("*.md"))
    assert pages
    for page in pages:
        assert rendered(page.read_text()) == page.read_text(), f"run `make docs` for {page.name}"
