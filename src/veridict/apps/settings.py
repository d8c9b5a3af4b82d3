"""Configuration, read once at the edge into one frozen value.

VERIDICT_HOME           where a node keeps everything       ~/.veridict
VERIDICT_RPC            JSON-RPC URL of the chain           the embedded chain
VERIDICT_DATA           where large data sets lie           none
VERIDICT_OPERATOR_KEY   the operator's key (hex)            a key file in the home
VERIDICT_TOKEN          token for calls that change state   a token file in the home
VERIDICT_POLICY         the witnesses to ask, and quorum    policy.txt in the home, if there
VERIDICT_WITNESSES      more URLs of witnesses to ask       those of the policy
VERIDICT_CHAINS         file of more chains to anchor on    chains.toml in the home, if there
VERIDICT_STORE          database that several nodes share   the log's own file in the home
VERIDICT_VAULT          where the subjects' keys lie: a     vault/ in the home
                        folder, or a PostgreSQL database
VERIDICT_LOG_KEYS       ed25519, or ed25519+ml-dsa-44       ed25519
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from veridict.apps.chain_settings import ChainSetting, read_chains
from veridict.core.errors import BadInput, StorageFailed
from veridict.core.files import SECRET, create_file, must_be_private

TOKEN_FILE = "token"
ED25519, BOTH = "ed25519", "ed25519+ml-dsa-44"


@dataclass(frozen=True, slots=True)
class Settings:
    """`rpc` None means the embedded chain in `home`.

    `shared_vault` is the URL of the vault's database; this host's key to it lies in `vault`.
    """

    home: Path
    rpc: str | None = None
    data: Path | None = None
    token: str | None = field(default=None, repr=False)
    policy: Path | None = None
    witnesses: tuple[str, ...] = ()
    ml_dsa: bool = False
    chains: tuple[ChainSetting, ...] = ()
    store: str | None = field(default=None, repr=False)  # may hold a password
    keys: Path | None = None
    shared_vault: str | None = field(default=None, repr=False)  # may hold a password

    @classmethod
    def read(
        cls,
        environment: Mapping[str, str] = os.environ,
        *,
        home: Path | None = None,
        rpc: str | None = None,
        chains: Sequence[str] = (),
    ) -> Settings:
        """From `environment`, overruled by what was given on the command line."""
        data = environment.get("VERIDICT_DATA")
        policy = environment.get("VERIDICT_POLICY")
        urls = environment.get("VERIDICT_WITNESSES", "")
        keys = environment.get("VERIDICT_VAULT") or None
        shared = keys is not None and keys.startswith(("postgresql://", "postgres://"))
        place = (home or Path(environment.get("VERIDICT_HOME") or "~/.veridict")).expanduser()
        return cls(
            home=place,
            rpc=rpc or environment.get("VERIDICT_RPC") or None,
            data=Path(data).expanduser() if data else None,
            token=environment.get("VERIDICT_TOKEN") or None,
            policy=Path(policy).expanduser() if policy else None,
            witnesses=tuple(urls.replace(",", " ").split()),
            ml_dsa=_is_both(environment.get("VERIDICT_LOG_KEYS") or ED25519),
            chains=read_chains(environment, place, chains),
            store=environment.get("VERIDICT_STORE") or None,
            keys=Path(keys).expanduser() if keys and not shared else None,
            shared_vault=keys if shared else None,
        )

    @property
    def vault(self) -> Path:
        """The directory of the subjects' keys, which nodes of one machine may share.

        With a shared vault it holds this host's key to it.
        """
        return self.keys or self.home / "vault"

    def access_token(self) -> str:
        """The token, from the environment or from a file that only the owner can read."""
        if self.token:
            return self.token
        path = self.home / TOKEN_FILE
        try:
            if not path.exists():
                self.home.mkdir(parents=True, exist_ok=True)
                create_file(path, f"{secrets.token_urlsafe(24)}\n".encode(), mode=SECRET)
            must_be_private(path)
            token = path.read_text().strip()
        except OSError as problem:
            raise StorageFailed(
                f"cannot keep the access token in {path}: {problem.strerror}",
                remedy="mend the directory's permissions, or set VERIDICT_TOKEN",
            ) from problem
        return token


def _is_both(keys: str) -> bool:
    if keys not in (ED25519, BOTH):
        raise BadInput(
            f"VERIDICT_LOG_KEYS is {keys[:40]!r}",
            remedy=f"set it to {ED25519} or {BOTH}: a public log always signs with Ed25519",
        )
    return keys == BOTH
