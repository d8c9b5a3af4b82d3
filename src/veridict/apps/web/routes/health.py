"""GET /health for supervisors, GET /metrics in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from veridict import __version__
from veridict.apps.web.deps import NodeDep
from veridict.apps.web.replies import json_reply
from veridict.services.views import EnergyView, StatusView

router = APIRouter()


@router.get("/health")
def health() -> Response:
    """Answers while the process serves; says nothing of the chain."""
    return json_reply({"status": "ok", "version": __version__})


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(node: NodeDep) -> Response:
    status = node.status()
    energy = _energy(status.energy) if status.energy is not None else ()
    return PlainTextResponse("".join((*_lines(status), *energy)))


def _lines(status: StatusView) -> Iterator[str]:
    log = status.log
    yield "# TYPE veridict_predictions_total counter\n"
    for decision, count in sorted(status.counts.items()):
        yield f'veridict_predictions_total{{decision="{_label(decision)}"}} {count}\n'
    yield "# TYPE veridict_log_records gauge\n"
    for state in ("size", "checkpointed", "anchored", "final"):
        yield f'veridict_log_records{{state="{state}"}} {getattr(log, state)}\n'
    if log.witnessed is not None:
        yield f'veridict_log_records{{state="witnessed"}} {log.witnessed}\n'
    for name, value in (
        ("open_cases", status.open_cases),
        ("predictions_per_second", status.rate_per_s),
        ("chain_block_number", status.chain.block_number),
    ):
        yield f"# TYPE veridict_{name} gauge\nveridict_{name} {value}\n"


def _energy(energy: EnergyView) -> Iterator[str]:
    """`source` says whether joules are measured or estimated."""
    for name, field in (
        ("energy_joules", "joules"), ("activity_cpu_seconds", "cpu_s"), ("activities", "count")
    ):  # fmt: skip
        yield f"# TYPE veridict_{name}_total counter\n"
        for each in energy.activities:
            labels = f'activity="{_label(each.activity)}",source="{_label(energy.source)}"'
            yield f"veridict_{name}_total{{{labels}}} {getattr(each, field)}\n"


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
