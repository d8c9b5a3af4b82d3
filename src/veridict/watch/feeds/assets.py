"""What amounts are worth: assets with their decimals, in hundredths of one unit of account.

Features compare amounts, so yen, dollars and tokens must be brought to one unit; the exact
amount stays beside. Rates are settings, fixed while a model is at work: one that moved would
move its features. An asset without a rate is worth 0, which says "unknown" and harms nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from veridict.core.errors import BadInput
from veridict.watch.feeds.normal import unfit

# ISO 4217:2015, list one: the currencies whose minor unit is not a hundredth.
_EXPONENTS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
    "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "CLF": 4, "UYW": 4,
}  # fmt: skip
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNT = re.compile(r"[0-9]{1,2}")
_DECIMAL = re.compile(r"[0-9]{1,78}(\.[0-9]{1,36})?")
_PAR = Fraction(100)
NATIVE_DECIMALS = 18
MAX_DECIMALS = 36


@dataclass(frozen=True, slots=True)
class Asset:
    """`worth`: of one whole unit, in hundredths of the unit of account; 0 where nobody said."""

    name: str
    decimals: int
    worth: Fraction


@dataclass(frozen=True, slots=True)
class Assets:
    """Those with settings of their own; every other currency and native coin is worth 1.00."""

    known: Mapping[str, Asset] = field(default_factory=dict)

    def of(self, name: str) -> Asset:
        """Raises BadInput ("asset.unknown") where neither decimals nor worth can be known."""
        asset = self.known.get(name)
        if asset is not None:
            return asset
        if _CURRENCY.fullmatch(name):
            return Asset(name, _EXPONENTS.get(name, 2), _PAR)
        if name.endswith("/native"):
            return Asset(name, NATIVE_DECIMALS, _PAR)
        if "/erc20:" in name:
            return Asset(name, 0, Fraction(0))
        raise unfit("asset.unknown", f"asset {name[:60]!r}", "say --asset NAME=DECIMALS:WORTH")

    def worth(self, name: str, amount: int) -> int:
        """Hundredths of the unit of account, rounded down; `amount` in the smallest unit."""
        asset = self.of(name)
        over, under = asset.worth.as_integer_ratio()
        return amount * over // (under * int(10**asset.decimals))

    def minor(self, name: str, text: str) -> int:
        """A decimal amount such as "12.50" in the smallest unit, exactly. Raises BadInput."""
        if text.startswith("-"):
            raise unfit("amount.negative", text[:40], "book a refund as a payment the other way")
        if not _DECIMAL.fullmatch(text):
            raise unfit("amount.bad", f"{text[:40]!r}", "write 12.50")
        decimals = self.of(name).decimals
        units, _, part = text.partition(".")
        if len(part.rstrip("0")) > decimals:
            raise unfit("amount.too-fine", f"{text[:40]} {name}", f"{name} has {decimals} decimals")
        return int(units + "0" * decimals) + int((part + "0" * decimals)[:decimals] or "0")


def read_assets(texts: Iterable[str]) -> Assets:
    """`NAME=DECIMALS:WORTH` each, worth of one unit in the unit of account. Raises BadInput."""
    known = {}
    for text in texts:
        name, _, rest = text.rpartition("=")
        decimals, _, worth = rest.partition(":")
        fits = name and _COUNT.fullmatch(decimals) and _DECIMAL.fullmatch(worth or "0")
        if not fits or int(decimals) > MAX_DECIMALS:
            raise BadInput(
                f"{text[:80]!r} is no asset",
                remedy="write NAME=DECIMALS:WORTH, e.g. JPY=0:0.0061 or eip155:1/native=18:3000",
            )
        known[name] = Asset(name, int(decimals), Fraction(worth or "0") * 100)
    return Assets(known)
