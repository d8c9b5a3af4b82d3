"""The places of a log as people see them, from what was seen last: no chain is asked."""

from __future__ import annotations

from collections.abc import Mapping

from veridict.core.nouns import RecordState
from veridict.ledger.view import LogView
from veridict.services.anchoring.fleet import Berth, Fleet
from veridict.services.anchoring.places import remembered
from veridict.services.views import PlaceView

NEVER_REACHED = NO_BLOCK = -1


def place_views(fleet: Fleet) -> list[PlaceView]:
    """The home chain first."""
    return [_view(berth) for berth in fleet.berths]


def chain_states(
    fleet: Fleet, log: LogView, index: int, finals: Mapping[int, int]
) -> dict[str, RecordState]:
    """How far record `index` has come on each chain, by its name; `finals` are the final blocks."""
    before, blocks = log.signed_state(index), log.covered(index)
    ids = {known.name: known.chain_id for known in remembered(log)}
    ids |= {poster.place.name: poster.place.chain_id for poster in fleet.posters()}
    found = {}
    for name in (berth.name for berth in fleet.berths):
        chain_id = ids.get(name, NEVER_REACHED)
        block = blocks.get(chain_id)
        is_final = block is not None and block <= finals.get(chain_id, NO_BLOCK)
        anchored = RecordState.FINAL if is_final else RecordState.ANCHORED
        found[name] = before if block is None else anchored
    return found


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
