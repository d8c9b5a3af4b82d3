"""Small payment files of a user's own, good and bad."""

from __future__ import annotations

import random
from pathlib import Path

HEADER = "id,time,payer,payee,amount,label"
START_S = 1_700_000_000


def payment_lines(count: int, *, prefix: str = "p", seed: int = 1) -> list[str]:
    """Rows in the order of time; small amounts are often the event, so that there is a pattern."""
    chance = random.Random(seed)
    lines = []
    for row in range(count):
        event = chance.random() < 0.15
        amount = chance.uniform(1, 60) if event else chance.uniform(30, 900)
        payer, payee = chance.randrange(40), chance.randrange(40, 80)
        lines.append(
            f"{prefix}{row},{START_S + 600 * row},a{payer},a{payee},{amount:.2f},{int(event)}"
        )
    return lines


def write_stream(path: Path, lines: list[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n")
    return path
