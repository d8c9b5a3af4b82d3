"""A process that takes statements over HTTP until it is killed.

    python ingest_child.py DIRECTORY TOKEN

Its first line is the URL.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Event

from tests.support.ledger import make_signer, make_vault
from tests.support.small_node import SmallNode
from veridict.apps.web.app import create_app
from veridict.apps.web.server import WebServer
from veridict.core.clock import wall_clock_ms
from veridict.ledger.log import Log
from veridict.services.ingest import Ingest


def main() -> None:
    directory, token = Path(sys.argv[1]), sys.argv[2]
    log = Log.open(directory, signer=make_signer(), vault=make_vault(directory))
    app = create_app(SmallNode(), token=token, ingest=Ingest(log, wall_clock_ms))
    with WebServer(app) as server:
        os.write(1, f"{server.url}\n".encode())
        Event().wait()


if __name__ == "__main__":
    main()
