"""The scenarios by name: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from veridict.core.errors import BadInput
from veridict.core.nouns import Request
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
    croissant: bytes | None = None,
) -> Scenario[Any]:
    """The scenario `name` over its own data, other data by name, or a file of the user's.

    Raises BadInput for a combination that does not exist, NotFound for absent data.
    """
    if (mapping or croissant) and stream is None:
        raise BadInput(
            "a column mapping or description without a file",
            remedy="name the file it is for: --stream FILE",
        )
    match name, data, stream:
        case "payments", None, Path():
            return Payments.file(stream, mapping, croissant)
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


def grouping_of_data(title: str) -> Callable[[Request], tuple[str, ...]]:
    """How requests of the scenario whose card names the data `title` are grouped; needs no data.

    What is returned raises BadInput for a request of another shape.
    """
    scenario: Scenario[Any] = Credit() if title == "uci" else Payments.amlsim()
    return lambda request: scenario.groups(scenario.shape.fields(request))


def scenario_of_data(
    title: str,
    *,
    stream: Path | None = None,
    mapping: tuple[tuple[str, str], ...] = (),
    data_root: Path | None = None,
    croissant: bytes | None = None,
) -> Scenario[Any]:
    """The scenario whose card names the data `title`; a file of the user's must be given.

    Raises BadInput where `title` is a file's name and there is no `stream`.
    """
    if stream is not None:
        return scenario_of("payments", stream=stream, mapping=mapping, croissant=croissant)
    if title not in DATA:
        raise BadInput(
            f"the model was trained on {title!r}, which is not here",
            remedy="name the file with --stream FILE, and its columns with --map",
            data=title,
        )
    name = "credit" if title == "uci" else "payments"
    return scenario_of(name, data=title, data_root=data_root)
