"""Payloads as bytes: fixed header, then the lengths' fields back to back.

version u8 │ id u16 │ subject u16 │ content u32 │ inputs u32 │ time_s i64 │ 2 salts × 32B
id, subject (UTF-8), content, inputs
"""

from __future__ import annotations

import struct

from veridict.core.codec import SALT_BYTES
from veridict.core.errors import BadInput, EvidenceError
from veridict.core.nouns import Payload, Request

_HEADER = struct.Struct(f">BHHIIq{SALT_BYTES}s{SALT_BYTES}s")
_VERSION = 1


def encode_payload(payload: Payload) -> bytes:
    """Raises BadInput where a field is too long or no valid text."""
    request = payload.request
    try:
        name, subject = request.id.encode(), request.subject.encode()
        header = _HEADER.pack(
            _VERSION, len(name), len(subject), len(request.content), len(payload.inputs),
            request.time_s, payload.request_salt, payload.inputs_salt,
        )  # fmt: skip
    except (struct.error, UnicodeEncodeError) as error:
        raise BadInput(
            f"the payload cannot be stored: {error}",
            remedy="keep id and subject under 64 kB of valid text and times in whole seconds",
        ) from error
    return b"".join((header, name, subject, request.content, payload.inputs))


def decode_payload(data: bytes) -> Payload:
    """Raises EvidenceError unless `data` is exactly one payload.

    "payload.sealed" for b"", which stands for a box that could not be opened, else
    "payload.malformed".
    """
    if not data:
        raise EvidenceError(
            "a payload cannot be opened: its key is not in this vault, or it was altered",
            remedy="open the log with the vault that sealed it, or put back its backup",
            finding="payload.sealed",
        )
    try:
        version, n_id, n_subject, n_content, n_inputs, time_s, request_salt, inputs_salt = (
            _HEADER.unpack_from(data)
        )
        a = _HEADER.size + n_id
        b, c = a + n_subject, a + n_subject + n_content
        if version != _VERSION or len(data) != c + n_inputs:
            raise ValueError("its length or version is wrong")
        name, subject = data[_HEADER.size : a].decode(), data[a:b].decode()
    except (struct.error, ValueError) as error:
        raise EvidenceError(
            "a stored payload is damaged",
            remedy="its record still proves what was decided; the payload cannot be recovered",
            finding="payload.malformed",
        ) from error
    return Payload(Request(name, subject, time_s, data[b:c]), request_salt, data[c:], inputs_salt)


def inputs_of(data: bytes) -> bytes:
    """The inputs' bytes without decoding the rest, unchecked: they stand last."""
    length = int.from_bytes(data[9:13], "big")
    return data[len(data) - length :]
