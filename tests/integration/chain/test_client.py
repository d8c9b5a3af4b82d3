"""The client's whole surface, on the embedded chain, the same over HTTP, and on anvil."""

from __future__ import annotations

import threading

import pytest
from eth_account import Account

from tests.support.anvil import CHAIN_ID
from tests.support.box import OTHER, RICH, box
from veridict.chain.addresses import keccak256
from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.chain.deployment import deploy, deploy_code, deployment
from veridict.chain.receipts import Tx, TxReceipt
from veridict.core.errors import (
    BadInput,
    NoFunds,
    NotFound,
    Refused,
    RpcUnavailable,
    WrongChain,
)
from veridict.core.ports import Rpc

LIMIT = 1_000


@pytest.fixture
def client(any_chain: Rpc) -> Client:
    return Client(any_chain, RICH, expected_chain_id=CHAIN_ID)


@pytest.fixture
def contract(client: Client) -> Contract:
    return deploy(client, box(), LIMIT)


def test_it_tells_the_chain_and_the_account(client: Client) -> None:
    assert client.chain_id == CHAIN_ID
    assert client.address == RICH.address
    assert client.balance(RICH.address) > 10**18
    assert client.balance(Account.create().address) == 0


def test_another_chain_is_refused_at_once(any_chain: Rpc) -> None:
    with pytest.raises(WrongChain) as caught:
        Client(any_chain, expected_chain_id=1)
    assert caught.value.facts == {"found": CHAIN_ID, "expected": 1}


def test_a_deployed_contract_has_its_code_storage_and_views(contract: Contract) -> None:
    client = contract.client
    assert client.code(contract.address).startswith(box().runtime)
    contract.send("put", 7, 8, "hello")
    assert contract.call("values", 7) == 8
    slot = int.from_bytes(keccak256(bytes(32) + (7).to_bytes(32, "big")), "big")
    assert client.storage(contract.address, slot) == 8
    assert contract.call("several") == (
        contract.address, LIMIT, keccak256(b"box"), True, -5, b"\x01\x02",
    )  # fmt: skip
    assert contract.call("pairs", 2) == [(contract.address, 0), (contract.address, 1)]


def test_a_receipt_says_what_happened(contract: Contract) -> None:
    client = contract.client
    receipt = contract.send("put", 1, 2, "text")
    assert receipt.status == 1
    assert 21_000 < receipt.gas_used < 120_000
    assert receipt.contract_address is None
    assert receipt == client.receipt(receipt.hash) == client.wait(receipt.hash)
    head = client.block(receipt.block_number)
    assert (head.number, head.hash) == (receipt.block_number, receipt.block_hash)
    assert client.block(receipt.block_hash) == head
    assert client.block(head.number - 1).hash == head.parent_hash
    (event,) = contract.decode_logs("Stored", receipt.logs)
    assert event.args == {"who": RICH.address, "key": 1, "text": "text", "amount": 2}


def test_events_are_found_by_their_indexed_arguments(contract: Contract) -> None:
    for key in (1, 2, 3):
        contract.send("put", key, 10 * key)
    first, *_ = contract.events("Stored")
    assert [event.args["key"] for event in contract.events("Stored")] == [1, 2, 3]
    (second,) = contract.events("Stored", key=2)
    assert second.args == {"who": RICH.address, "key": 2, "text": "plain", "amount": 20}
    assert second.block_number > first.block_number
    assert contract.events("Stored", from_block=second.block_number, key=1) == []
    assert contract.events("Stored", to_block=first.block_number) == [first]
    assert contract.events("Stored", who=OTHER.address) == []
    with pytest.raises(BadInput, match="no indexed argument 'amount'"):
        contract.events("Stored", amount=10)


def test_an_indexed_text_is_logged_as_its_hash(contract: Contract) -> None:
    contract.send("tag", "abc")
    (event,) = contract.events("Tagged")
    assert event.args == {"tag": keccak256(b"abc")}


def test_logs_take_several_addresses_and_alternatives(contract: Contract) -> None:
    client = contract.client
    begin = client.block_number()
    other = deploy(client, box(), LIMIT)
    contract.send("put", 1, 1)
    other.send("put", 2, 2)
    topic = contract.abi.event("Stored").topic
    keys = [(1).to_bytes(32, "big"), (2).to_bytes(32, "big")]
    both = [contract.address, other.address]
    assert len(client.logs(both, [topic], begin)) == 2
    assert len(client.logs(both, [topic, None, keys], begin)) == 2
    assert len(client.logs(None, [topic, None, [keys[1]]], begin)) == 1


def test_a_past_block_keeps_its_state(contract: Contract) -> None:
    first = contract.send("put", 1, 5)
    contract.send("put", 1, 6)
    assert contract.call("values", 1, block=first.block_number) == 5
    assert contract.call("values", 1, block=first.block_hash) == 5
    assert contract.call("values", 1, block=first.block_number - 1) == 0
    assert contract.call("values", 1) == 6


@pytest.mark.parametrize(
    ("function", "args", "reason"),
    [
        ("put", (1, LIMIT + 1, ""), "Box: above the limit"),
        ("divide", (0,), None),
        ("silent", (), None),
    ],
)
def test_a_call_that_reverts_is_refused_with_the_reason(
    contract: Contract, function: str, args: tuple[object, ...], reason: str | None
) -> None:
    for act in (contract.call, contract.send):
        with pytest.raises(Refused, match=f"Box.{function}") as caught:
            act(function, *args)
        assert caught.value.facts["what"] == f"Box.{function}"
        assert caught.value.facts["reverted"] is True
        if reason:
            assert caught.value.facts["reason"] == reason


def test_a_mined_revert_is_refused_with_the_reason_and_its_hash(contract: Contract) -> None:
    with pytest.raises(Refused) as caught:
        contract.send("put", 1, LIMIT + 1, "", gas=200_000)
    facts = caught.value.facts
    assert facts["reason"] == "Box: above the limit"
    receipt = contract.client.receipt(str(facts["tx_hash"]))
    assert receipt is not None
    assert receipt.status == 0


def test_running_out_of_gas_is_refused(contract: Contract) -> None:
    with pytest.raises(Refused) as caught:
        contract.send("burn", gas=100_000)
    assert caught.value.facts["gas_used"] == 100_000


def test_unchecked_a_mined_revert_is_a_receipt(contract: Contract) -> None:
    txs = [
        contract.tx("put", 1, 1, "", gas=200_000),
        contract.tx("put", 2, LIMIT + 1, "", gas=200_000),
        contract.tx("put", 3, 3, "", gas=200_000),
    ]
    receipts = contract.client.send_many(txs, check=False)
    assert [receipt.status for receipt in receipts] == [1, 0, 1]
    with pytest.raises(Refused, match="above the limit"):
        contract.client.send_many(txs)


def test_many_are_sent_in_order(contract: Contract) -> None:
    txs = [contract.tx("put", 1, amount, gas=150_000) for amount in range(1, 61)]
    receipts = contract.client.send_many(txs)
    assert len({receipt.hash for receipt in receipts}) == 60
    amounts = [event.args["amount"] for event in contract.events("Stored")]
    assert amounts == list(range(1, 61))
    assert contract.call("values", 1) == 60
    assert contract.client.send_many([]) == []


def test_many_threads_share_one_account(contract: Contract) -> None:
    receipts: list[TxReceipt] = []

    def send(key: int) -> None:
        receipts.append(contract.send("put", key, key))

    threads = [threading.Thread(target=send, args=(key,)) for key in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({receipt.hash for receipt in receipts}) == 8
    assert sorted(event.args["key"] for event in contract.events("Stored")) == list(range(8))


def test_two_clients_of_one_account_take_turns(any_chain: Rpc, contract: Contract) -> None:
    """As two processes would: one's nonce is taken by the other between signing and sending."""
    other = Contract(Client(any_chain, RICH), box(), contract.address)

    def send(through: Contract) -> None:
        for _ in range(5):
            through.send("put", 1, 7)

    threads = [threading.Thread(target=send, args=(each,)) for each in (contract, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(contract.events("Stored")) == 10


def test_a_poor_account_is_named(any_chain: Rpc, contract: Contract) -> None:
    poor = Account.create()
    client = Client(any_chain, poor)
    for tx in (Tx(OTHER.address, value=1), contract.tx("put", 1, 1, gas=100_000)):
        with pytest.raises(NoFunds, match=poor.address) as caught:
            client.send(tx)
        assert caught.value.facts["address"] == poor.address


def test_ether_moves(client: Client) -> None:
    receiver = Account.create().address
    receipt = client.send(Tx(receiver, value=12_345))
    assert receipt.gas_used == 21_000
    assert client.balance(receiver) == 12_345


def test_what_does_not_exist_is_said(client: Client) -> None:
    with pytest.raises(NotFound):
        client.block(10**9)
    assert client.receipt("0x" + "ab" * 32) is None
    nowhere = Contract(client, box(), Account.create().address)
    with pytest.raises(NotFound, match="no such contract"):
        nowhere.call("values", 1)
    with pytest.raises(NotFound, match="no function 'nope'"):
        nowhere.call("nope")
    with pytest.raises(RpcUnavailable, match="not mined"):
        client.wait("0x" + "ab" * 32, timeout_s=0.01)


def test_a_client_without_account_reads_only(any_chain: Rpc, contract: Contract) -> None:
    reader = Contract(Client(any_chain), box(), contract.address)
    assert reader.call("values", 1) == 0
    with pytest.raises(BadInput, match="no account"):
        reader.send("put", 1, 1)


def test_a_constructor_that_reverts_or_is_misused(client: Client) -> None:
    with pytest.raises(BadInput, match="takes 1 arguments, not 0"):
        deployment(box())
    with pytest.raises(BadInput, match="do not fit"):
        deployment(box(), "many")
    with pytest.raises(Refused, match="deployment of Box"):
        client.send(Tx(None, bytes.fromhex("60006000fd"), label="deployment of Box"))


def test_code_is_deployed_in_one_batch(client: Client) -> None:
    """Init code `61<len>80600a3d393df3`: returns what follows it."""
    datas = [bytes([n]) * (n + 1) for n in range(1, 4)]
    prefix = [bytes.fromhex(f"61{len(data):04x}80600a3d393df3") for data in datas]
    addresses = deploy_code(client, [p + d for p, d in zip(prefix, datas, strict=True)])
    assert [client.code(address) for address in addresses] == datas


def test_several_calls_in_one_round_trip(contract: Contract) -> None:
    contract.send("put", 1, 5)
    function = contract.abi.function("values")
    calls = [(contract.address, function.encode([key])) for key in (1, 2)]
    assert [function.decode(out) for out in contract.client.call_many(calls)] == [5, 0]
