"""The scenarios by name: the one place that knows them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from veridict.core.errors import BadInput
from veridict.solutions.finance.credit import Credit
from veridict.solutions.finance.payments import Payments, fdh_root
from veridict.watch.scenario import Scenario

SCENARIOS = ("payments", "credit")
DATA = ("amlsim", "fdh", "uci")


def scenario_of(
    name: str,
    *,
    data: str | None = None,
    stream: Path | None = None,
    mapping: tuple[tuple[str, str], ...] = (),
    data_root: Path | None = None,
) -> Scenario[Any]:
    """The scenario `name` over its own data, other data by name, or a file of the user's.

    Raises BadInput for a combination that does not exist, NotFound for absent data.
    """
    if mapping and stream is None:
        raise BadInput(
            "a column mapping without a file", remedy="name the file it is for: --stream FILE"
        )
    match name, data, stream:
        case "payments", None, Path():
            return Payments.file(stream, mapping)
        case "payments", None | "amlsim", None:
            return Payments.amlsim()
        case "payments", "fdh", None:
            return Payments.fdh(fdh_root(data_root))
        case "credit", None | "uci", None:
            return Credit()
        case _:
            raise BadInput(
                f"scenario {name!r} does not run on data {data or stream!r}",
                remedy="payments: amlsim, fdh or --stream FILE; credit: uci",
                scenario=name,
                data=data,
            )
