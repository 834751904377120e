"""Draw the icons of the installed site, as static/img/logo.svg has it: `static/img/icons/*.png`.

Run it after the logo or its colour changed, and commit what it drew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand
from PIL import Image, ImageDraw

GROUND: Final = (0, 106, 93)
INK: Final = (255, 255, 255)
PALE: Final = (179, 210, 206)  # the ink at 70 % on the ground
SIDE: Final = 32  # of the logo's own grid
FINER: Final = 4  # drawn so much larger, then made smooth by shrinking
STEPS: Final = 64  # of a curve

# Two arcs each: from, through (the curve's handle), to.
WAVES: Final = (
    (((6.5, 20.5), (11.25, 16.5), (16, 20.5)), ((16, 20.5), (20.75, 24.5), (25.5, 20.5)), INK),
    (((9.5, 14.2), (12.75, 11.4), (16, 14.2)), ((16, 14.2), (19.25, 17), (22.5, 14.2)), PALE),
)

# Name, pixels, and the share of the side the drawing takes: what a phone cuts off stays ground.
ICONS: Final = (
    ("icon-192", 192, 1.0),
    ("icon-512", 512, 1.0),
    ("maskable-512", 512, 0.72),
    ("touch-180", 180, 0.86),
)


def draw(pixels: int, share: float) -> Image.Image:
    """Draw the logo `pixels` wide; with a share below 1 on a ground without round corners."""
    large = pixels * FINER
    picture = Image.new("RGBA", (large, large), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    radius = 9 / SIDE * large if share == 1.0 else 0
    pen.rounded_rectangle((0, 0, large - 1, large - 1), radius, fill=GROUND)
    scale, offset = large * share / SIDE, large * (1 - share) / 2

    def at(x: float, y: float) -> tuple[float, float]:
        return x * scale + offset, y * scale + offset

    def dot(x: float, y: float, size: float, fill: tuple[int, int, int]) -> None:
        left, top = at(x - size, y - size)
        right, bottom = at(x + size, y + size)
        pen.ellipse((left, top, right, bottom), fill=fill)

    for *arcs, fill in WAVES:
        for (x0, y0), (x1, y1), (x2, y2) in arcs:
            for step in range(STEPS + 1):
                t = step / STEPS
                x = (1 - t) ** 2 * x0 + 2 * t * (1 - t) * x1 + t**2 * x2
                y = (1 - t) ** 2 * y0 + 2 * t * (1 - t) * y1 + t**2 * y2
                dot(x, y, 1.3, fill)
    dot(16, 8.2, 2.1, INK)
    return picture.resize((pixels, pixels), Image.Resampling.LANCZOS)


class Command(BaseCommand):
    help = "Draw the icons of the installed site from the logo."

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.BASE_DIR) / "static" / "img" / "icons"
        folder.mkdir(exist_ok=True)
        for name, pixels, share in ICONS:
            flat = draw(pixels, share).quantize(64, dither=Image.Dither.NONE)
            flat.save(folder / f"{name}.png", optimize=True)
            self.stdout.write(f"{name}.png")
