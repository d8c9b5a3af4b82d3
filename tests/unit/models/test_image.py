"""Images of floats keep their order, and NaN apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veridict.core.errors import BadInput
from veridict.models.image import float_of, image, image_of, pack, unpack

floats = st.floats(width=64)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, 0),
        (-math.nan, 0),
        (-math.inf, 0x000F_FFFF_FFFF_FFFF),
        (-0.0, 0x8000_0000_0000_0000),
        (0.0, 0x8000_0000_0000_0000),
        (5e-324, 0x8000_0000_0000_0001),
        (-5e-324, 0x7FFF_FFFF_FFFF_FFFE),
        (math.inf, 0xFFF0_0000_0000_0000),
    ],
)
def test_known_images(value: float, expected: int) -> None:
    assert image_of(value) == expected
    assert int(image([value])[0]) == expected


@given(a=floats, b=floats)
def test_order_is_kept(a: float, b: float) -> None:
    if math.isnan(a) or math.isnan(b):
        assert (image_of(a) == 0) == math.isnan(a)
    else:
        assert (a < b) == (image_of(a) < image_of(b))
        assert (a == b) == (image_of(a) == image_of(b))


@given(values=st.lists(floats))
def test_arrays_and_single_floats_agree(values: list[float]) -> None:
    assert image(np.array(values, dtype=float)).tolist() == [image_of(v) for v in values]


@given(value=floats)
def test_floats_come_back(value: float) -> None:
    back = float_of(image_of(value))
    assert back == value or (math.isnan(back) and math.isnan(value))


@pytest.mark.parametrize("stray", [1, 0x000F_FFFF_FFFF_FFFE, 0xFFF0_0000_0000_0001, 2**64 - 1])
def test_images_of_no_float_are_refused(stray: int) -> None:
    with pytest.raises(BadInput, match="no float64"):
        float_of(stray)


@pytest.mark.parametrize(
    "rows", [["a"], [1j], np.array([2**53 + 1]), np.array([2**63], dtype=np.uint64), [None]]
)
def test_what_is_no_float64_is_refused(rows: object) -> None:
    with pytest.raises(BadInput):
        image(rows)  # type: ignore[arg-type]


def test_whole_numbers_and_truth_values_are_floats() -> None:
    assert image(np.array([[1, 0]])).tolist() == image([[1.0, 0.0]]).tolist()
    assert image(np.array([True, False])).tolist() == image([1.0, 0.0]).tolist()


def test_packing_comes_back() -> None:
    rows = image([[1.0, math.nan], [-2.0, 0.0]])
    assert pack(rows[0])[8:] == bytes(8)
    assert unpack(pack(rows), 2).tolist() == rows.tolist()
    with pytest.raises(BadInput, match="not rows of 3"):
        unpack(pack(rows), 3)
