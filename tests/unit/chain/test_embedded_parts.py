"""Parts of the embedded chain that need no chain: fees, estimates, order of nonces, reasons."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from veridict.chain.embedded.executor import Block, Outcome, Transaction
from veridict.chain.embedded.gas import estimate, next_base_fee
from veridict.chain.embedded.miner import in_nonce_order
from veridict.chain.reasons import revert_reason
from veridict.chain.rpc_errors import node_said

BLOCK = Block(
    number=1, hash=b"", parent_hash=b"", coinbase=b"", state_root=b"", transactions_root=b"",
    receipts_root=b"", bloom=0, gas_limit=60_000_000, gas_used=30_000_000, timestamp_s=0,
    base_fee=1_000_000_000, header=b"",
)  # fmt: skip
TRANSACTION = Transaction(
    hash=b"", sender=b"a", type=2, chain_id=1, nonce=0, gas=0, max_fee=0, max_tip=0, to=None,
    value=0, data=b"", access_list=(), v=0, r=0, s=0, raw=b"",
)  # fmt: skip


@pytest.mark.parametrize(
    ("gas_used", "base_fee", "expected"),
    [  # EIP-1559: an eighth more after a full block, an eighth less after an empty one
        (30_000_000, 1_000_000_000, 1_000_000_000),
        (60_000_000, 1_000_000_000, 1_125_000_000),
        (0, 1_000_000_000, 875_000_000),
        (30_000_001, 7, 8),
        (0, 7, 7),
    ],
)
def test_the_next_base_fee(gas_used: int, base_fee: int, expected: int) -> None:
    assert next_base_fee(replace(BLOCK, gas_used=gas_used, base_fee=base_fee)) == expected


@pytest.mark.parametrize("needed", [50_000, 50_001, 80_000, 600_000])
def test_an_estimate_suffices_and_is_near_the_least(needed: int) -> None:
    """A call that uses 50,000 gas, and fails unless it has `needed`."""

    def run(gas: int) -> Outcome:
        failure = None if gas >= needed else "out of gas"
        return Outcome(b"", 50_000, 50_000, failure)

    gas, outcome = estimate(run, 60_000_000)
    assert outcome.failure is None
    assert needed <= gas <= needed * 32 / 31 + 1


def test_an_estimate_of_what_always_fails_is_its_failure() -> None:
    failed = Outcome(b"why", 1, 1, "execution reverted")
    assert estimate(lambda gas: failed, 100) == (100, failed)


def test_each_senders_nonces_rise_and_the_senders_keep_their_places() -> None:
    def tx(sender: str, nonce: int) -> Transaction:
        return replace(TRANSACTION, sender=sender.encode(), nonce=nonce)

    came = [tx("a", 2), tx("b", 0), tx("a", 0), tx("c", 9), tx("a", 1)]
    expected = [tx("a", 0), tx("b", 0), tx("a", 1), tx("c", 9), tx("a", 2)]
    assert in_nonce_order(came) == expected


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (bytes.fromhex("08c379a0") + encode(["string"], ["Guard: held"]), "Guard: held"),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [0x11]), "panic 0x11"),
        (b"", None),
        (bytes.fromhex("08c379a0"), None),
        (bytes.fromhex("08c379a0") + b"\xff" * 64, None),
        (b"\x12\x34\x56\x78", None),
    ],
)
def test_the_reason_of_a_revert(output: bytes, reason: str | None) -> None:
    assert revert_reason(output) == reason


def test_a_nodes_error_object_in_its_several_shapes() -> None:
    data = "0x08c379a0" + encode(["string"], ["no"]).hex()
    shapes: list[object] = [
        {"code": 3, "message": "execution reverted: no", "data": data},
        {"code": -32000, "message": "VM Exception: revert", "data": {"data": data}},
        {"code": -32015, "message": "reverted", "data": {"result": data}},
    ]
    for error in shapes:
        refused = node_said("eth_call", error)
        assert refused.facts["reason"] == "no"
        assert refused.facts["reverted"] is True
    for odd in ("plain text", {}, {"message": None, "data": 7}, {"message": "x", "data": "0xzz"}):
        assert node_said("eth_call", odd).facts["reverted"] is False
