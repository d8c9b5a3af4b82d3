"""The places of a log as people see them, from what was seen last: no chain is asked."""

from __future__ import annotations

from veridict.services.anchoring.fleet import Berth, Fleet
from veridict.services.views import PlaceView


def place_views(fleet: Fleet) -> list[PlaceView]:
    """The home chain first."""
    return [_view(berth) for berth in fleet.berths]


def _view(berth: Berth) -> PlaceView:
    poster, problem = berth.poster, berth.problem
    code, message = (problem.code, problem.message) if problem else ("", "")
    if poster is None:
        return PlaceView(berth.name, "not reached yet", problem=code, message=message)
    place, books, verdict = poster.place, poster.books, poster.verdict
    accepted = verdict.accepted_wei if verdict else None
    return PlaceView(
        name=berth.name,
        standing=berth.standing.value,
        chain_id=place.chain_id,
        contract=place.contract.address,
        operator=place.operator,
        anchored=poster.covered,
        final=poster.final,
        waiting=poster.waiting,
        waited_s=round(poster.waited_s, 1),
        deadline_s=poster.plan.deadline_s,
        fee_wei=str(poster.fee.next_wei) if poster.fee else "",
        accepted_wei="" if accepted is None else str(accepted),
        sent=poster.sent.hash if poster.sent else "",
        posted=books.posted,
        gas=books.gas,
        spent_wei=books.spent,
        at_once_wei=books.at_once,
        saved_wei=str(books.saved_wei),
        problem=code,
        message=message,
    )
