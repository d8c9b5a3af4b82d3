"""The chains on which a node anchors besides its home chain, as they are set.

home/chains.toml, or the file in VERIDICT_CHAINS        --chain NAME=URL

[chain.sepolia]
rpc = "https://…"          # JSON-RPC of the chain
deadline_s = 3600          # how long a record waits for its anchor at the most
chain_id = 11155111        # refuse any other chain behind the URL
contract = "0x…"           # an Anchor contract that stands there; else one is deployed
confirmations = 64         # where the node does not tell what is final
key_env = "SEPOLIA_KEY"    # the variable with the account's key; else one in accounts.json
models = "fees/sepolia"    # models of `veridict network learn`: anchors wait by forecast
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from veridict.core.errors import BadInput, StorageFailed

HOME = "home"  # the name of the home chain
CONFIRMATIONS = 64
FILE = "chains.toml"
DEADLINE_S = 3600.0
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    rpc: str
    deadline_s: float = DEADLINE_S
    chain_id: int | None = None
    contract: str | None = None
    confirmations: int = CONFIRMATIONS
    key_env: str | None = None
    models: str | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    chain: dict[str, _Table] = {}


class ChainSetting(_Table, frozen=True, kw_only=True):
    """One chain besides the home chain; see the module for what each means."""

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name == HOME:
            raise BadInput(
                f"{self.name[:40]!r} cannot name a chain",
                remedy=f"use small letters, digits and dashes, and not {HOME!r}",
            )
        if not (self.deadline_s > 0 and self.confirmations >= 0):
            raise BadInput(
                f"chain {self.name} has a deadline of {self.deadline_s:g} s "
                f"and {self.confirmations} confirmations",
                remedy="give a deadline above 0 s, and 0 or more confirmations",
            )


def read_chains(
    environment: Mapping[str, str], home: Path, given: Sequence[str] = ()
) -> tuple[ChainSetting, ...]:
    """Those of the file, and those given as NAME=URL, which take the file's other settings.

    Raises BadInput, StorageFailed.
    """
    named = environment.get("VERIDICT_CHAINS")
    path = Path(named).expanduser() if named else home / FILE
    chains = _parse(path) if named or path.exists() else {}
    for option in given:
        name, equals, url = option.partition("=")
        if not equals or not url:
            raise BadInput(
                f"--chain {option[:60]!r} is no NAME=URL",
                remedy="pass, say, --chain sepolia=https://…",
            )
        known = chains.get(name)
        chains[name] = msgspec.structs.replace(known, rpc=url) if known else _Table(rpc=url)
    return tuple(
        ChainSetting(name=name, **msgspec.structs.asdict(chain)) for name, chain in chains.items()
    )


def _parse(path: Path) -> dict[str, _Table]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        return dict(msgspec.convert(document, _File).chain)
    except OSError as error:
        raise StorageFailed(
            f"the chains in {path} cannot be read: {error.strerror}",
            remedy="see that the file is there, or unset VERIDICT_CHAINS",
            path=str(path),
        ) from error
    except ValueError as error:  # of TOML, of UTF-8, of msgspec
        raise BadInput(
            f"{path} does not say what chains to anchor on: {error}",
            remedy='write tables [chain.NAME] with rpc = "URL"; see the how-to page',
            path=str(path),
        ) from error
