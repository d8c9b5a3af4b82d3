"""A small contract for tests of the chain and its client: storage, events, refusals."""

from __future__ import annotations

from functools import cache

from eth_account import Account
from eth_account.signers.local import LocalAccount
from vyper import compile_code

from veridict.chain.artifacts import Artifact

# The first two accounts of the mnemonic that anvil and hardhat fund.
RICH: LocalAccount = Account.from_key(
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
)
OTHER: LocalAccount = Account.from_key(
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
)
FUNDS: dict[str, int] = {str(key.address): 10_000 * 10**18 for key in (RICH, OTHER)}

SOURCE = """
struct Pair:
    who: address
    amount: uint256

event Stored:
    who: indexed(address)
    key: indexed(uint256)
    text: String[32]
    amount: uint256

event Tagged:
    tag: indexed(String[32])

values: public(HashMap[uint256, uint256])
total: uint256
limit: immutable(uint256)

@deploy
def __init__(limit_: uint256):
    limit = limit_

@external
@payable
def put(key: uint256, amount: uint256, text: String[32] = "plain"):
    assert amount <= limit, "Box: above the limit"
    self.total += amount - self.values[key]
    self.values[key] = amount
    log Stored(who=msg.sender, key=key, text=text, amount=amount)

@external
def tag(text: String[32]):
    log Tagged(tag=text)

@external
def clear(key: uint256):
    self.values[key] = 0

@external
def burn():
    for i: uint256 in range(10_000_000):
        self.total += i

@external
def divide(by: uint256) -> uint256:
    return 100 // by

@external
def silent():
    raise

@external
@view
def pairs(n: uint256) -> DynArray[Pair, 4]:
    found: DynArray[Pair, 4] = []
    for i: uint256 in range(n, bound=4):
        found.append(Pair(who=self, amount=i))
    return found

@external
@view
def several() -> (address, uint256, bytes32, bool, int256, Bytes[4]):
    return self, limit, keccak256(b"box"), True, -5, b"\\x01\\x02"

@external
@view
def now() -> (uint256, uint256):
    return block.number, block.timestamp
"""


@cache
def box() -> Artifact:
    out = compile_code(SOURCE, output_formats=["abi", "bytecode", "bytecode_runtime"])
    return Artifact(
        "Box",
        tuple(out["abi"]),
        bytes.fromhex(out["bytecode"][2:]),
        bytes.fromhex(out["bytecode_runtime"][2:]),
    )
