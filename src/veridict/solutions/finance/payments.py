"""Payments: is this transfer part of fraud or laundering?

Scenario: the synthetic AMLSim transfers that ship with the package, the Fraud Detection
Handbook's cards where VERIDICT_DATA points at them, or a file of the user's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from veridict.core.errors import NotFound
from veridict.core.nouns import Request
from veridict.models.thresholds import Axis, Choice
from veridict.watch.features.graph_names import GRAPH
from veridict.watch.features.habit_names import HABIT_RISKS, HABITS
from veridict.watch.features.names import FEATURES, RISK_FEATURES, Feature
from veridict.watch.features.place_names import PLACES
from veridict.watch.mapping import Column, Kind
from veridict.watch.readers import names_in, read_rows
from veridict.watch.scenario import Costs, Settlement, Words
from veridict.watch.stream import Example, Shape, Table

if TYPE_CHECKING:
    from veridict.watch.features.together import FeatureSet

DAY_S = 86_400
FDH_FILE = "payments/fdh_cards_2018_apr_aug.parquet"
FDH_MAPPING = (
    ("id", "tx_id"), ("time", "ts"), ("payer", "customer"), ("payee", "terminal"),
    ("amount", "amount"), ("label", "label"),
)  # fmt: skip

COLUMNS = (
    Column("id", "id", Kind.TEXT),
    Column("time", "time_s", Kind.TIME),
    Column("time_s", "time_s", Kind.TIME),
    Column("payer", "payer", Kind.TEXT),
    Column("payee", "payee", Kind.TEXT),
    Column("amount", "amount_minor", Kind.MONEY),
    Column("amount_minor", "amount_minor", Kind.MINOR),
    Column("label", "label", Kind.LABEL, required=False),
)

# A file that has all of these is decided by places as well.
PLACE_COLUMNS = (
    Column("latitude", "latitude_e6", Kind.DEGREES),
    Column("longitude", "longitude_e6", Kind.DEGREES),
    Column("country", "country", Kind.CODE),
)

# A card is sometimes checked with a payment of nothing; a transfer never is.
CARD_COLUMNS = tuple(replace(c, zero=c.kind is Kind.MONEY) for c in COLUMNS)

AMLSIM_NOTICES = (
    "Synthetic: IBM AMLSim, Apache-2.0; 120,558 transfers of 20,000 accounts, whole days only.",
    "A transfer is illicit where both its accounts are marked as fraudulent (7,885).",
    "Beware: every transfer below 100 is inside a ring, so the amount alone gives much away.",
)
FDH_NOTICES = (
    "Synthetic: card payments of the Fraud Detection Handbook's simulator, 1,466,282 rows.",
    "Labels become features only 7 days after the payment, when investigators would know them.",
)


@dataclass(frozen=True, slots=True)
class Payment:
    """One transfer. `amount_minor` in cents."""

    payer: str
    payee: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PlacedPayment(Payment):
    """Where it was made: millionths of a degree, and a country or ""."""

    latitude_e6: int
    longitude_e6: int
    country: str


def _subject(id: str, payment: Payment) -> str:
    return payment.payer


SHAPE: Shape[Payment] = Shape(Payment, _subject, owner="payer")
PLACED: Shape[Payment] = Shape(PlacedPayment, _subject, owner="payer")
BANDS = ((10_000, "below 100"), (25_000, "100 to 250"), (50_000, "250 to 500"))


# What each feature set tells, and what more where labels are known after a delay.
TOLD: dict[str, tuple[tuple[Feature, ...], tuple[Feature, ...]]] = {
    "payments": (FEATURES, RISK_FEATURES),
    "habits": (HABITS, HABIT_RISKS),
    "graph": (GRAPH, ()),
    "places": (PLACES, ()),
}


class Payments:
    """A `Scenario` over one source of payments. `label_delay_s` as in PaymentFeatures.

    `sets`: the feature sets it is decided by, of TOLD; more tell more, and cost more.
    """

    name = "payments"
    title = "Payments: fraud and laundering held before they settle"
    shape = SHAPE
    words = Words(
        subject="payment",
        subjects="payments",
        whom="payer",
        event="fraud",
        allow="the payment settles at once",
        review="the payment waits until a person has looked at it",
        hold="the payment is held and moves only if a person releases it",
    )
    # One missed fraud costs as much as eight looks; an honest payment held, as five.
    costs = Costs(missed=8, review=1, held=5)
    # By segment, in cents: a missed fraud costs its amount, a look of a person 5.00, and an honest
    # customer whose payment is stopped 25.00.
    segments = Choice(
        missed=None,
        review=5_00,
        held=25_00,
        axes=(Axis("amount", ("100", "500")), Axis("payer_paid_30d", ("1",))),
    )

    def __init__(
        self,
        data_name: str,
        path: Path | None,
        *,
        columns: tuple[Column, ...] = COLUMNS,
        mapping: tuple[tuple[str, str], ...] = (),
        notices: tuple[str, ...] = (),
        croissant: bytes | None = None,
        label_delay_s: int | None = None,
        sets: tuple[str, ...] = ("payments",),
    ) -> None:
        self.data_name, self.notices, self.croissant = data_name, notices, croissant
        self.label_delay_s = label_delay_s
        self._path, self._columns, self._mapping = path, columns, mapping
        self.shape = PLACED if "places" in sets else SHAPE
        self.sets = sets
        told = [TOLD[name] for name in sets]
        self._features = tuple(
            feature
            for always, delayed in told
            for feature in (always if label_delay_s is None else always + delayed)
        )
        self.feature_names = tuple(f.name for f in self._features)

    @classmethod
    def amlsim(cls) -> Payments:
        described = (files(__package__) / "data" / "amlsim.croissant.json").read_bytes()
        return cls("amlsim", None, notices=AMLSIM_NOTICES, croissant=described)

    @classmethod
    def fdh(cls, data_root: Path) -> Payments:
        return cls(
            "fdh",
            data_root / FDH_FILE,
            columns=CARD_COLUMNS,
            mapping=FDH_MAPPING,
            notices=FDH_NOTICES,
            label_delay_s=7 * DAY_S,
        )

    @classmethod
    def file(
        cls,
        path: Path,
        mapping: tuple[tuple[str, str], ...] = (),
        croissant: bytes | None = None,
        *,
        label_delay_s: int | None = None,
        sets: tuple[str, ...] = ("payments",),
    ) -> Payments:
        """The user's own CSV or Parquet file; `mapping` as from watch.mapping.parse_mapping.

        Where it tells latitude, longitude and country, the feature set "places" comes in.
        """
        placed = _tells_places(path, mapping)
        return cls(
            path.name,
            path,
            mapping=mapping,
            notices=(f"Payments from {path.name}.",),
            croissant=croissant,
            label_delay_s=label_delay_s,
            columns=COLUMNS + PLACE_COLUMNS if placed else COLUMNS,
            sets=(*sets, "places") if placed else sets,
        )

    def load(self) -> Table[Payment]:
        if self._path is not None:
            found = read_rows(self._path, self._columns, self._mapping, self.shape.schema)
            return Table(found, self.shape)
        with as_file(files(__package__) / "data" / "amlsim.parquet") as path:
            return Table(read_rows(path, COLUMNS, (), SHAPE.schema), SHAPE)

    def extractor(self) -> FeatureSet:
        from veridict.watch.features.roster import chosen_sets  # Numba: not before needed

        return chosen_sets(self.sets, label_delay_s=self.label_delay_s)

    def groups(self, fields: Payment) -> tuple[str, ...]:
        """By amount: payments carry nothing about the people.

        "100 and more" is where the amount alone gives nothing away in the AMLSim data.
        """
        band = next((name for top, name in BANDS if fields.amount_minor < top), "500 and more")
        if fields.amount_minor < BANDS[0][0]:
            return (f"amount: {band}",)
        return (f"amount: {band}", "amount: 100 and more")

    def settlement(self, example: Example[Payment]) -> Settlement:
        payment = example.fields
        return Settlement(payment.payer, payment.payee, payment.amount_minor)

    def summary(self, request: Request) -> str:
        payment = self.shape.fields(request)
        return f"{payment.payer} → {payment.payee}  {payment.amount_minor / 100:,.2f}"

    def reason_text(self, feature: int, value: float) -> str:
        return self._features[feature].sentence(value)

    def value_text(self, feature: int, value: float) -> str:
        return self._features[feature].short(value)


def _tells_places(path: Path, mapping: tuple[tuple[str, str], ...]) -> bool:
    told = {*names_in(path), *(key for key, _ in mapping)}
    return all(column.key in told for column in PLACE_COLUMNS)


def fdh_root(data_root: Path | None) -> Path:
    """`data_root` if the cards are there. Raises NotFound saying what to set."""
    if data_root is None or not (data_root / FDH_FILE).is_file():
        raise NotFound(
            "the Fraud Detection Handbook's cards are not here",
            remedy=f"set VERIDICT_DATA to a folder that holds {FDH_FILE}",
        )
    return data_root
