"""Writes tests/vectors/models: what the reference says of models of every kind.

    good/NAME.vdm     the canonical bytes
    good/NAME.json    id, rows (packed inputs in hex), the scores of each, what is recorded
    broken/NAME.vdm   bytes that every reader must refuse, named by their defect
    broken.json       what a refusal of each says

Scores are decimal strings: they may exceed 2^53.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tools.model_damage import DAMAGE, apply
from tools.model_samples import rows, samples
from veridict.models import reference
from veridict.models.encode import encode
from veridict.models.layout import Model

FOLDER = Path(__file__).parents[1] / "tests" / "vectors" / "models"


def good(name: str, model: Model, data: bytes) -> dict[str, object]:
    table = list(rows(model))
    return {
        "name": name,
        "id": sha256(data).hexdigest(),
        "features": model.n_features,
        "outputs": model.n_outputs,
        "rows": [struct.pack(f">{len(row)}Q", *row).hex() for row in table],
        "scores": [[str(s) for s in reference.scores(model, row)] for row in table],
        "recorded": [str(reference.score(model, row)) for row in table],
    }


def files() -> Iterator[tuple[str, bytes]]:
    """Every file of the folder, by its path below it."""
    models = samples()
    sources = {name: encode(model) for name, model in models.items()}
    for name, model in models.items():
        yield f"good/{name}.vdm", sources[name]
        yield f"good/{name}.json", _text(good(name, model, sources[name]))
    for damage in DAMAGE:
        yield f"broken/{damage.name}.vdm", apply(damage, sources[damage.source])
    yield "broken.json", _text({damage.name: damage.refusal for damage in DAMAGE})


def _text(value: object) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()


def main() -> None:
    for name, data in files():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        print(path.relative_to(FOLDER.parents[2]))


if __name__ == "__main__":
    main()
