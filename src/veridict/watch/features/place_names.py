"""What the features of places mean and how each reads; `places` computes them."""

from __future__ import annotations

from veridict.watch.features.names import Feature

NO_PLACE = "no earlier place is known"

PLACES: tuple[Feature, ...] = (
    Feature("travel_km", "the payment is {v:.0f} km from the payer's last", NO_PLACE),
    Feature("travel_kmh", "getting there from the last payment takes {v:.0f} km/h", NO_PLACE),
    Feature(
        "country_share",
        "a share of {v:.2f} of the payer's payments is made in this country",
        "no earlier country is known",
    ),
    Feature("payer_countries", "the payer has paid in {v:.0f} countries"),
    Feature("home_km", "the payment is {v:.0f} km from where the payer usually pays", NO_PLACE),
)
