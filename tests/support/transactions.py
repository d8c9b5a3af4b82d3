"""Raw transactions that try what contracts rely on, for comparing EVMs with each other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import rlp
from eth_account import Account
from eth_account.signers.local import LocalAccount

from tests.support.anvil import CHAIN_ID
from tests.support.box import OTHER, RICH, box
from veridict.chain.abi import Abi, encode_arguments
from veridict.chain.addresses import checksum, keccak256

GWEI = 10**9
MANY_GAS = 3_000_000
STRANGER = checksum(b"\x5a" * 20)

# Programs that touch one feature each; called with 64 bytes of data.
PROGRAMS = {
    "log with four topics": "60016002600360046020600052602060006020a4" "00",
    "transient storage": "602a60015d60015c60005260206000f3",
    "push0 and mcopy": "5f35602052602060206040" "5e60405160005500",
    "storage there and back": "6001600055600060005560016000556000600055" "00",
    "sha256 precompile": "366000600037602060003660006002620186a0fa5060005160005500",
    "identity precompile": "36600060003760406000366000600462" "0186a0fa5060005160005500",
    "modexp precompile": "6001600052600160205260016040526003606053600560615360076062536020"
    "60006063600060056201" "86a0fa5060005160005500",
    "curve addition precompile": "6040600060806000600662" "0186a0fa5060005160005500",
    "bls addition precompile": "61010060006101006000600b620186a0fa60005500",
    "invalid point": "6001600052604060006080600060066201" "86a0fa60005500",
    "creates with create2": "6460006000f360005260056000600560" "1b6000f560005500",
    "self-destruct": "73" + "5a" * 20 + "ff",
    "revert with data": "61cafe60005260206000fd",
    "invalid opcode": "fe",
    "stack underflow": "50",
    "bad jump": "600356",
    "return data out of bounds": "6020600060003e00",
    "writes in a static call": "60006000600060003061c350fa60005560016000f3",
    "keccak of memory": "6110006000205f55" "00",
    "memory grows": "60016301000000" "5200",
    "exponent": "61ffff61ffff0a60005500",
    "signed arithmetic": "7f" + "ff" * 32 + "6002900560005560016000600703" "60015500",
    "balance of a cold account": "73" + "77" * 20 + "3160005500",
    "code hash and size": "303f600055303b60015500",
    "calls itself to the bottom": "6000600060006000600030" "5af160005500",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    raw: bytes


class Script:
    """Signs one transaction after the other, counting nonces as the chain will."""

    def __init__(self) -> None:
        self._nonces = {RICH.address: 0, OTHER.address: 0}

    def step(self, title: str, by: LocalAccount = RICH, **fields: Any) -> Step:
        full = {
            "chainId": CHAIN_ID, "nonce": self._nonces[by.address], "gas": MANY_GAS, "value": 0,
            "data": b"", **fields,
        }  # fmt: skip
        if "gasPrice" not in full:
            full |= {"maxFeePerGas": 100 * GWEI, "maxPriorityFeePerGas": GWEI}
        self._nonces[by.address] += 1
        return Step(title, bytes(by.sign_transaction(full).raw_transaction))

    def nonce(self, by: LocalAccount) -> int:
        """Of the account's next transaction."""
        return self._nonces[by.address]

    def skip(self, by: LocalAccount) -> None:
        """An authorization used a nonce of the account."""
        self._nonces[by.address] += 1

    def created(self, by: LocalAccount = RICH) -> str:
        """The address of a contract that the account's next transaction deploys."""
        return contract_address(by.address, self._nonces[by.address])


def contract_address(sender: str, nonce: int) -> str:
    packed: bytes = rlp.encode([bytes.fromhex(sender[2:]), nonce])
    return checksum(keccak256(packed)[12:])


def returning(runtime: bytes) -> bytes:
    """Init code that deploys `runtime`."""
    return bytes.fromhex(f"61{len(runtime):04x}80600a3d393df3") + runtime


def chosen_steps() -> Iterator[Step]:
    """Deployments, calls, reverts, logs, running out of gas, each kind of transaction."""
    script = Script()
    abi = Abi("Box", box().abi)
    where = script.created()
    limit = encode_arguments("Box", ["uint256"], [1_000])
    yield script.step("deploys Box", data=box().bytecode + limit)

    def call(title: str, name: str, *args: object, **fields: Any) -> Step:
        data = abi.function(name, len(args)).encode(args)
        return script.step(title, to=where, data=data, **fields)

    yield call("stores", "put", 1, 10, "a")
    yield call("stores as another", "put", 2, 10, "b", by=OTHER)
    yield call("changes", "put", 1, 20)
    yield call("clears, with refund", "clear", 1)
    yield call("indexes a text", "tag", "x" * 32)
    yield call("reverts with a reason", "put", 1, 2_000, "")
    yield call("reverts without a reason", "silent")
    yield call("divides by nought", "divide", 0)
    yield call("runs out of gas", "burn", gas=200_000)
    yield call("has just too little gas", "put", 9, 9, "z", gas=45_000)
    yield call("sends ether along", "put", 3, 3, "", value=5)
    yield call("sends ether where none is taken", "clear", 3, value=5)
    yield script.step("sends ether", to=STRANGER, value=7, gas=21_000)
    yield script.step("calls nobody with data", to=STRANGER, data=b"\x00\x01" * 2_000)
    yield script.step("pays the floor of call data", to=STRANGER, data=b"\x01" * 20_000)
    yield script.step("a legacy one", to=where, data=b"", gasPrice=50 * GWEI, gas=60_000)
    keys = ["0x" + "00" * 32, "0x" + "00" * 31 + "01"]
    listed = [{"address": where, "storageKeys": keys}]
    yield call("with an access list", "clear", 2, accessList=listed)
    yield script.step("a legacy access list", to=where, gasPrice=50 * GWEI, accessList=listed)
    yield from _set_code_steps(script, where)
    yield script.step("init code reverts", data=bytes.fromhex("60006000fd"))
    yield script.step("code too large", data=bytes.fromhex("620060016000f3"), gas=9_000_000)
    yield script.step("code begins with ef", data=bytes.fromhex("60ef60005360016000f3"))
    yield script.step("deploys nothing", data=b"")
    yield script.step("a full data contract", data=returning(b"\x00" * 24_576), gas=9_000_000)
    yield script.step(
        "runs out of gas while deploying", data=returning(b"\x01" * 9_000), gas=700_000
    )
    for name, program in PROGRAMS.items():
        at = script.created()
        yield script.step(f"{name}: deploys", data=returning(bytes.fromhex(program)))
        for gas in (MANY_GAS, 60_000):
            yield script.step(f"{name}: {gas} gas", to=at, data=b"\x07" * 64, gas=gas)


# It never pays: what fees leave of a payer's ether is not the same on every chain.
LENDER: LocalAccount = Account.from_key("0x" + "7c" * 32)


def _set_code_steps(script: Script, box_at: str) -> Iterator[Step]:
    """EIP-7702: accounts lend themselves the code of Box, are called, and take it back."""
    put = Abi("Box", box().abi).function("put", 2).encode([7, 70])
    nobody = "0x" + "00" * 20

    def lent(by: LocalAccount, to: str, nonce: int, chain_id: int = CHAIN_ID) -> Any:
        return by.sign_authorization({"chainId": chain_id, "address": to, "nonce": nonce})

    def lends(title: str, *authorizations: Any, to: str = STRANGER, data: bytes = b"") -> Step:
        return script.step(title, to=to, data=data, authorizationList=list(authorizations))

    # anvil refunds for an account that does not exist as for one that does; EIP-7702 does not
    yield script.step("an account comes to exist", to=LENDER.address, value=1)
    yield lends("lends code", lent(LENDER, box_at, 0))
    yield script.step("calls the code that was lent", to=LENDER.address, data=put)
    yield lends("lends with a wrong nonce", lent(LENDER, box_at, 99))
    yield lends("lends on another chain", lent(LENDER, box_at, 1, chain_id=5))
    twice = (lent(LENDER, STRANGER, 1, chain_id=0), lent(LENDER, box_at, 2))
    yield lends("lends twice, once on any chain", *twice, to=LENDER.address, data=put)
    yield lends("takes it back", lent(LENDER, nobody, 3))
    yield script.step("calls what was taken back", to=LENDER.address, data=put)
    yield lends("lends the code of one who lends", lent(LENDER, LENDER.address, 4))
    yield script.step("calls itself in a circle", to=LENDER.address, data=put)
    yield lends("an account that pays lends", lent(OTHER, box_at, script.nonce(OTHER)))
    script.skip(OTHER)
    yield script.step("and goes on sending", by=OTHER, to=box_at, data=put)
    yield lends("the sender itself lends", lent(RICH, box_at, script.nonce(RICH) + 1))
    script.skip(RICH)
    yield lends("the sender takes it back", lent(RICH, nobody, script.nonce(RICH) + 1))
    script.skip(RICH)


# Opcodes whose meaning does not depend on who makes the blocks.
_PLAIN = [
    *range(0x01, 0x0C), *range(0x10, 0x1E), 0x20, 0x30, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38,
    0x39, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F, 0x45, 0x46, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x58, 0x59,
    0x5A, 0x5C, 0x5D, 0x5E, 0x5F, *range(0x80, 0x88), *range(0x90, 0x98), *range(0xA0, 0xA5),
    0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xFA, 0xFD,
]  # fmt: skip


def random_steps(programs: int, seed: int) -> Iterator[Step]:
    """Programs of random opcodes with small operands, each deployed and called."""
    draw = random.Random(seed)
    script = Script()
    for number in range(programs):
        code = bytearray()
        for _ in range(12):  # so that the first operations find something on the stack
            code += bytes([0x60, draw.choice((0, 1, 2, 4, 32, 64, draw.randrange(256)))])
        for _ in range(draw.randrange(5, 40)):
            if draw.random() < 0.5:
                code += bytes([0x60, draw.choice((0, 1, 2, 4, 32, 64, draw.randrange(256)))])
            code.append(draw.choice(_PLAIN))
        at = script.created()
        yield script.step(f"random {number}: deploys", data=returning(bytes(code)))
        yield script.step(
            f"random {number}", to=at, data=draw.randbytes(40), value=draw.randrange(3)
        )
