"""The edge runtime as one zip file that Python imports from: for devices that install nothing.

    write_edge_package(Path("veridict-edge.zip"))

On the device, beside NumPy: `sys.path.insert(0, "veridict-edge.zip")`, then
`from veridict.models.edge import EdgeModel`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

OURS = "veridict"
PARTS = (
    "__init__.py",
    "core/__init__.py",
    "core/codec.py",
    "core/errors.py",
    "core/nouns.py",
    "core/version.py",
    "models/__init__.py",
    "models/decode.py",
    "models/edge.py",
    "models/image.py",
    "models/layout.py",
    "models/limits.py",
    "models/vector.py",
    "models/words.py",
)


def write_edge_package(path: Path) -> int:
    """Writes the zip, the same bytes for the same version; returns its size in bytes."""
    with ZipFile(path, "w", ZIP_DEFLATED) as package:
        for part in PARTS:
            entry = ZipInfo(f"{OURS}/{part}")  # without the time of writing
            entry.compress_type = ZIP_DEFLATED
            package.writestr(entry, files(OURS).joinpath(part).read_bytes())
    return path.stat().st_size
