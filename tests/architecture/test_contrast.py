"""Every pair of text and ground the components use, measured from static/css/tokens.css."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[2] / "static" / "css" / "tokens.css"
TEXT, GRAPHIC = 4.5, 3.0  # WCAG 2.2 AA: text of any size; lines, icons and focus rings

Oklch = tuple[float, float, float]
Themes = tuple[Oklch, Oklch]  # light, dark

OKLCH = r"oklch\(\s*([\d.]+)%\s+([\d.]+)\s+([\d.]+)\s*\)"


def parse(css: str) -> dict[str, Themes]:
    """Read each `--name: light-dark(oklch(…), oklch(…))` and each plain `--name: oklch(…)`."""
    found: dict[str, Themes] = {}
    for name, *parts in re.findall(rf"--([\w-]+):\s*light-dark\({OKLCH},\s*{OKLCH}\);", css):
        l1, c1, h1, l2, c2, h2 = map(float, parts)
        found[name] = ((l1, c1, h1), (l2, c2, h2))
    for name, *parts in re.findall(rf"--([\w-]+):\s*{OKLCH};", css):
        lightness, chroma, hue = map(float, parts)
        found[name] = ((lightness, chroma, hue),) * 2
    return found


def linear(colour: Oklch) -> tuple[float, float, float]:
    """Turn oklch (lightness in per cent) into linear sRGB; outside 0 to 1 it is out of gamut."""
    lightness, chroma, hue = colour
    lightness /= 100
    a = chroma * math.cos(math.radians(hue))
    b = chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def luminance(colour: Oklch) -> float:
    """Give the relative luminance of WCAG, after rounding to the 8 bits a screen gets."""
    total = 0.0
    for weight, channel in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True):
        value = min(1.0, max(0.0, channel))
        encoded = 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
        shown = round(255 * encoded) / 255
        total += weight * (shown / 12.92 if shown <= 0.04045 else ((shown + 0.055) / 1.055) ** 2.4)
    return total


def contrast(one: Oklch, other: Oklch) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


GROUNDS = ("canvas", "surface", "surface-2", "surface-3")
PAIRS: list[tuple[str, str, float]] = [
    *((ink, ground, TEXT) for ink in ("ink", "ink-2", "ink-3") for ground in GROUNDS),
    *(("brand", ground, TEXT) for ground in ("canvas", "surface", "surface-2", "brand-tint")),
    *(("brand-ink", ground, TEXT) for ground in ("canvas", "surface", "surface-2", "brand-tint")),
    *(("deal-ink", ground, TEXT) for ground in ("canvas", "surface", "surface-2", "deal-tint")),
    *(
        (f"{tone}-ink", ground, TEXT)
        for tone in ("ok", "warn", "danger", "info")
        for ground in ("surface", "canvas", f"{tone}-tint")
    ),
    *(("live", ground, TEXT) for ground in ("surface", "canvas")),
    *(("on-brand", ground, TEXT) for ground in ("brand", "brand-hover")),
    *(("on-deal", ground, TEXT) for ground in ("deal", "deal-hover")),
    ("on-live", "live", TEXT),
    ("canvas", "ink", TEXT),  # the chosen chip, the toast
    *((ink, "brand-tint", TEXT) for ink in ("ink", "ink-2", "ink-3")),
    *((ink, "deal-tint", TEXT) for ink in ("ink", "ink-2")),
    *(("on-av", f"av-{colour}", TEXT) for colour in range(12)),
    *(("ink", f"tint-{colour}", TEXT) for colour in range(12)),
    *(("heat-ink-lo", f"heat-{step}", TEXT) for step in range(4)),
    ("heat-ink-hi", "heat-4", TEXT),
    *(("line-strong", ground, GRAPHIC) for ground in ("canvas", "surface", "surface-2")),
    *(("focus", ground, GRAPHIC) for ground in ("canvas", "surface", "surface-2", "brand-tint")),
    *((series, "surface", GRAPHIC) for series in ("c1", "c2", "c3", "c4", "c5", "gold")),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS)
def test_a_pair_is_readable(front: str, ground: str, least: float, theme: int) -> None:
    tokens = parse(TOKENS.read_text())
    ratio = contrast(tokens[front][theme], tokens[ground][theme])
    assert ratio >= least, f"--{front} on --{ground} has {ratio:.2f}"


def test_no_colour_is_outside_what_screens_show() -> None:
    outside = [
        name
        for name, themes in parse(TOKENS.read_text()).items()
        if not all(-1e-3 <= channel <= 1.001 for colour in themes for channel in linear(colour))
    ]
    assert outside == []


def test_the_measure_knows_black_on_white_and_a_bad_pair() -> None:
    black, white = (0.0, 0.0, 0.0), (100.0, 0.0, 0.0)
    assert round(contrast(black, white), 1) == 21.0
    # Our deal yellow with white text on it: why --on-deal is dark.
    assert contrast(parse(TOKENS.read_text())["deal"][0], white) < 2
