"""Names to selectors, Python values to bytes and back; an event's words to its arguments."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode

from veridict.chain.abi import Abi
from veridict.chain.addresses import checksum, keccak256
from veridict.core.errors import BadInput, NotFound, RpcUnavailable

ALICE = checksum(b"\xab" * 20)


def argument(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


TRANSFER = {
    "type": "function", "name": "transfer",
    "inputs": [argument("to", "address"), argument("amount", "uint256")],
    "outputs": [argument("", "bool")],
}  # fmt: skip
MOVED = {
    "type": "event", "name": "Transfer",
    "inputs": [
        argument("sender", "address", indexed=True), argument("to", "address", indexed=True),
        argument("value", "uint256", indexed=False),
    ],
}  # fmt: skip
PARTS = [argument("who", "address"), argument("n", "uint64[2]")]
NESTED = {
    "type": "function", "name": "nested",
    "inputs": [argument("parts", "tuple[]", components=PARTS)],
    "outputs": [argument("parts", "tuple[]", components=PARTS)],
}  # fmt: skip
TOKEN = Abi("Token", [TRANSFER, MOVED, NESTED])


def test_the_selector_of_a_known_function() -> None:
    """a9059cbb is ERC-20's transfer(address,uint256)."""
    data = TOKEN.function("transfer").encode([ALICE, 5])
    assert data == bytes.fromhex("a9059cbb") + bytes(12) + b"\xab" * 20 + (5).to_bytes(32, "big")


def test_the_topic_of_a_known_event() -> None:
    known = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    assert TOKEN.event("Transfer").topic.hex() == known


def test_structs_are_tuples_and_arrays_lists_with_addresses_in_eip_55() -> None:
    function = TOKEN.function("nested")
    assert function.selector == keccak256(b"nested((address,uint64[2])[])")[:4]
    value = [(ALICE, [1, 2]), (ALICE, [3, 4])]
    assert function.decode(function.encode([value])[4:]) == value


def test_an_event_is_decoded_and_filtered() -> None:
    event = TOKEN.event("Transfer")
    word = bytes(12) + b"\xab" * 20
    args = event.decode([event.topic, word, bytes(32)], (7).to_bytes(32, "big"))
    assert args == {"sender": ALICE, "to": "0x" + "00" * 20, "value": 7}
    assert list(args) == ["sender", "to", "value"]
    assert event.topics({"sender": ALICE}) == [event.topic, word, None]
    with pytest.raises(BadInput, match="no indexed argument 'value'"):
        event.topics({"value": 7})


def test_the_form_with_as_many_arguments_is_taken() -> None:
    short = {**TRANSFER, "inputs": TRANSFER["inputs"][:1]}
    abi = Abi("Token", [short, TRANSFER])
    assert abi.function("transfer", 1).inputs == ("address",)
    assert abi.function("transfer", 2).inputs == ("address", "uint256")
    assert abi.function("transfer").inputs == ("address", "uint256")
    with pytest.raises(BadInput, match="takes 2 arguments, not 3"):
        abi.function("transfer", 3).encode([1, 2, 3])


@pytest.mark.parametrize(
    "args", [(ALICE, -1), (ALICE, 2**256), ("0x12", 1), (ALICE, "1"), (ALICE, None), (None, 1)]
)
def test_values_that_do_not_fit(args: tuple[object, ...]) -> None:
    with pytest.raises(BadInput, match="do not fit"):
        TOKEN.function("transfer").encode(args)


def test_what_a_contract_returns_must_fit() -> None:
    function = TOKEN.function("transfer")
    assert function.decode(encode(["bool"], [True])) is True
    with pytest.raises(NotFound, match="no such contract"):
        function.decode(b"")
    with pytest.raises(RpcUnavailable, match="returned 3 bytes"):
        function.decode(b"abc")


def test_unknown_names_are_told_the_known_ones() -> None:
    with pytest.raises(NotFound, match="no function 'burn'") as caught:
        TOKEN.function("burn")
    assert "transfer" in caught.value.remedy
    with pytest.raises(NotFound, match="no event 'Burnt'"):
        TOKEN.event("Burnt")
