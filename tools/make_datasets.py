"""Build the data sets that ship with the package from the originals.

    VERIDICT_DATA=<folder> python tools/make_datasets.py

The output is the same bytes for the same pyarrow version; tests compare rows, not bytes.
"""

from __future__ import annotations

import json
import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

OUT = Path(__file__).parent.parent / "src/veridict/solutions/finance/data"
DAY_S = 86_400
SHORT = 320  # characters of a description that stand on one line
AMLSIM_DAY_0_S = 1_704_067_200 - DAY_S  # the simulator's step 1 becomes 2024-01-01
UCI_START_S = 1_127_779_200  # 2005-09-27; the data are of September 2005, days unknown


def amlsim(data: Path) -> pa.Table:
    """Transfers with whole days as time; illicit where both ends are fraud nodes."""
    transfers = pq.read_table(data / "payments/amlsim_fanin_cycle_tx.parquet")
    nodes = pq.read_table(data / "payments/amlsim_fanin_cycle_nodes.parquet")
    fraud = nodes.filter(pc.equal(nodes["isFraud"], 1))["nodeid"]
    ends = [pc.is_in(transfers[c], fraud) for c in ("sourceNodeId", "targetNodeId")]
    cents = pc.cast(pc.round(pc.multiply(transfers["value"], 100.0)), pa.int64())
    return pa.table(
        {
            "id": [f"t{i:06d}" for i in range(transfers.num_rows)],
            "time_s": pc.add(pc.multiply(transfers["time"], DAY_S), AMLSIM_DAY_0_S),
            "payer": pc.binary_join_element_wise("a", _text(transfers["sourceNodeId"]), ""),
            "payee": pc.binary_join_element_wise("a", _text(transfers["targetNodeId"]), ""),
            "amount_minor": cents,
            "label": pc.cast(pc.and_(*ends), pa.int8()),
        }
    )


def uci_credit(data: Path) -> pa.Table:
    """File order as the order of arrival, one application a minute: the file has no dates."""
    rows = pq.read_table(data / "credit/uci_credit_default.parquet")
    names = {
        "LIMIT_BAL": "limit", "SEX": "sex", "EDUCATION": "education", "MARRIAGE": "marriage",
        "AGE": "age",
    }  # fmt: skip
    names |= {f"PAY_{n}": f"status_{k}" for k, n in enumerate((0, 2, 3, 4, 5, 6), start=1)}
    names |= {f"BILL_AMT{n}": f"bill_{n}" for n in range(1, 7)}
    names |= {f"PAY_AMT{n}": f"paid_{n}" for n in range(1, 7)}
    columns = {
        "id": [f"c{i:05d}" for i in range(rows.num_rows)],
        "time_s": [UCI_START_S + 60 * i for i in range(rows.num_rows)],
        "label": pc.cast(rows["default.payment.next.month"], pa.int8()),
    }
    columns |= {new: pc.cast(rows[old], pa.int64()) for old, new in names.items()}
    return pa.table(columns)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(column, pa.string())


def describe(data: Path, croissant: Path) -> None:
    """Put the file's size and SHA-256 into its Croissant description."""
    description = json.loads(croissant.read_text())
    content = data.read_bytes()
    description["distribution"][0]["contentSize"] = f"{len(content)} B"
    description["distribution"][0]["sha256"] = sha256(content).hexdigest()
    croissant.write_text(_spelled(description) + "\n")


def _spelled(value: Any, margin: str = "") -> str:
    """JSON in which what is short stands on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) <= SHORT or not isinstance(value, dict | list):
        return flat
    inner = f"\n{margin} "
    if isinstance(value, list):
        items = [_spelled(item, margin + " ") for item in value]
        return f"[{inner}{(',' + inner).join(items)}\n{margin}]"
    named = [f"{json.dumps(name)}: {_spelled(item, margin + ' ')}" for name, item in value.items()]
    return f"{{{inner}{(',' + inner).join(named)}\n{margin}}}"


def main() -> int:
    root = os.environ.get("VERIDICT_DATA")
    if not root:
        print("set VERIDICT_DATA to the folder with the original data sets", file=sys.stderr)
        return 2
    for name, build in (("amlsim", amlsim), ("uci_credit", uci_credit)):
        table = build(Path(root)).replace_schema_metadata(None)
        pq.write_table(table, OUT / f"{name}.parquet", compression="zstd", compression_level=19)
        describe(OUT / f"{name}.parquet", OUT / f"{name}.croissant.json")
        print(f"{name}: {table.num_rows} rows, {(OUT / f'{name}.parquet').stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
