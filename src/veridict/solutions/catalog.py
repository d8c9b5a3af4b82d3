"""The scenarios by name: the one place that knows them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from veridict.core.errors import BadInput, NotFound
from veridict.solutions.finance.credit import Credit
from veridict.solutions.finance.payments import Payments, fdh_root
from veridict.watch.mapping import parse_mapping
from veridict.watch.scenario import Scenario

SCENARIOS = ("payments", "credit")


def open_scenario(
    name: str = "payments",
    *,
    data: str | None = None,
    stream: Path | None = None,
    mapping: str = "",
    data_root: Path | None = None,
) -> Scenario[Any]:
    """The scenario `name` over its shipped data, the set `data`, or the file `stream`.

    `mapping` is "id=tx_id,time=ts,…" for `stream`; `data_root` where the large sets are.
    Raises NotFound for an unknown name or absent data, BadInput where options conflict.
    """
    if name not in SCENARIOS:
        raise NotFound(
            f"there is no scenario {name!r}", remedy=f"choose one of {', '.join(SCENARIOS)}"
        )
    if stream is not None and data is not None:
        raise BadInput("both a file and a data set are named", remedy="name one of them")
    if mapping and stream is None:
        raise BadInput("a column mapping without a file", remedy="pass the file with --stream")
    if name == "credit":
        if stream is not None or data not in (None, "uci"):
            raise BadInput("credit has its own data only", remedy="leave --stream and --data out")
        return Credit()
    if stream is not None:
        return Payments.file(stream, parse_mapping(mapping))
    if data in (None, "amlsim"):
        return Payments.amlsim()
    if data == "fdh":
        return Payments.fdh(fdh_root(data_root))
    raise NotFound(f"there is no data set {data!r}", remedy="choose amlsim or fdh")
