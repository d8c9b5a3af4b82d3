"""What a route is given: the node of the application it belongs to."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request

from veridict.apps.web.face import NodeFace

MAX_ROWS = 500
_MAX_INDEX = 2**63 - 1


def current_node(request: Request) -> NodeFace:
    return cast(NodeFace, request.app.state.node)


NodeDep = Annotated[NodeFace, Depends(current_node)]
Index = Annotated[int, Path(ge=0, le=_MAX_INDEX, description="index of the record in the log")]
Before = Annotated[int | None, Query(ge=0, le=_MAX_INDEX, description="only rows below this index")]
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS)]
