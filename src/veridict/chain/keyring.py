"""The accounts a node acts as, one a role, kept in one file that only its owner can read.

`VERIDICT_OPERATOR_KEY` (hex) takes the place of the file's operator key, for
keys that must not touch the disk. Keys never appear in logs or in a repr.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from eth_account import Account
from eth_account.signers.base import BaseAccount
from eth_account.signers.local import LocalAccount

from veridict.core.errors import BadInput, StorageFailed
from veridict.core.files import SECRET, must_be_private, replace_file

AnyAccount = BaseAccount  # a local key, or a signer that holds it elsewhere
OPERATOR_ENV = "VERIDICT_OPERATOR_KEY"


class Keyring:
    """Accounts by role; a role asked for the first time gets a fresh key."""

    def __init__(self, path: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._path = path
        self._keys: dict[str, str] = _read(path)
        self._operator: LocalAccount | None = None
        if OPERATOR_ENV in environment:
            self._operator = account_of(environment[OPERATOR_ENV], OPERATOR_ENV)

    def __repr__(self) -> str:
        return f"Keyring({sorted(self._keys)})"

    def account(self, role: str) -> LocalAccount:
        """Raises StorageFailed where a fresh key cannot be written."""
        if role == "operator" and self._operator is not None:
            return self._operator
        if role not in self._keys:
            self._keys[role] = secrets.token_hex(32)
            _write(self._path, self._keys)
        return account_of(self._keys[role], f"role {role} in {self._path.name}")


def account_of(key: str, where: str) -> LocalAccount:
    """The account of a key in hex, found `where`. Raises BadInput, which does not show it."""
    try:
        digits = key.strip().removeprefix("0x")
        if len(digits) != 64:  # a shorter one would be padded into somebody else's
            raise ValueError("not 32 bytes")
        account: LocalAccount = Account.from_key(digits)
    except Exception as problem:  # eth-keys raises several kinds; none may show the key
        raise BadInput(
            f"{where} holds no secp256k1 private key",
            remedy="put 64 hex digits there",
        ) from problem.with_traceback(None)
    return account


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        must_be_private(path)
        keys = json.loads(path.read_text())
        if not isinstance(keys, dict) or not all(isinstance(k, str) for k in keys.values()):
            raise ValueError("not an object of hex keys")
    except (OSError, ValueError) as problem:
        raise StorageFailed(
            f"cannot read the key file {path}",
            remedy="restore it from a backup, or mend its permissions",
        ) from problem
    return keys


def _write(path: Path, keys: Mapping[str, str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(path, json.dumps(dict(keys)).encode(), mode=SECRET)
    except OSError as problem:
        raise StorageFailed(
            f"cannot write the key file {path}: {problem.strerror}",
            remedy="free space or mend the directory's permissions, then run again",
        ) from problem
