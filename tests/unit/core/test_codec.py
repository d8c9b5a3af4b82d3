"""Canonical JSON against an independent small reference of RFC 8785, inside the profile."""

from __future__ import annotations

import json
import math
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veridict.core.codec import (
    MAX_JSON_INT,
    TAG_INPUTS,
    TAG_REQUEST,
    JsonValue,
    canonical_json,
    commit,
    parse_json,
    sha256_hex,
)
from veridict.core.errors import BadInput

ESCAPES = {8: r"\b", 9: r"\t", 10: r"\n", 12: r"\f", 13: r"\r", 34: r"\"", 92: r"\\"}


def jcs(value: object) -> str:
    """RFC 8785, written from its text: §3.2.2 for values, §3.2.3 for the order of keys."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return es_number(value)
    if isinstance(value, str):
        return jcs_string(value)
    if isinstance(value, list):
        return "[" + ",".join(jcs(item) for item in value) + "]"
    assert isinstance(value, dict)
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))  # UTF-16 code units
    return "{" + ",".join(f"{jcs_string(key)}:{jcs(value[key])}" for key in keys) + "}"


def es_number(value: int) -> str:
    """ECMAScript's Number::toString of the double nearest to `value`, below 1e21."""
    double = float(value)
    assert double == value
    assert math.fabs(double) < 1e21
    return str(int(double))


def jcs_string(text: str) -> str:
    out = []
    for char in text:
        code = ord(char)
        if code in ESCAPES:
            out.append(ESCAPES[code])
        else:
            out.append(f"\\u{code:04x}" if code < 0x20 else char)
    return '"' + "".join(out) + '"'


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF), max_size=8)
scalars = (
    st.none() | st.booleans() | st.integers(min_value=-MAX_JSON_INT, max_value=MAX_JSON_INT) | texts
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=30,
)


@given(documents)
def test_equals_rfc_8785(document: JsonValue) -> None:
    assert canonical_json(document).decode() == jcs(document)


@given(documents)
def test_reads_back(document: JsonValue) -> None:
    assert json.loads(canonical_json(document)) == document


@given(st.dictionaries(keys, scalars, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_insertion_does_not_matter(
    document: dict[str, JsonValue], rnd: object
) -> None:
    shuffled = dict(sorted(document.items(), key=lambda _: rnd.random()))  # type: ignore[attr-defined]
    assert canonical_json(shuffled) == canonical_json(document)


def test_example_bytes() -> None:
    document: JsonValue = {"b": [1, True, None], "a": '€\u0007"', "é": -MAX_JSON_INT}
    expected = '{"a":"€\\u0007\\"","b":[1,true,null],"é":-9007199254740991}'
    assert canonical_json(document) == expected.encode()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        math.nan,
        2**53,
        -(2**53),
        b"bytes",
        {1: "integer key"},
        {"\U0001f600": "key beyond the BMP"},
        "\ud800",
        {"\udfff": 1},
        ["nested", {"deep": [0.5]}],
        {"a", "set"},
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_refuses_what_is_outside_the_profile(value: object) -> None:
    with pytest.raises(BadInput) as caught:
        canonical_json(value)  # type: ignore[arg-type]
    assert caught.value.remedy


def test_commitments_are_tagged_hashes() -> None:
    salt, content = bytes(range(32)), b"content"
    assert commit(TAG_REQUEST, salt, content) == sha256(b"R" + salt + content).digest()
    assert commit(TAG_INPUTS, salt, content) != commit(TAG_REQUEST, salt, content)


def test_sha256_hex_is_what_sha256sum_prints() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b'["' + b"[" * 100 + b'"]'])
def test_nesting_is_bounded_before_the_parser_recurses(text: bytes) -> None:
    if text.startswith(b'["'):
        assert parse_json(text) == ["[" * 100]  # brackets in a text nest nothing
    else:
        with pytest.raises(ValueError, match="nested deeper"):
            parse_json(text)
