"""Data contracts: bytes stored as a contract's code, where reading them is cheap.

    code = READER (11 bytes) ‖ data

Called with anything, the code answers with `data`; nothing behind READER is
ever executed, there is no storage and no self-destruct, so what a data
contract once answered it answers for ever. A contract that wants to be sure
compares: `keccak256(READER ‖ answer) == address.codehash`. A contract that
needs only a part copies it from the code, `slice(address.code, 11 + i, n)`.
"""

from __future__ import annotations

from veridict.core.errors import BadInput, EvidenceError

# contracts/lib/data_contract.vy, PREFIX:
# PUSH1 11  CODESIZE SUB  DUP1  PUSH1 11  PUSH0  CODECOPY  PUSH0  RETURN
#   n = codesize - 11;  memory[0:n] = code[11:11+n];  return memory[0:n]
READER = bytes.fromhex("600b380380600b5f395ff3")
MAX_CODE_BYTES = 24_576  # EIP-170
MAX_DATA_BYTES = MAX_CODE_BYTES - len(READER)


def data_contract_code(data: bytes) -> bytes:
    """The deployed code of the data contract that holds `data`.

    Raises BadInput where `data` is empty or longer than MAX_DATA_BYTES.
    """
    if not 0 < len(data) <= MAX_DATA_BYTES:
        raise BadInput(
            f"a data contract holds 1 to {MAX_DATA_BYTES} bytes, not {len(data)}",
            remedy="cut the data into chunks (models: CanonicalModel.chunks)",
        )
    return READER + data


def data_contract_initcode(data: bytes) -> bytes:
    """Init code that deploys `data_contract_code(data)`. Raises BadInput as that does."""
    code = data_contract_code(data)
    # PUSH2 len  DUP1  PUSH1 10  RETURNDATASIZE(=0)  CODECOPY  RETURNDATASIZE(=0)  RETURN
    return bytes.fromhex(f"61{len(code):04x}80600a3d393df3") + code


def data_of(code: bytes) -> bytes:
    """The data held by a data contract's code. Raises EvidenceError where it is none."""
    if not code.startswith(READER) or len(code) == len(READER):
        raise EvidenceError(
            f"{len(code)} bytes of code are no data contract",
            remedy="do not trust a registry that points there",
        )
    return code[len(READER) :]
