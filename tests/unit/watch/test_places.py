"""Places: distances as trigonometry has them, impossible travel seen, unusual countries told."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.streams import bits
from veridict.core.errors import BadInput, BadStream
from veridict.watch.features.places import EARTH_KM, PlaceFeatures, distance_km, point
from veridict.watch.stream import Shape, Table


@dataclass(frozen=True, slots=True)
class Swipe:
    payer: str
    latitude_e6: int
    longitude_e6: int
    country: str


SHAPE: Shape[Swipe] = Shape(Swipe, lambda _, swipe: swipe.payer)
PARIS, LYON, SYDNEY = (48_856_600, 2_352_200), (45_764_000, 4_835_700), (-33_868_800, 151_209_300)
latitudes = st.integers(-90_000_000, 90_000_000)
longitudes = st.integers(-180_000_000, 180_000_000)
rows = st.lists(
    st.tuples(
        st.integers(0, 10**6), st.sampled_from("ab"), latitudes, longitudes,
        st.sampled_from(["FR", "AU", ""]),
    ),
    min_size=1, max_size=30,
)  # fmt: skip
Drawn = list[tuple[int, str, int, int, str]]


def table(drawn: Drawn) -> Table[Swipe]:
    columns = {
        "id": [str(i) for i in range(len(drawn))],
        "time_s": np.cumsum([row[0] for row in drawn]) + 1_700_000_000,
        "label": [None] * len(drawn),
        **{name: [row[n] for row in drawn] for n, name in enumerate(SHAPE.names, start=1)},
    }
    return Table(pa.table(columns, schema=SHAPE.schema), SHAPE)


@given(latitudes, longitudes, latitudes, longitudes)
def test_distances_are_chords_of_the_sphere(a: int, b: int, c: int, d: int) -> None:
    p, q, r, s = (math.radians(v / 1e6) for v in (a, b, c, d))
    half = math.sin((r - p) / 2) ** 2 + math.cos(p) * math.cos(r) * math.sin((s - q) / 2) ** 2
    chord = 2 * EARTH_KM * math.sqrt(half)
    assert distance_km(point(a, b), point(c, d)) == pytest.approx(chord, abs=1e-5)


def test_impossible_travel_and_an_unusual_country() -> None:
    x = PlaceFeatures().batch(
        table(
            [
                (0, "a", *PARIS, "FR"),
                (3600, "a", *LYON, "FR"),
                (3600, "a", *SYDNEY, "AU"),
                (0, "b", *SYDNEY, "AU"),
            ]
        )
    )
    assert np.isnan(x[0, :3]).all()
    assert x[1, 0] == pytest.approx(392, abs=2)
    assert x[1, 1] == pytest.approx(392, abs=2)
    assert x[2, 1] > 10_000
    assert x[:3, 2].tolist()[1:] == [1.0, 0.0]
    assert x[2, 3] == 1.0
    assert np.isnan(x[3, :3]).all()


@settings(max_examples=40)
@given(rows, st.integers(1, 10), st.integers(0, 30), st.sampled_from([1, 100]))
def test_batches_saved_states_and_the_future_change_no_bit(
    drawn: Drawn, size: int, cut: int, limit: int
) -> None:
    whole, running = PlaceFeatures(limit), PlaceFeatures(limit)
    at_once, parts = whole.batch(table(drawn)), []
    for part in table(drawn).batches(size):
        revived = PlaceFeatures(limit)
        revived.restore(running.save())
        parts.append(revived.batch(part))
        running = revived
    assert bits(np.concatenate(parts)) == bits(at_once)
    assert running.save() == whole.save()
    assert bits(PlaceFeatures(limit).batch(table(drawn[: cut + 1]))) == bits(at_once[: cut + 1])


def test_what_is_nowhere_is_refused() -> None:
    with pytest.raises(BadStream, match="is made at"):
        PlaceFeatures().batch(table([(0, "a", 91_000_000, 0, "")]))
    with pytest.raises(BadInput, match="no payer"):
        PlaceFeatures(0)
