"""A process whose files may not grow: appends until the disk is full, is given room, goes on.

    python log_full_child.py DIRECTORY

Prints JSON: records acknowledged before, failures seen, records in the end, findings.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from tests.support.ledger import make_entry, make_signer, make_vault
from veridict.core.errors import StorageFailed
from veridict.ledger.log import Log
from veridict.ledger.verify import check_log

LIMIT_BYTES = 1_000_000


def limit(soft: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def main() -> None:
    acknowledged = 0
    failures: list[tuple[str, str]] = []
    with Log.open(
        Path(sys.argv[1]), signer=make_signer(), vault=make_vault(Path(sys.argv[1]))
    ) as log:
        limit(LIMIT_BYTES)
        while len(failures) < 3:
            batch = [make_entry(f"{acknowledged + i}") for i in range(200)]
            try:
                acknowledged += log.append(batch).count
            except StorageFailed as error:
                failures.append((error.message, error.remedy))
            assert log.size == acknowledged, "memory ran ahead of the disk"
        limit(resource.RLIM_INFINITY)
        log.append([make_entry(str(acknowledged))])
        bodies_kept = all(b == make_entry(str(i)).body for i, b in enumerate(log.bodies()))
        report = {
            "acknowledged": acknowledged,
            "failures": failures,
            "size": log.size,
            "kept": bodies_kept,
            "findings": [f.sentence() for f in check_log(log)],
        }
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    main()
