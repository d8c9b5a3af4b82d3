"""Each text colour stands out from each ground that it stands on, in both lights (WCAG AA)."""

from __future__ import annotations

import re

import pytest

from veridict.apps.web.app import STATIC

TEXT_RATIO = 4.5  # WCAG 2.2, 1.4.3
EDGE_RATIO = 3.0  # WCAG 2.2, 1.4.11: borders of controls

Colours = dict[str, str]


def _schemes() -> dict[str, Colours]:
    css = (STATIC / "css/tokens.css").read_text()
    blocks = re.findall(r"([^{}]*)\{([^{}]*)\}", css)
    named = {head.strip().splitlines()[-1].strip(): _colours(body) for head, body in blocks}
    return {
        "light": named[":root"],
        "dark by system": named[':root:not([data-theme="light"])'],
        "dark by hand": named[':root[data-theme="dark"]'],
    }


def _colours(body: str) -> Colours:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", body))


def _luminance(colour: str) -> float:
    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark by system", "dark by hand"])
def test_text_stands_out(scheme: str) -> None:
    colours = _schemes()[scheme]
    grounds = ("paper", "card", "sunk")
    pairs = [(ink, ground) for ink in ("ink", "soft", "accent") for ground in grounds]
    pairs += [
        (word, ground) for word in ("allow", "review", "hold") for ground in ("card", "paper")
    ]
    pairs += [(word, f"{word}-soft") for word in ("allow", "review", "hold", "accent")]
    pairs += [("on-accent", "accent"), ("ink", "accent-soft"), ("soft", "accent-soft")]
    pairs += [("ink", "hold-soft"), ("soft", "hold-soft"), ("soft", "allow-soft")]
    poor = {
        pair: round(ratio, 2)
        for pair in pairs
        if (ratio := contrast(colours[pair[0]], colours[pair[1]])) < TEXT_RATIO
    }
    assert poor == {}


@pytest.mark.parametrize("scheme", ["light", "dark by system", "dark by hand"])
def test_edges_of_controls_stand_out(scheme: str) -> None:
    colours = _schemes()[scheme]
    for ground in ("paper", "card"):
        assert contrast(colours["edge"], colours[ground]) >= EDGE_RATIO


def test_both_ways_to_the_dark_are_the_same() -> None:
    schemes = _schemes()
    assert schemes["dark by system"] == schemes["dark by hand"]
    assert set(schemes["light"]) == set(schemes["dark by hand"])
