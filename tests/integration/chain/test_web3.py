"""web3.py works against the embedded chain, in the process and over HTTP."""

from __future__ import annotations

import sys

import pytest
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3RPCError
from web3.middleware import SignAndSendRawMiddlewareBuilder

from tests.support.box import OTHER, RICH, box
from veridict.chain.embedded import EmbeddedChain
from veridict.chain.web3 import connect, provider
from veridict.core.errors import MissingPart


@pytest.fixture(params=["in the process", "over HTTP"])
def w3(request: pytest.FixtureRequest, embedded: EmbeddedChain) -> Web3:
    if request.param == "in the process":
        return connect(embedded)
    return Web3(Web3.HTTPProvider(embedded.serve()))


def test_the_usual_calls(w3: Web3) -> None:
    assert w3.is_connected()
    assert w3.eth.chain_id == 31_337
    assert w3.eth.get_balance(RICH.address) == 10_000 * 10**18
    assert w3.eth.gas_price > 0
    assert w3.eth.fee_history(1, "latest", [50])["oldestBlock"] == 0
    assert w3.eth.get_block("latest")["number"] == 0
    assert not w3.eth.syncing
    assert w3.net.version == "31337"
    assert w3.client_version.startswith("veridict/")
    with pytest.raises(TransactionNotFound):
        w3.eth.get_transaction(HexBytes(bytes(32)))


def test_a_contract_from_deployment_to_events(w3: Web3) -> None:
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(RICH), layer=0)
    w3.eth.default_account = RICH.address
    factory = w3.eth.contract(abi=box().abi, bytecode=box().bytecode)
    deployed = w3.eth.wait_for_transaction_receipt(factory.constructor(1_000).transact())
    assert deployed["contractAddress"] is not None
    contract = w3.eth.contract(deployed["contractAddress"], abi=box().abi)
    sent = contract.get_function_by_signature("put(uint256,uint256,string)")(5, 6, "x").transact()
    receipt = w3.eth.wait_for_transaction_receipt(sent)
    assert receipt["status"] == 1
    assert contract.functions.values(5).call() == 6
    (event,) = contract.events.Stored().get_logs(from_block=0)
    assert event["args"] == {"who": RICH.address, "key": 5, "text": "x", "amount": 6}
    assert w3.eth.get_transaction(sent)["from"] == RICH.address
    block = w3.eth.get_block(receipt["blockNumber"], full_transactions=True)
    (transaction,) = block["transactions"]
    assert not isinstance(transaction, HexBytes)
    assert transaction["hash"] == sent


def test_refusals_are_web3s_own(w3: Web3) -> None:
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(RICH), layer=0)
    factory = w3.eth.contract(abi=box().abi, bytecode=box().bytecode)
    sent = factory.constructor(1).transact({"from": RICH.address})
    contract = w3.eth.contract(
        w3.eth.wait_for_transaction_receipt(sent)["contractAddress"], abi=box().abi
    )
    put = contract.get_function_by_signature("put(uint256,uint256,string)")
    with pytest.raises(ContractLogicError, match="Box: above the limit"):
        put(1, 2, "").call()
    signed = OTHER.sign_transaction(
        {"nonce": 9, "to": RICH.address, "value": 1, "gas": 21_000, "chainId": 31_337,
         "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1}
    )  # fmt: skip
    with pytest.raises(Web3RPCError, match="nonce too high"):
        w3.eth.send_raw_transaction(signed.raw_transaction)


def test_without_web3_it_says_how_to_install(
    embedded: EmbeddedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "web3"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingPart, match="not installed") as caught:
        provider(embedded)
    assert "veridict[web3]" in caught.value.remedy
