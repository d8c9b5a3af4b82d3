"""Asking a node that runs in another process, over its own API."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from veridict.apps.running import Running
from veridict.apps.settings import Settings
from veridict.core.errors import Refused, RpcUnavailable
from veridict.services.records import Ground
from veridict.services.views import ErasedView, ModelView, PredictionRow
from veridict.watch.feature_rows import FeatureRows

TIMEOUT_S = 30.0
ERASE_TIMEOUT_S = 600.0  # the whole payload store is looked through


def predict_there(running: Running, settings: Settings, table: FeatureRows) -> list[PredictionRow]:
    """`POST /api/predictions` of the running node. Raises Refused with the node's own words."""
    headers = {"Authorization": f"Bearer {settings.access_token()}"}
    with httpx.Client(
        base_url=running.web, headers=headers, timeout=TIMEOUT_S, trust_env=False
    ) as client:
        model = msgspec.json.decode(answer_of(client.get("api/model")), type=ModelView | None)
        features: Any = model.card["features"] if model else ()
        body = {"ids": table.ids, "rows": table.ordered(tuple(features))}
        answer = client.post("api/predictions", content=msgspec.json.encode(body))
        return msgspec.json.decode(answer_of(answer), type=list[PredictionRow])


def erase_there(
    running: Running, settings: Settings, subject: str, *, ground: Ground, by: str, note: str
) -> list[ErasedView]:
    """`POST /api/erasures` of the running node. Raises Refused with the node's own words."""
    headers = {"Authorization": f"Bearer {settings.access_token()}"}
    body = {"subject": subject, "ground": ground, "by": by, "note": note}
    with httpx.Client(
        base_url=running.web, headers=headers, timeout=ERASE_TIMEOUT_S, trust_env=False
    ) as client:
        answer = client.post("api/erasures", content=msgspec.json.encode(body))
        return msgspec.json.decode(answer_of(answer), type=list[ErasedView])


def answer_of(response: httpx.Response) -> bytes:
    if response.is_success:
        return response.content
    try:
        told = response.json()
        message, remedy = str(told["message"]), str(told["remedy"])
    except (ValueError, KeyError, TypeError) as problem:
        raise RpcUnavailable(
            f"the running node answers with status {response.status_code}",
            remedy="look at its terminal, or stop it and run this again",
        ) from problem
    raise Refused(f"the running node refused: {message}", remedy=remedy, reason=message)
