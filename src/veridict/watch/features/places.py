"""Places: impossible travel and unusual countries, where the stream tells where a payment is made.

Needs columns `latitude_e6` and `longitude_e6` (whole millionths of a degree) and `country` (a
text, empty if unknown). Distances are straight lines through the Earth, never longer than any
way there, so a speed is never overstated. Sines come from their series: + − × only, and square
roots, the same bits on every processor.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from veridict.core.errors import BadInput, BadStream
from veridict.watch.arrays import F64
from veridict.watch.features.kernel import DAY_S, NEVER, decay
from veridict.watch.features.order import in_order
from veridict.watch.features.place_names import PLACES
from veridict.watch.features.saved import pack, unpack
from veridict.watch.scenario import LabelFree
from veridict.watch.stream import Table

EARTH_KM = 6371.0
RADIANS_E6 = math.pi / 180e6
HALF_YEAR_S = 183 * DAY_S // 64 * 64
SLOW = 0.05  # how far one payment draws the usual place
MAX_COUNTRIES = 64
TERMS = 12  # of the series; beyond pi they are below 2^-53
COLUMNS = ("latitude_e6", "longitude_e6", "country")
_MAGIC = b"veridict places 1\n"
Point = tuple[float, float, float]


@dataclass(slots=True)
class _Payer:
    last_s: int
    last: Point
    usual: Point
    countries: dict[str, float] = field(default_factory=dict)


class PlaceFeatures(LabelFree):
    """An `Extractor` over tables with columns payer and COLUMNS. Keeps `payers` at most."""

    features = PLACES

    def __init__(self, payers: int = 1 << 18) -> None:
        if payers < 1:
            raise BadInput("no payer may be remembered", remedy="allow at least one")
        self._limit, self._now_s = payers, NEVER
        self._payers: OrderedDict[str, _Payer] = OrderedDict()

    def batch(self, rows: Table[Any]) -> F64:
        """float64[n, 5]; raises BadStream if time falls or a place is not on the Earth."""
        x = np.full((len(rows), len(PLACES)), np.nan)
        if not len(rows):
            return x
        times_s = in_order(rows, self._now_s).tolist()
        places = zip(*(rows.integers(name).tolist() for name in COLUMNS[:2]), strict=True)
        told = zip(times_s, rows.strings("payer"), places, rows.strings("country"), strict=True)
        for row, (now_s, payer, (latitude, longitude), country) in enumerate(told):
            if abs(latitude) > 90_000_000 or abs(longitude) > 180_000_000:
                raise BadStream(
                    f"row {rows.ids[row]} is made at {latitude}, {longitude}",
                    remedy="give millionths of a degree, latitude first",
                    row=row,
                )
            self._row(now_s, payer, point(latitude, longitude), country, x[row])
        self._now_s = times_s[-1]
        return x

    def _row(self, now_s: int, payer: str, here: Point, country: str, x: F64) -> None:
        known = self._payers.get(payer)
        if known is None:
            x[3] = 0.0
            known = self._payers[payer] = _Payer(now_s, here, here)
        else:
            km = distance_km(known.last, here)
            hours = max(now_s - known.last_s, 60) / 3600  # clocks differ by a minute
            total = sum(known.countries.values())
            x[0], x[1] = km, km / hours
            if country and total > 0:
                x[2] = known.countries.get(country, 0.0) / total
            x[3], x[4] = len(known.countries), distance_km(known.usual, here)
        self._remember(known, now_s, here, country)
        self._payers.move_to_end(payer)
        if len(self._payers) > self._limit:
            self._payers.popitem(last=False)

    def _remember(self, known: _Payer, now_s: int, here: Point, country: str) -> None:
        left = decay(known.last_s, now_s, HALF_YEAR_S)
        known.countries = {name: n * left for name, n in known.countries.items()}
        if country:
            known.countries[country] = known.countries.get(country, 0.0) + 1.0
            if len(known.countries) > MAX_COUNTRIES:
                del known.countries[min(known.countries, key=known.countries.__getitem__)]
        a, b, c = (u + SLOW * (h - u) for u, h in zip(known.usual, here, strict=True))
        known.usual, known.last, known.last_s = (a, b, c), here, now_s

    @property
    def memory_bytes(self) -> int:
        """About; Python's own objects are counted by their usual sizes."""
        return sum(400 + 2 * len(name) + 120 * len(p.countries) for name, p in self._payers.items())

    def save(self) -> bytes:
        payers = self._payers.values()
        head = {
            "payers": list(self._payers),
            "countries": [list(p.countries) for p in payers],
            "now_s": self._now_s,
        }
        times = np.array([p.last_s for p in payers], np.int64)
        points = np.array([[*p.last, *p.usual] for p in payers], np.float64).reshape(-1)
        weights = np.array([w for p in payers for w in p.countries.values()], np.float64)
        return pack(_MAGIC, {**head, "limit": self._limit}, (times, points, weights))

    def restore(self, state: bytes) -> None:
        """Raises BadInput unless `state` is whole and was saved by one with the same limit."""
        kinds = (np.int64, np.float64, np.float64)
        head, (times, points, weights) = unpack(_MAGIC, state, {"limit": self._limit}, kinds)
        self._payers, self._now_s, rest = OrderedDict(), head["now_s"], iter(weights.tolist())
        told = zip(
            head["payers"], head["countries"], times.tolist(), points.reshape(-1, 6), strict=True
        )
        for name, countries, last_s, six in told:
            a, b, c, d, e, f = six.tolist()
            held = {country: next(rest) for country in countries}
            self._payers[name] = _Payer(last_s, (a, b, c), (d, e, f), held)


def sine(angle: float) -> float:
    """Within 2^-50 for |angle| <= pi, from the series, highest power first."""
    square, total = angle * angle, 1.0
    for term in range(TERMS, 0, -1):
        total = 1.0 - square / ((2 * term) * (2 * term + 1)) * total
    return angle * total


def point(latitude_e6: int, longitude_e6: int) -> Point:
    """On the unit sphere."""
    latitude, longitude = latitude_e6 * RADIANS_E6, longitude_e6 * RADIANS_E6
    right = math.pi / 2
    flat = sine(right - abs(latitude))
    return (
        flat * sine(right - abs(longitude)),
        flat * sine(longitude),
        sine(latitude),
    )


def distance_km(a: Point, b: Point) -> float:
    x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return EARTH_KM * math.sqrt(x * x + y * y + z * z)
