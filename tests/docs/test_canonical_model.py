"""Each number on the page of the canonical model is the one that the code keeps to."""

from __future__ import annotations

import re
import struct

import pytest

from tests.support.parts import ROOT
from veridict.chain.data_contract import READER
from veridict.core.nouns import INT64_MAX, SCORE_BITS
from veridict.models import annex, layout, paths

PAGE = " ".join((ROOT / "docs/reference/canonical-model.md").read_text().split())
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def number(text: str) -> int:
    """ "32,767", "2³¹ − 1", "`VRDT`" or "64 MiB" as the page writes them."""
    if text.endswith(" MiB"):
        return int(text[:-4]) << 20
    power = re.fullmatch(r"2([⁰¹²³⁴⁵⁶⁷⁸⁹]+)( − 1)?", text)
    if power:
        return (1 << int(power[1].translate(_RAISED))) - bool(power[2])
    return int(text.replace(",", "").replace("−", "-"))


N = r"((?:2[⁰¹²³⁴⁵⁶⁷⁸⁹]+(?: − 1)?|\d[\d,]*)(?: MiB)?)"


@pytest.mark.parametrize(
    ("sentence", "constants"),
    [
        (f"version: {N} \\| \\| 5", (layout.VERSION,)),
        (
            f"kind: {N} trees, {N} linear, {N} MLP",
            (layout.KIND_TREES, layout.KIND_LINEAR, layout.KIND_MLP),
        ),
        (f"fraction bits of a score: {N}", (SCORE_BITS,)),
        (f"the number of outputs, at most {N}", (layout.MAX_OUTPUTS,)),
        (f"{N} to {N} \\*\\*outputs\\*\\*", (1, layout.MAX_OUTPUTS)),
        (f"number of features, 1 to {N}", (layout.MAX_FEATURES,)),
        (
            f"length of a page: {N} or {N} for trees, {N} for the other",
            (*layout.PAGE_SIZES, layout.WORD),
        ),
        (f"number of pages, 1 to {N}", (layout.MAX_PAGES,)),
        (f"number of trees in the file, at most {N}", (layout.MAX_TREES,)),
        (f"shift of the sums, 0 to {N}", (layout.MAX_LINEAR_SHIFT,)),
        (f"number of layers, 1 to {N}", (layout.MAX_LAYERS,)),
        (f"as its pages, and at most {N}", (layout.MAX_BYTES,)),
        (f"header and bases \\| {N} \\+ {N} \\(K", (layout.HEADER.size, layout.BASE.size)),
        (f"counts \\| {N} \\|", (layout.COUNTS.size,)),
        (f"nodes \\| {N} each", (layout.NODE.size,)),
        (f"leaves \\| {N} each", (layout.LEAF.size,)),
        (f"zeros \\| at least {N}", (layout.TAIL_BYTES,)),
        (f"its value \\+ {N}, unsigned", (layout.LEAF_BIAS,)),
        (f"a path of more than {N} nodes", (layout.MAX_DEPTH,)),
        (
            f"a shift \\*s\\* \\(−{N} to {N}\\), an offset \\*z\\* \\(\\|z\\| < {N}\\), "
            f"a limit \\*L\\* \\(0 ≤ L < {N}\\)",
            (-layout.MIN_SHIFT, layout.MAX_SHIFT, layout.MAX_ROUNDED, layout.MAX_ROUNDED),
        ),
        (f"clamped to −{N} …", (layout.MAX_ROUNDED,)),
        (f"r\\* \\+ 2⁶³, {N} − \\*s\\*", (layout.POINT,)),
        (f"8 bytes each, w \\+ {N} unsigned", (layout.WEIGHT_BIAS,)),
        (
            f"shifts 0 to {N}, limits 1 to {N}",
            (layout.MAX_LAYER_SHIFT, layout.LANE_BIAS - 1),
        ),
        (f"the others have 1 to {N}", (layout.MAX_NEURONS,)),
        (f"the value \\+ {N}, unsigned; neuron", (layout.LANE_BIAS,)),
        (f"lane j mod {N}, counted", (layout.LANES,)),
        (f"sum over all inputs of \\|w_ij\\| B_i must not exceed {N}", (layout.LANE_BIAS - 1,)),
        (f"each of its trees must not exceed {N}", (INT64_MAX,)),
        (f"S = min\\({N}, max\\({N}, ⌊{N} / F⌋", (paths.MAX_STRIDES, 1, paths.MOVES)),
        (f"contracts of at most {N} bytes", (layout.CHUNK_BYTES,)),
        (
            f"{N} pages of {N}, {N} of {N}, or {N} of {N}\\.",
            tuple(
                n
                for size in (*layout.PAGE_SIZES, layout.WORD)
                for n in (layout.CHUNK_BYTES // size, size)
            ),
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_numbers_are_the_constants(sentence: str, constants: tuple[int, ...]) -> None:
    found = re.findall(sentence, PAGE)
    assert found, "the page does not say it"
    for match in found:
        parts = match if isinstance(match, tuple) else (match,)
        assert tuple(map(number, parts)) == constants


def test_names_and_widths_are_the_constants() -> None:
    assert f"`{layout.MAGIC.decode()}`" in PAGE
    assert f"`{annex.MAGIC.decode()}`" in PAGE
    assert f"`{READER.hex()}`" in PAGE
    assert layout.WORD_CHUNK_BYTES == layout.CHUNK_BYTES // layout.WORD * layout.WORD
    assert struct.calcsize(layout.QUANTISER.format) == layout.WORD == layout.LAYER.size
    assert (layout.MAX_OUTPUTS - 1) * layout.BASE.size + layout.HEADER.size < layout.PAGE_SIZES[0]
