"""Registry, judge and scorer in anvil, which runs them some fifty times as fast as Python does.

Their code is that of boa's deployment, and calls change nothing: every one brings the chunks
it is about as overridden code. What is called is called by ASKER, which tells of each of two
calls whether it succeeded, its answer and its gas; so a model is registered and judged in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import boa
from boa.util.abi import Address
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from tests.support import contracts
from veridict.chain.artifacts import Artifact
from veridict.chain.data_contract import data_contract_code
from veridict.chain.http import HttpRpc
from veridict.models.canonical import chunks

REGISTER = keccak(b"register(bytes32,address[],bytes32,uint256)")[:4]
SCORE_BY_ID = keccak(b"score(bytes32,bytes)")[:4]
SCORE = keccak(b"score(address[],bytes)")[:4]
REGISTRATION_GAS = 400_000  # of a model in one or two chunks
AT_ONCE = 200  # calls in a batch
_CALL = "(address,bytes,uint256)"

ASKER = """
struct Asked:
    to: address
    data: Bytes[16384]
    gas: uint256

struct Told:
    succeeded: bool
    answer: Bytes[32]
    used: uint256

@external
def ask(calls: DynArray[Asked, 2]) -> DynArray[Told, 2]:
    told: DynArray[Told, 2] = []
    for call: Asked in calls:
        before: uint256 = msg.gas
        succeeded: bool = False
        answer: Bytes[32] = b""
        succeeded, answer = raw_call(
            call.to, call.data, gas=call.gas, max_outsize=32, revert_on_failure=False
        )
        told.append(Told(succeeded=succeeded, answer=answer, used=before - msg.gas))
    return told
"""


class Asked(NamedTuple):
    """`gas`: what the call may take, and must not use up."""

    to: bytes
    data: bytes
    gas: int


class Question(NamedTuple):
    """Calls about a model in `parts`, one after the other, in the same state."""

    parts: Sequence[bytes]
    calls: Sequence[Asked]


class SwiftJudge:
    def __init__(self, url: str) -> None:
        """Raises RpcUnavailable; `close` it."""
        self._rpc = HttpRpc(url, timeout_s=60)
        self.scorer = bytes.fromhex(contracts.scorer()[2:])
        registry = Artifact.load("Registry").bytecode
        self.registry = bytes(boa.env.deploy_code(bytecode=registry)[0].canonical_address)
        nobody = bytes(20)
        parties = encode(["address"] * 4, [self.registry, nobody, nobody, self.scorer])
        judge = Artifact.load("Judge").bytecode + parties
        self.judge = bytes(boa.env.deploy_code(bytecode=judge)[0].canonical_address)
        hasher = boa.env.execute_code(
            _address(self.registry),
            data=keccak(b"hasher()")[:4],
        ).output[12:]
        asker = boa.loads(ASKER)
        self._asker = f"0x{bytes(asker.address.canonical_address).hex()}"
        for place in (self.scorer, self.registry, self.judge, hasher):
            self._put(place, boa.env.get_code(_address(place)))
        self._put(asker.address.canonical_address, boa.env.get_code(asker.address))
        self._method = keccak(f"ask({_CALL}[])".encode())[:4]

    def close(self) -> None:
        self._rpc.close()

    def ask(self, questions: Sequence[Question]) -> list[list[bytes | None]]:
        """Of every question the answers to its calls; None to one that was reverted."""
        told: list[list[bytes | None]] = []
        for first in range(0, len(questions), AT_ONCE):
            some = questions[first : first + AT_ONCE]
            results = self._rpc.batch([self._call(question) for question in some])
            told += [self._read(*pair) for pair in zip(some, results, strict=True)]
        return told

    def _put(self, address: bytes, code: bytes) -> None:
        self._rpc.call("anvil_setCode", [f"0x{bytes(address).hex()}", f"0x{code.hex()}"])

    def _call(self, question: Question) -> tuple[str, Sequence[Any]]:
        asked = self._method + encode([f"{_CALL}[]"], [question.calls])
        gas = 1_000_000 + 2 * sum(call.gas for call in question.calls)
        call = {"to": self._asker, "data": f"0x{asked.hex()}", "gas": hex(gas)}
        laid = {
            f"0x{address.hex()}": {"code": f"0x{data_contract_code(part).hex()}"}
            for address, part in zip(places(question.parts), question.parts, strict=True)
        }
        return "eth_call", [call, "latest", laid]

    @staticmethod
    def _read(question: Question, result: str) -> list[bytes | None]:
        (told,) = decode(["(bool,bytes,uint256)[]"], bytes.fromhex(result[2:]))
        for call, (_, _, used) in zip(question.calls, told, strict=True):
            assert used < call.gas, f"ran out of {call.gas} gas"
        return [answer if succeeded else None for succeeded, answer, _ in told]

    def scoring(self, data: bytes, inputs: bytes, gas: int) -> Question:
        """As the judge asks the scorer."""
        parts = chunks(data)
        asked = SCORE + encode(["address[]", "bytes"], [places(parts), inputs])
        return Question(parts, [Asked(self.scorer, asked, gas)])

    def judging(
        self, data: bytes, parts: Sequence[bytes], n_features: int, inputs: bytes, gas: int
    ) -> Question:
        """Registers the model, and has the judge run it."""
        model_id = sha256(data).digest()
        types = ["bytes32", "address[]", "bytes32", "uint256"]
        entry = encode(types, [model_id, places(parts), contracts.CARD, n_features])
        judged = encode(["bytes32", "bytes"], [model_id, inputs])
        return Question(
            parts,
            [
                Asked(self.registry, REGISTER + entry, REGISTRATION_GAS),
                Asked(self.judge, SCORE_BY_ID + judged, gas + 100_000),
            ],
        )


def places(parts: Sequence[bytes]) -> list[bytes]:
    """Addresses of these chunks."""
    return [b"\x22" * 19 + bytes([number]) for number in range(len(parts))]


def _address(place: bytes) -> Any:
    return Address(f"0x{place.hex()}")
