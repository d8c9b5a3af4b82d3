"""Build the lists of accounts that ship with the package from the originals.

VERIDICT_DATA=<folder> python tools/make_lists.py
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

OUT = Path(__file__).parent.parent / "src/veridict/watch/data"


def lists(data: Path) -> pa.Table:
    """Addresses in small letters, each once, on the first list that has it."""
    labels = data / "labels"
    contracts = csv.read_csv(labels / "forta_malicious_smart_contracts.csv")
    phishing = csv.read_csv(labels / "forta_phishing_scams.csv")
    found: dict[str, str] = {}
    for name, addresses in (
        ("OFAC sanctions", (labels / "ofac_eth.txt").read_text().split()),
        ("Forta malicious contracts", contracts["contract_address"].to_pylist()),
        ("Forta phishing", phishing["address"].to_pylist()),
    ):
        for address in addresses:
            found.setdefault(address.strip().lower(), name)
    names = pa.array(found.values(), pa.string())
    return pa.table({"address": pa.array(found, pa.string()), "list": names})


def main() -> int:
    root = os.environ.get("VERIDICT_DATA")
    if not root:
        print("set VERIDICT_DATA to the folder with the original data sets", file=sys.stderr)
        return 2
    table = lists(Path(root))
    OUT.mkdir(exist_ok=True)
    pq.write_table(table, OUT / "lists.parquet", compression="zstd", compression_level=19)
    print(f"lists: {table.num_rows} rows, {(OUT / 'lists.parquet').stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
