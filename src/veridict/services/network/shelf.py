"""Fee models and a planner in a folder: canonical bytes, annexes, and what joins them.

network.json        which models, of which blocks, by which rule
fee-5.vrdt …        one canonical model a horizon, and its annex beside it
waiting.vrdt …      the planner's
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from veridict.control.base_fee import FeeRule
from veridict.control.features import NAMES
from veridict.control.learning import LEVEL, FeeModel, FeeModels
from veridict.control.posting import Threshold
from veridict.control.waiting import LEFT, Planner
from veridict.core.errors import BadInput, NotFound, StorageFailed
from veridict.models.compile import Compiled, Link
from veridict.models.working import WorkingModel

MANIFEST = "network.json"
SCHEMA = "veridict/network/1"


class StoredModel(msgspec.Struct, frozen=True):
    file: str
    model_id: str
    error_bound: float
    source_loss: float


class StoredFee(msgspec.Struct, frozen=True):
    horizon: int
    usual: tuple[float, float, float]
    model: StoredModel


class Manifest(msgspec.Struct, frozen=True):
    schema: str
    first: int
    last: int
    last_time_s: int
    data: str
    block_time_s: int
    rule: FeeRule
    fees: list[StoredFee]
    knots: tuple[int, ...]
    threshold: Threshold
    waiting: StoredModel
    patience: float


def save(folder: Path, models: FeeModels, planner: Planner) -> None:
    """Raises StorageFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        manifest = Manifest(
            SCHEMA, models.first, models.last, models.last_time_s, models.data, models.block_time_s,
            models.rule,
            [
                StoredFee(h, m.usual, _write(folder, f"fee-{h}", m.compiled))
                for h, m in sorted(models.models.items())
            ],
            planner.knots, planner.threshold, _write(folder, "waiting", planner.compiled),
            planner.patience,
        )  # fmt: skip
        (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    except OSError as problem:
        raise StorageFailed(
            f"{folder} cannot be written: {problem.strerror}", remedy="free or choose a folder"
        ) from problem


def load(folder: Path) -> tuple[FeeModels, Planner]:
    """Raises NotFound where there is none, BadInput, BadModelBytes where it is damaged."""
    path = folder / MANIFEST
    if not path.is_file():
        raise NotFound(
            f"{folder} holds no fee models",
            remedy="make them with `veridict network learn`",
        )
    try:
        told = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.DecodeError as problem:
        raise BadInput(f"{path.name} is damaged: {problem}", remedy="learn again") from problem
    fees = {
        fee.horizon: FeeModel(fee.horizon, _read(folder, fee.model, LEVEL), fee.usual)
        for fee in told.fees
    }
    models = FeeModels(
        fees, told.first, told.last, told.last_time_s, told.data, told.rule, told.block_time_s
    )
    waiting = _read(folder, told.waiting, LEFT)
    return models, Planner(waiting, told.knots, told.threshold, told.patience)


def _write(folder: Path, name: str, compiled: Compiled) -> StoredModel:
    (folder / f"{name}.vrdt").write_bytes(compiled.model.bytes)
    (folder / f"{name}.annex").write_bytes(compiled.annex.encode())
    return StoredModel(name, compiled.model.id.hex(), compiled.error_bound, compiled.source_loss)


def _read(folder: Path, stored: StoredModel, last: str) -> Compiled:
    try:
        working = WorkingModel.load(
            (folder / f"{stored.file}.vrdt").read_bytes(),
            (folder / f"{stored.file}.annex").read_bytes(),
        )
    except OSError as problem:
        raise NotFound(f"{stored.file}.vrdt is missing", remedy="learn again") from problem
    if working.id.hex() != stored.model_id or working.n_features != len(NAMES) + 1:
        raise BadInput(f"{stored.file}.vrdt is another model", remedy="learn again")
    return Compiled(
        working.model, working.annex, (*NAMES, last), Link.IDENTITY, "lightgbm",
        stored.error_bound, stored.source_loss,
    )  # fmt: skip
