"""A receipt as a file: exact round trips, no crash on rubbish, and no field that may be altered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.told import opened, prediction_at, told_copy
from veridict.chain.addresses import checksum
from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput, NotFound, Refused, VeridictError
from veridict.core.ports import Rpc
from veridict.services.node import Node
from veridict.services.receipt import Receipt, proven_request


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with opened(told_copy(tmp_path_factory.mktemp("told") / "home")) as node:
        yield node


@pytest.fixture(scope="module")
def receipt(node: Node) -> Receipt:
    return node.receipt(prediction_at(node))


def test_round_trip(receipt: Receipt) -> None:
    text = receipt.to_json()
    assert Receipt.from_json(text) == receipt
    assert Receipt.from_json(text).to_json() == text


def test_an_honest_receipt_verifies(node: Node, receipt: Receipt) -> None:
    checks = receipt.verify(node.network.client.rpc)
    assert [check.number for check in checks] == [1, 2, 3, 4, 5, 6]
    assert all(check.passed for check in checks)


def test_every_kind_of_prediction_gets_one(node: Node) -> None:
    """A row of the stream, and a payment held by the guard."""
    paid = next(index for index in reversed(list(node.board.cases)) if node.payment_of(index))
    receipt = node.receipt(paid)
    assert node.guard is not None
    assert receipt.payload.request.id == f"{node.guard.address}/{node.payment_of(paid)}"
    assert all(check.passed for check in receipt.verify(node.network.client.rpc))


def test_what_has_none_is_refused(node: Node) -> None:
    with pytest.raises(NotFound):
        node.receipt(10**9)
    with pytest.raises(BadInput):
        node.receipt(0)  # the model's record
    with pytest.raises(Refused, match="not anchored yet"):
        node.receipt(node.predict(_one_row(node))[0].index)


def _one_row(node: Node) -> Any:
    return np.zeros((1, node.at_work().model.n_features))


# -- every field altered ---------------------------------------------------------------------

Alter = Callable[[Any], Any]


def flip(text: str) -> str:
    """The last hex digit becomes another."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def other_address(text: str) -> str:
    return checksum(bytes.fromhex(flip(text[2:].lower())))


@dataclass(frozen=True, slots=True)
class Altered:
    """`found` are codes of findings, or the code of the error that refuses the file."""

    field: str
    alter: Alter
    found: frozenset[str]

    def __post_init__(self) -> None:
        assert self.found, f"{self.field}: what must be found?"


def row(field: str, alter: Alter, *found: str) -> Altered:
    return Altered(field, alter, frozenset(found))


ALTERED = (
    row("format", lambda _: "veridict-receipt/2", "input.bad"),
    row("record", flip, "receipt.inputs", "receipt.inclusion"),
    row("request_content", flip, "receipt.request"),
    row("request_salt", flip, "receipt.request"),
    row("inputs", lambda text: "f" * 16 + text[16:], "receipt.inputs", "receipt.score"),
    row("inputs", lambda text: text[:-2], "receipt.inputs", "receipt.score"),
    row("inputs_salt", flip, "receipt.inputs"),
    row("inputs_salt", lambda text: text[:-2], "input.bad"),
    row("index", lambda index: index + 1, "receipt.inclusion"),
    row("index", lambda index: -1, "receipt.inclusion"),
    row("index", lambda index: 2**70, "receipt.inclusion"),
    row("proof", lambda proof: proof[:-1], "receipt.inclusion"),
    row("proof", lambda proof: [*proof, proof[0]], "receipt.inclusion"),
    row("proof", lambda proof: [flip(proof[0]), *proof[1:]], "receipt.inclusion"),
    row("checkpoint", lambda text: text.replace("veridict/", "other/"), "receipt.checkpoint"),
    row("checkpoint", lambda text: "", "receipt.checkpoint"),
    row("verifier_key", lambda text: text[:-6] + "AAAAA=", "receipt.checkpoint", "receipt.anchor"),
    row("operator", other_address, "receipt.anchor"),
    row("operator", lambda _: "0x12", "input.bad"),
    row("anchor_size", lambda size: size + 1, "receipt.checkpoint", "receipt.anchor"),
    row("anchor_size", lambda size: -1, "input.bad"),
    row("anchor_root", flip, "receipt.inclusion", "receipt.checkpoint", "receipt.anchor"),
    row("anchor_time_s", lambda time_s: time_s - 1, "receipt.anchor"),
    row("addresses.chain_id", lambda chain_id: chain_id + 1, "chain.wrong"),
    row("addresses.anchor", other_address, "chain.wrong"),
    row("addresses.registry", other_address, "receipt.model"),
    row("addresses.registry", lambda _: "0x12", "input.bad"),
)  # fmt: skip

# Where to look and whom to ask: a receipt proves nothing by them.
POINTERS = {
    "anchor_tx", "anchor_block", "anchor_block_hash", "addresses.stakes", "addresses.judge",
}  # fmt: skip


def fields(content: dict[str, Any]) -> set[str]:
    own = {f"addresses.{name}" for name in content["addresses"]}
    return (set(content) - {"addresses"}) | own


def test_no_field_is_left_out(receipt: Receipt) -> None:
    covered = {each.field for each in ALTERED}
    assert fields(json.loads(receipt.to_json())) == covered | POINTERS


@pytest.mark.parametrize("altered", ALTERED, ids=lambda altered: altered.field)
def test_an_altered_field_is_found(node: Node, receipt: Receipt, altered: Altered) -> None:
    content = json.loads(receipt.to_json())
    holder, _, name = altered.field.rpartition(".")
    target = content[holder] if holder else content
    before = target[name]
    target[name] = altered.alter(before)
    assert target[name] != before
    assert told_of(content, node.network.client.rpc) == altered.found


def told_of(content: dict[str, Any], rpc: Rpc) -> set[str]:
    try:
        checks = Receipt.from_json(json.dumps(content).encode()).verify(rpc)
    except VeridictError as error:
        return {error.code}
    return {finding.code for check in checks for finding in check.findings}


def test_missing_and_unknown_fields_are_refused(receipt: Receipt) -> None:
    content = json.loads(receipt.to_json())
    for name in content:
        with pytest.raises(BadInput):
            Receipt.from_json(json.dumps({k: v for k, v in content.items() if k != name}).encode())
    with pytest.raises(BadInput):
        Receipt.from_json(json.dumps({**content, "more": 1}).encode())


@given(st.binary(max_size=200))
def test_rubbish_is_bad_input(text: bytes) -> None:
    with pytest.raises(BadInput):
        Receipt.from_json(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=50)
@given(data=st.data())
def test_any_value_in_any_field_is_read_or_refused_and_never_passes(
    node: Node, receipt: Receipt, data: st.DataObject
) -> None:
    content = json.loads(receipt.to_json())
    name = data.draw(st.sampled_from(sorted(fields(content) - POINTERS)))
    holder, _, last = name.rpartition(".")
    target = content[holder] if holder else content
    hexes = st.binary(max_size=40).map(bytes.hex)
    value = data.draw(json_values | hexes | st.integers(-(2**65), 2**65))
    if value == target[last]:
        return
    target[last] = value
    assert told_of(content, node.network.client.rpc)


# -- names -----------------------------------------------------------------------------------


def test_a_request_says_only_what_its_content_proves() -> None:
    told = proven_request(canonical_json({"id": "pay 1", "time_s": 7, "payer": "ann"}))
    assert (told.id, told.subject, told.time_s) == ("pay 1", "", 7)
    for content in (b"", b"{}", b"[1]", b'{"id":1}', bytes(192), b"\xff" * 192, b"\xff"):
        assert proven_request(content).content == content
    assert proven_request(b"{}").id != proven_request(b"").id
