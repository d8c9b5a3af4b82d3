"""Listed accounts: which ship, and how a user's own list is read."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import pyarrow.parquet as pq

from veridict.core.errors import BadStream


def normal(name: str) -> str:
    """Ethereum addresses in small letters, other names as they are."""
    return name.lower() if len(name) == 42 and name[:2] in ("0x", "0X") else name


@cache
def shipped_lists() -> dict[str, str]:
    """Address → its list: sanctions (OFAC), phishing and malicious contracts (Forta)."""
    with as_file(files(__package__) / "data" / "lists.parquet") as path:
        table = pq.read_table(path)
    names, lists = table["address"].to_pylist(), table["list"].to_pylist()
    return dict(zip(names, lists, strict=True))


def read_list(path: Path) -> dict[str, str]:
    """One name a line, `#` begins a comment; the list is called as the file. Raises BadStream."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise BadStream(
            f"{path.name} cannot be read: {problem}",
            remedy="pass a text file in UTF-8 with one name a line",
            file=path.name,
        ) from problem
    names = (line.partition("#")[0].strip() for line in lines)
    return {normal(name): path.stem for name in names if name}
