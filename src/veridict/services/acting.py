"""What a person does: decide a case, have a subject forgotten. Who it was stays sealed.

A decision moves the tokens that a guard holds; an erasure waits until there are none to move.
"""

from __future__ import annotations

from typing import Literal

from veridict.chain.client import Client
from veridict.chain.contract import Contract
from veridict.core.errors import Refused
from veridict.services.cases.desk import case_of, need_open, need_unseen, subject_of
from veridict.services.erasing import Erased, Eraser
from veridict.services.node import Node
from veridict.services.records import ActRecord, Ground, is_prediction
from veridict.services.sayings import Words, said, saying

Act = Literal["release", "confirm"]
UNDECIDED = frozenset({"open", "review", "held"})  # payments that wait in the guard


def act(
    node: Node, index: int, act: Act, *, by: str, note: str, seen: int | None = None
) -> tuple[int, ActRecord]:
    """Release or confirm case `index`; where tokens are held, the guard follows.

    `seen` is the last record about it that was looked at: see `cases.desk`. Raises NotFound where
    `index` is no case, Refused where it was decided, or moved on since.
    """
    with node.lock:
        case = case_of(node, index)
        need_open(node, case)
        need_unseen(node, case, seen)
        payment = node.payment_of(index)
        tx_hash = _move_tokens(node, payment, act)
        now_ms = node.parts.clock()
        payload = saying(
            Words(by, note),
            name=f"act on record {index}",
            subject=subject_of(node, index),
            time_ms=now_ms,
        )
        record = ActRecord(act, index, said(payload), payment, tx_hash, now_ms)
        return node.append(record, payload), record


def erase(node: Node, subject: str, *, ground: Ground, by: str, note: str = "") -> list[Erased]:
    """Forget `subject`: see `services.erasing`, whose errors are raised.

    Raises Refused while a payment of theirs waits in the guard.
    """
    parts, board = node.parts, node.board
    with node.lock:
        _check_payments(node, subject)
        eraser = Eraser(node.log, parts.vault, parts.clock, node.append, board.erasures)
        return eraser.erase(subject, ground, by, note)


def _check_payments(node: Node, subject: str) -> None:
    slot = node.parts.vault.slot(subject)
    if node.guard is None or slot is None:
        return
    for index in node.log.sealed_under(slot):
        payment = node.payment_of(index) if is_prediction(node.log.body(index)) else None
        if payment is not None and node.payment_state(payment) in UNDECIDED:
            raise Refused(
                f"payment {payment} of this subject waits in the guard for a decision",
                remedy=f"settle it or decide case {index}: the guard needs what would be erased",
                reason="undecided payment",
                index=index,
            )


def _move_tokens(node: Node, payment_id: int | None, act: Act) -> str | None:
    if payment_id is None or node.guard is None:
        return None
    done = "released" if act == "release" else "refused"
    if node.payment_state(payment_id) == done:
        return None  # done on chain before, by a process that died before it could log it
    human = Client(node.network.client.rpc, node.parts.keyring.account("human"))
    guard = Contract(human, node.guard.artifact, node.guard.address)
    return guard.send("release" if act == "release" else "refuse", payment_id).hash
