"""The keeper's own copies of models: canonical bytes and annexes in files named by their hashes.

The names let anyone check a copy with `sha256sum`. Reading does not: the audit
wants to see an altered file as it is.
"""

from __future__ import annotations

from pathlib import Path

from veridict.core.errors import NotFound, StorageFailed
from veridict.core.files import replace_file


class Shelf:
    """A directory of `<model id>.model` and `<model id>.annex` files.

    A third, `<model id>.reference`, holds what later rows are compared with, where there is one.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, model_id: bytes, model: bytes, annex: bytes) -> None:
        """Raises StorageFailed; a file is either whole or not there."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for suffix, data in (("annex", annex), ("model", model)):
                replace_file(self.path(model_id, suffix), data)
        except OSError as problem:
            raise StorageFailed(
                f"cannot store model {model_id.hex()}: {problem.strerror}",
                remedy="free space or mend the directory's permissions, then run again",
                model_id=model_id.hex(),
            ) from problem

    def put_reference(self, model_id: bytes, reference: bytes) -> None:
        """Raises StorageFailed."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            replace_file(self.path(model_id, "reference"), reference)
        except OSError as problem:
            raise StorageFailed(
                f"cannot store what rows of {model_id.hex()} look like: {problem.strerror}",
                remedy="free space or mend the directory's permissions, then run again",
                model_id=model_id.hex(),
            ) from problem

    def reference(self, model_id: bytes) -> bytes | None:
        return self._read(model_id, "reference")

    def path(self, model_id: bytes, suffix: str = "model") -> Path:
        return self._directory / f"{model_id.hex()}.{suffix}"

    def get(self, model_id: bytes) -> bytes | None:
        return self._read(model_id, "model")

    def annex(self, model_id: bytes) -> bytes | None:
        return self._read(model_id, "annex")

    def need(self, model_id: bytes) -> tuple[bytes, bytes]:
        """Model and annex. Raises NotFound where either is missing."""
        model, annex = self.get(model_id), self.annex(model_id)
        if model is None or annex is None:
            raise NotFound(
                f"model {model_id.hex()} is not on this node's shelf",
                remedy="compile and register it here, or restore the data directory's models",
                model_id=model_id.hex(),
            )
        return model, annex

    def ids(self) -> list[bytes]:
        return sorted(bytes.fromhex(path.stem) for path in self._directory.glob("*.model"))

    def _read(self, model_id: bytes, suffix: str) -> bytes | None:
        path = self.path(model_id, suffix)
        return path.read_bytes() if path.exists() else None
