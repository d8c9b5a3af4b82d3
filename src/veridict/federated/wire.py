"""An update as bytes: what is hashed for the commitment, sent to the others, read by a contract.

    weight u32 │ values i32, big-endian

Its norm bound keeps every value within 32 bits, so that nothing is lost on the wire.
"""

from __future__ import annotations

import numpy as np

from veridict.core.errors import BadInput
from veridict.federated.fixed import LENGTH_MAX, Update


def encode_update(update: Update) -> bytes:
    return update.weight.to_bytes(4, "big") + update.values.astype(">i4").tobytes()


def decode_update(data: bytes, length: int) -> Update:
    """Raises BadInput for another length, a weight out of range, a norm above the bound."""
    if len(data) != 4 + 4 * length or length > LENGTH_MAX:
        raise BadInput(
            f"{len(data)} bytes are no update of {length} values",
            remedy="send weight and values as the federation's model asks for them",
        )
    values = np.frombuffer(data, ">i4", offset=4).astype(np.int64)
    return Update(values, int.from_bytes(data[:4], "big"))
