"""What is shipped for demonstrations and tests: see NOTICE beside it."""

from __future__ import annotations

from pathlib import Path

MAINNET = Path(__file__).parent / "mainnet.parquet"
