"""Looks for what must be gone: in every file of a directory, in every form it may be written in."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from pathlib import Path


def forms(secret: bytes) -> set[bytes]:
    """`secret` as it is, in hex, and in base64 at each of the three places it may begin."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            whole = encode(bytes(before) + secret)
            first = -(-before * 8 // 6)  # characters that `before` has a part in
            last = (before + len(secret)) * 8 // 6
            found.add(whole[first:last])
    return found


def traces(directory: Path, secrets: Iterable[bytes]) -> list[str]:
    """`file: secret` of all that is found. A short secret would be found by chance."""
    wanted = {secret: forms(secret) for secret in secrets}
    assert wanted, "nothing to look for"
    assert all(len(secret) >= 8 for secret in wanted), "too short to mean anything"
    files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    assert files, "nowhere to look"
    return [
        f"{path.relative_to(directory)}: {secret!r}"
        for path in files
        for secret, written in wanted.items()
        if any(form in path.read_bytes() for form in written)
    ]
