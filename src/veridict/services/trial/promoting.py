"""A challenger is promoted by a release on chain: registered, proposed, waited for, put to work.

Until the delay is over the model at work stays, and the line's guardian may strike the proposal.
Each call does the next step that is due, so a process that died in between is no matter.
"""

from __future__ import annotations

from veridict.core.errors import NotFound
from veridict.services import releasing
from veridict.services.node import Node
from veridict.services.registering import put_on_chain
from veridict.services.releasing import Line, Standing
from veridict.services.trial import challenger


def promote(node: Node, line: Line) -> Standing:
    """The next step for the node's challenger on `line`. Raises NotFound, Refused."""
    card = challenger.card_of(node)
    model_id = bytes.fromhex(card.model_id)
    model = node.model(model_id)
    if model is None:
        raise NotFound(
            "the challenger's bytes are not on this node's shelf",
            remedy="begin again with its .vdm file",
            model_id=card.model_id,
        )
    put_on_chain(model.model, card, node.network)
    found = releasing.advance(line, model_id, now_s=node.parts.clock() // 1000)
    if found.state == "active":
        node.register(model, card)  # on chain already: it is logged, and put to work
        challenger.promoted(node, card)
    return found
