"""Workers by what people write on a command line: which broker, which name, who judges."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from veridict.apps.settings import Settings
from veridict.core.errors import BadInput, MissingPart
from veridict.core.files import create_file
from veridict.services.feeding.means import means_of
from veridict.services.node import Node
from veridict.services.workers.partition import Desk
from veridict.watch.broker.base import Broker
from veridict.watch.detectors.base import Detector
from veridict.watch.feeds.assets import Assets
from veridict.watch.scenario import Scenario

NAME_FILE = "worker"


def broker_at(
    url: str, stream: str, *, partitions: int = 16, replicas: int = 1, lease_s: float = 5.0
) -> Broker:
    """Raises MissingPart, PeerUnavailable, BadInput."""
    if not url.startswith(("nats://", "tls://")):
        raise BadInput(f"{url!r} is no broker", remedy="write nats://host:4222")
    try:
        from veridict.watch.broker.nats import NatsBroker
    except ImportError as error:
        raise MissingPart(
            "workers on NATS need nats-py", remedy="pip install 'veridict[nats]'"
        ) from error
    return NatsBroker(url, stream, partitions=partitions, lease_s=lease_s, replicas=replicas)


def desk_of(
    node: Node,
    settings: Settings,
    scenario: Scenario[Any],
    broker: Broker,
    *,
    detectors: Callable[[], Sequence[Detector]],
    assets: Assets,
) -> Desk:
    """For the model at work on `node`. Raises NotFound without one, BadInput for another's."""
    from veridict.watch.lists import shipped_lists

    names = node.feature_names(node.at_work().model.id)
    labelled = shipped_lists() if detectors() else ()
    delay_s = scenario.label_delay_s
    make = means_of(names, detectors, label_delay_s=delay_s, labelled=labelled)
    return Desk(node, broker, worker_name(settings), assets, make)


def worker_name(settings: Settings) -> str:
    """Of this home, for ever: its claims are found again by it."""
    path = settings.home / NAME_FILE
    create_file(path, f"{secrets.token_hex(6)}\n".encode())
    return path.read_text().strip()
