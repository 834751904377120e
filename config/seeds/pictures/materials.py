"""What things are made of, and the parts several of them share."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

from config.seeds.canvas import Canvas, Linear, Paint, Point, Radial, linear, shade

CHROME = linear("#f6f4f0", "#cdc9c1", "#a29d95")
CHROME_DARK = linear("#b9b5ad", "#8a867f", "#6a665f")
BLACK = linear("#434247", "#2b2a2e", "#19181c")
CHARCOAL = linear("#5a595e", "#3b3a3f")
GLASS = Radial(((0.0, "#a9d6ea"), (0.35, "#35637c"), (0.8, "#12212d"), (1.0, "#0b1218")))
BRASS = linear("#f7e3a4", "#d9b04f", "#a67c28")
PAPER = linear("#fdfaf2", "#efe7d6")
WOOD = linear("#b97f4d", "#8f5a30", "#75451f")
TERRACOTTA = Linear(((0.0, "#b75f3c"), (0.3, "#dd8a62"), (0.62, "#c46c45"), (1.0, "#8f4527")), 0)


@dataclass(frozen=True)
class Look:
    """What varies between two pictures of one kind."""

    canvas: Canvas
    random: random.Random
    hue: float
    seed: int
    variety: str = ""

    def tone(self, lightness: float, chroma: float, shift: float = 0.0, alpha: float = 1.0) -> str:
        """A colour near the picture's leading hue."""
        return shade(lightness, chroma, self.hue + shift, alpha)

    def body(self, lightness: float = 0.58, chroma: float = 0.13, shift: float = 0.0) -> Linear:
        """The leading hue as a lit surface: lighter above, deeper below."""
        return linear(
            self.tone(lightness + 0.09, chroma, shift),
            self.tone(lightness, chroma, shift),
            self.tone(lightness - 0.14, chroma * 0.95, shift),
        )

    def tube(self, lightness: float = 0.55, chroma: float = 0.12, shift: float = 0.0) -> Linear:
        """The leading hue on something round that stands: dark edges, one bright stripe."""
        return Linear(
            (
                (0.0, self.tone(lightness - 0.13, chroma, shift)),
                (0.28, self.tone(lightness + 0.12, chroma, shift)),
                (0.6, self.tone(lightness, chroma, shift)),
                (1.0, self.tone(lightness - 0.2, chroma, shift)),
            ),
            0.0,
        )

    def pick(self, *choices: Paint) -> Paint:
        return self.random.choice(choices)


def lens(c: Canvas, cx: float, cy: float, r: float, rim: Paint = CHROME) -> None:
    """The front of a lens: rim, knurling, barrel, glass and its reflections."""
    c.circle(cx, cy + r * 0.05, r * 1.02, "#00000044")
    c.circle(cx, cy, r, rim)
    c.circle(cx, cy, r * 0.9, "#26252a")
    for step in range(48):
        with c.at(turn=step * 7.5, about=(cx, cy)):
            c.rect(cx - 0.8, cy - r * 0.9, 1.6, r * 0.07, "#6b6a70")
    c.circle(cx, cy, r * 0.74, "#17161a")
    c.ring(cx, cy, r * 0.66, r * 0.66, "#4b4a50", 1.2)
    c.circle(cx, cy, r * 0.57, GLASS)
    c.shape(_leaf((cx - r * 0.18, cy - r * 0.22), r * 0.2, r * 0.13), "#ffffff99")
    c.circle(cx + r * 0.2, cy + r * 0.24, r * 0.07, "#e6b6ffaa")


def _leaf(at: Point, rx: float, ry: float) -> str:
    x, y = at
    return (
        f"M{x - rx} {y + ry * 0.6:.2f} Q{x - rx * 0.7:.2f} {y - ry:.2f} {x + rx:.2f} {y - ry:.2f} "
        f"Q{x + rx * 0.5:.2f} {y + ry * 0.5:.2f} {x - rx:.2f} {y + ry * 0.6:.2f} Z"
    )


def knob(c: Canvas, x: float, y: float, r: float, turn: float, face: Paint = CHROME) -> None:
    """A round control with a mark that shows where it is turned to (degrees from the top)."""
    c.circle(x, y + r * 0.14, r * 1.06, "#00000055")
    c.circle(x, y, r, face)
    c.circle(x, y, r * 0.72, linear("#ffffff55", "#00000022", angle=60))
    with c.at(turn=turn, about=(x, y)):
        c.rect(x - r * 0.07, y - r * 0.9, r * 0.14, r * 0.45, "#2a292d", r * 0.07)


def stitches(
    c: Canvas, points: list[Point], colour: str, *, length: float = 6.0, width: float = 2.2
) -> None:
    """A seam: dashes along a line of points."""
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        span = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        dashes = max(1, round(span / (length * 1.8)))
        for dash in range(dashes):
            start, end = (dash + 0.2) / dashes, (dash + 0.75) / dashes
            c.line(
                [
                    (x1 + (x2 - x1) * start, y1 + (y2 - y1) * start),
                    (x1 + (x2 - x1) * end, y1 + (y2 - y1) * end),
                ],
                colour,
                width,
            )
