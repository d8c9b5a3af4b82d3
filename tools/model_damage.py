"""Defects for tests/vectors/models/broken: each is one good model with one thing wrong."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Damage:
    """`values` in struct `layout` written at byte `at` of the good model `source`.

    Without a layout, the file is cut (`at` negative) or zeros are added.
    `refusal`: words of the message.
    """

    name: str
    source: str
    at: int
    layout: str
    values: tuple[int, ...]
    refusal: str


def apply(damage: Damage, data: bytes) -> bytes:
    if not damage.layout:
        return data[: damage.at] if damage.at < 0 else data + bytes(damage.at)
    changed = bytearray(data)
    struct.pack_into(damage.layout, changed, damage.at, *damage.values)
    return bytes(changed)


_T, _B, _L, _M = "trees-missing-right", "trees-shared-children", "linear-two-features", \
    "mlp-two-features"  # fmt: skip
_MOST = 2**64 - 1

# Where things lie. _T: counts 32, node 38, leaves 52 and 60, zeros from 68. _B: nodes 38, 52, 66,
# leaves 80, 88, 96. _L: quantisers 32 and 64, weights 96, zeros from 112. _M: quantisers 32 and 64,
# layer 1 at 96, its biases 128, weights 160 and 192; layer 2 at 224, biases 256, weights from 288.
DAMAGE = tuple(
    Damage(name, source, at, layout, values, refusal)
    for name, source, at, layout, values, refusal in (
        ("magic", _T, 0, ">B", (0,), "magic"),
        ("newer-version", _T, 4, ">B", (2,), "version 2"),
        ("unknown-kind", _T, 5, ">B", (4,), "kind 4"),
        ("other-fraction-bits", _T, 6, ">B", (20,), "score bits 20"),
        ("sixty-five-outputs", _T, 7, ">B", (64,), "65 outputs"),
        ("reserved-bytes-14", _T, 14, ">H", (1,), "reserved"),
        ("reserved-bytes-28", _T, 28, ">I", (1,), "reserved"),
        ("no-features", _T, 8, ">H", (0,), "0 features"),
        ("too-many-features", _T, 8, ">H", (32768,), "32768 features"),
        ("page-length", _T, 10, ">H", (2048,), "page length 2048"),
        ("no-page", _T, 12, ">H", (0,), "not 0 pages"),
        ("page-missing", _T, 12, ">H", (2,), "not 2 pages"),
        ("cut", _T, -1, "", (), "not 1 pages"),
        ("one-byte-more", _T, 1, "", (), "not 1 pages"),
        ("trees-number", _T, 16, ">I", (2,), "header says 2"),
        ("trees-too-many", _T, 16, ">I", (2**32 - 1,), "more than 1000000"),
        ("trees-no-multiple-of-outputs", "trees-none-three-outputs", 16, ">IqIqqHHHHQHHQQ",
         (1, 0, 0, 0, 0, 1, 1, 2, 0, 9, 68, 76, 2**63, 2**63), "no multiple of 3 outputs"),
        ("trees-base-overflows", _T, 20, ">q", (-(2**63),), "int64"),
        ("trees-leaf-overflows", _T, 52, ">Q", (0,), "int64"),
        ("trees-more-than-nodes", _T, 32, ">H", (2,), "1 nodes are no 2 trees"),
        ("trees-nodes-beyond-page", _T, 34, ">H", (65535,), "counts need"),
        ("trees-leaves-beyond-page", _T, 36, ">H", (65535,), "counts need"),
        ("trees-tail-not-zero", _T, 2046, ">B", (1,), "not zero"),
        ("trees-feature-unknown", _T, 38, ">H", (2,), "feature 1 of 1"),
        ("trees-threshold-beyond-images", _T, 40, ">Q", (_MOST,), "largest image"),
        ("trees-child-inside-a-leaf", _T, 48, ">H", (53,), "offset 53"),
        ("trees-child-in-the-header", _T, 48, ">H", (0,), "offset 0"),
        ("trees-leaf-of-nobody", _T, 48, ">H", (52,), "belongs to no tree"),
        ("trees-loop-to-itself", _B, 48, ">H", (38,), "does not stand behind"),
        ("trees-loop", _B, 76, ">H", (52,), "does not stand behind"),
        ("trees-outputs-hide-counts", _T, 7, ">B", (1,), "counts need"),
        ("linear-shift", _L, 16, ">I", (32,), "32 is the shift"),
        ("linear-shift-huge", _L, 16, ">I", (2**32 - 1,), "is the shift"),
        ("linear-limit", _L, 32, ">Q", (2**62,), "is the limit of feature 0"),
        ("linear-offset", _L, 72, ">Q", (0,), "offset of feature 1"),
        ("linear-missing-beyond-limit", _L, 48, ">Q", (_MOST,), "missing values of feature 0"),
        ("linear-point-too-small", _L, 56, ">Q", (947,), "128 is the shift of feature 0"),
        ("linear-point-too-large", _L, 56, ">Q", (_MOST,), "is the shift of feature 0"),
        ("linear-sum-overflows", _L, 96, ">Q", (2**63 + 2**32 + 9,), "sums could leave the int64"),
        ("linear-lowest-weight", _L, 104, ">Q", (0,), "sums could leave the int64"),
        ("linear-base-overflows", _L, 20, ">q", (2**63 - 1,), "scores could leave the int64"),
        ("linear-padding-not-zero", _L, 127, ">B", (1,), "behind the weights"),
        ("linear-other-outputs", _L, 7, ">B", (1,), "behind the bases"),
        ("linear-outputs-beyond-file", _L, 7, ">B", (63,), "64 outputs do not fit"),
        ("linear-more-features", _L, 8, ">H", (3,), "do not fit"),
        ("linear-fewer-features", _L, 8, ">H", (1,), "do not fit"),
        ("linear-cut", _L, -32, "", (), "not 4 pages"),
        ("linear-page-length", _L, 10, ">H", (64,), "page length 64"),
        ("linear-called-trees", _L, 5, ">B", (1,), "page length 32"),
        ("linear-called-mlp", _L, 5, ">B", (3,), "layer 1"),
        ("mlp-no-layers", _M, 16, ">I", (0,), "0 layers"),
        ("mlp-seventeen-layers", _M, 16, ">I", (17,), "17 layers"),
        ("mlp-layer-missing", _M, 16, ">I", (3,), "layer 3 is missing"),
        ("mlp-layer-unannounced", _M, 16, ">I", (1,), "behind the last layer"),
        ("mlp-called-linear", _M, 5, ">B", (2,), "do not fit"),
        ("mlp-more-features", _M, 8, ">H", (12,), "12 features do not fit"),
        ("mlp-fewer-features", _M, 8, ">H", (1,), "layer 1"),
        ("mlp-no-neurons", _M, 96, ">Q", (0,), "0 neurons in layer 1"),
        ("mlp-too-many-neurons", _M, 96, ">Q", (4097,), "4097 neurons in layer 1"),
        ("mlp-neurons-huge", _M, 96, ">Q", (_MOST,), "neurons in layer 1"),
        ("mlp-neurons-beyond-file", _M, 96, ">Q", (99,), "layer 1 needs"),
        ("mlp-outputs-differ", _M, 224, ">Q", (2,), "last layer are not 1 outputs"),
        ("mlp-shift", _M, 104, ">Q", (32,), "32 is the shift of layer 1"),
        ("mlp-shift-huge", _M, 232, ">Q", (_MOST,), "is the shift of layer 2"),
        ("mlp-limit-zero", _M, 112, ">Q", (0,), "is the limit of layer 1"),
        ("mlp-limit-beyond-lane", _M, 112, ">Q", (2**31,), "is the limit of layer 1"),
        ("mlp-limit-in-last-layer", _M, 240, ">Q", (1,), "is the limit of layer 2"),
        ("mlp-reserved", _M, 120, ">Q", (1,), "reserved bytes of layer 1"),
        ("mlp-unused-lane", _M, 140, ">I", (2**31 + 1,), "unused lanes of layer 1"),
        ("mlp-unused-lane-zero", _M, 188, ">I", (0,), "unused lanes of layer 1"),
        ("mlp-bias-overflows", _M, 128, ">I", (2**32 - 1,), "sums of layer 1"),
        ("mlp-weight-overflows", _M, 160, ">I", (0,), "sums of layer 1"),
        ("mlp-feature-limit-overflows", _M, 32, ">Q", (2**31,), "sums of layer 1"),
        ("mlp-hidden-overflows", _M, 288, ">I", (2**32 - 1,), "sums of layer 2"),
        ("mlp-base-overflows", _M, 20, ">q", (-(2**63) + 1,), "scores could leave the int64"),
    )
)  # fmt: skip
