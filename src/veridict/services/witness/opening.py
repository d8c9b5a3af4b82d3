"""A witness's directory: its keys and what it cosigned, which must never part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veridict.core.errors import StorageFailed
from veridict.core.ports import Clock
from veridict.ledger.keys import load_or_create_cosigner
from veridict.proofs.cosignature import Cosigner, Kind
from veridict.services.witness.desk import Logs, WitnessDesk
from veridict.services.witness.store import FILE, WitnessStore


@dataclass(frozen=True, slots=True)
class House:
    """An open witness: close it when done."""

    store: WitnessStore
    cosigners: tuple[Cosigner, ...]
    desk: WitnessDesk

    def close(self) -> None:
        self.store.close()


def open_witness(
    directory: Path, name: str, kinds: Sequence[Kind], logs: Logs, clock: Clock
) -> House:
    """The witness called `name` in `directory`, one key a kind, created at the first call.

    Raises NodeRunning where another process holds it, StorageFailed, BadInput.
    """
    files = {kind: directory / f"witness-{kind.word}.key" for kind in kinds}
    if any(file.exists() for file in files.values()) and not (directory / FILE).exists():
        raise StorageFailed(
            f"{FILE} is gone, and the keys are still there",
            remedy="put it back: without it the witness would cosign what contradicts its past; "
            "if it is lost, begin a new witness with new keys",
            path=str(directory),
        )
    store = WitnessStore(directory)
    try:
        keys = tuple(load_or_create_cosigner(file, name, kind) for kind, file in files.items())
        return House(store, keys, WitnessDesk(store, keys, logs, clock))
    except BaseException:
        store.close()
        raise
