"""A small canvas for flat still lifes: paths, gradients, soft shadows, drawn large and reduced.

Coordinates are units of a 400 x 400 square with the origin at the top left, whatever the
picture's size in pixels. Colours are `#rrggbb` or `#rrggbbaa`.
"""

from __future__ import annotations

import io
import itertools
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

SIDE = 900
# Shapes are drawn at twice the size and averaged. LANCZOS costs twelve times as much as this
# average (50 ms a picture) and shows no difference in flat shapes.
OVERSAMPLE = 2
# Gradients and shadows are smooth: one sample in four by four drawn pixels carries them.
GRAIN = 4
JPEG_QUALITY = 88

Point: TypeAlias = tuple[float, float]
Rgba: TypeAlias = tuple[int, int, int, int]
Box: TypeAlias = tuple[int, int, int, int]
Matrix: TypeAlias = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Linear:
    """Colours along a line over the shape's box; 0 degrees runs right, 90 runs down."""

    stops: tuple[tuple[float, str], ...]
    angle: float = 90.0


@dataclass(frozen=True)
class Radial:
    """Colours outwards from a centre; all figures are fractions of the shape's box."""

    stops: tuple[tuple[float, str], ...]
    cx: float = 0.38
    cy: float = 0.34
    radius: float = 0.75


Paint: TypeAlias = str | Linear | Radial


def linear(*colours: str, angle: float = 90.0) -> Linear:
    """A gradient through evenly spaced colours (at least two)."""
    last = len(colours) - 1
    return Linear(tuple((i / last, colour) for i, colour in enumerate(colours)), angle)


@lru_cache(maxsize=2048)
def rgba(colour: str) -> Rgba:
    """`#rrggbb` or `#rrggbbaa` as four numbers of 0 to 255."""
    digits = colour.lstrip("#")
    if len(digits) == 6:
        digits += "ff"
    return (int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16), int(digits[6:8], 16))


@lru_cache(maxsize=4096)
def shade(lightness: float, chroma: float, hue: float, alpha: float = 1.0) -> str:
    """An oklch colour as hex: equal lightness looks equally light at every hue.

    `lightness` and `alpha` are 0 to 1, `hue` is in degrees; what sRGB cannot show is clipped.
    """
    a = chroma * math.cos(math.radians(hue))
    b = chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear_light = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    channels = [_gamma(value) for value in linear_light]
    return "#" + "".join(f"{channel:02x}" for channel in [*channels, round(alpha * 255)])


def _gamma(value: float) -> int:
    value = min(max(value, 0.0), 1.0)
    encoded = 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return round(encoded * 255)


def fade(colour: str, alpha: float) -> str:
    """The same colour at another opacity (0 to 1)."""
    red, green, blue, _ = rgba(colour)
    return f"#{red:02x}{green:02x}{blue:02x}{round(alpha * 255):02x}"


_TOKEN = re.compile(r"[MLHVCQTZmlhvcqtz]|-?\d*\.?\d+")
_ARITY = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "Q": 4, "T": 2}


@lru_cache(maxsize=1024)
def path_points(path: str) -> tuple[tuple[Point, ...], ...]:
    """SVG path text (M L H V C Q T Z and their relative forms) as polylines, one a subpath."""
    tokens = _TOKEN.findall(path)
    lines: list[list[Point]] = []
    x = y = 0.0
    bend: Point | None = None  # the last Q's handle, which T mirrors
    command = "M"
    at = 0
    while at < len(tokens):
        if tokens[at].isalpha():
            command = tokens[at]
            at += 1
            if command in "Zz":
                x, y = lines[-1][0]
                continue
        kind = command.upper()
        values = [float(token) for token in tokens[at : at + _ARITY[kind]]]
        at += len(values)
        if command.islower():
            if kind == "H":
                values[0] += x
            elif kind == "V":
                values[0] += y
            else:
                values = [v + (y if i % 2 else x) for i, v in enumerate(values)]
        if kind == "M":
            lines.append([(values[0], values[1])])
            command = "l" if command == "m" else "L"
        elif kind == "L":
            lines[-1].append((values[0], values[1]))
        elif kind == "H":
            lines[-1].append((values[0], y))
        elif kind == "V":
            lines[-1].append((x, values[0]))
        else:
            if kind == "T":
                values = [2 * x - bend[0], 2 * y - bend[1], *values] if bend else [x, y, *values]
            lines[-1].extend(_curve((x, y), values))
        bend = (values[0], values[1]) if kind in "QT" else None
        x, y = lines[-1][-1]
    return tuple(tuple(line) for line in lines)


def _curve(start: Point, values: list[float], steps: int = 14) -> list[Point]:
    ends = [start, *zip(values[::2], values[1::2], strict=True)]
    points = []
    for step in range(1, steps + 1):
        t = step / steps
        level: list[Point] = list(ends)
        while len(level) > 1:
            level = [
                (p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t)
                for p, q in itertools.pairwise(level)
            ]
        points.append(level[0])
    return points


def ellipse_points(
    cx: float, cy: float, rx: float, ry: float, start: float = 0.0, end: float = 360.0
) -> list[Point]:
    """Points along an ellipse, clockwise from `start` to `end` degrees (0 is to the right)."""
    steps = max(8, round(abs(end - start) / 360 * 72))
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [(cx + rx * math.cos(angle), cy + ry * math.sin(angle)) for angle in angles]


def round_rect_points(x: float, y: float, w: float, h: float, r: float) -> list[Point]:
    """The outline of a rectangle with corners of radius `r` (cut down to half the short side)."""
    r = min(r, w / 2, h / 2)
    if r <= 0:
        return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    corners = (
        (x + w - r, y + r, 270.0),
        (x + w - r, y + h - r, 0.0),
        (x + r, y + h - r, 90.0),
        (x + r, y + r, 180.0),
    )
    points: list[Point] = []
    for cx, cy, start in corners:
        for step in range(7):
            angle = math.radians(start + step * 15)
            points.append((cx + r * math.cos(angle), cy + r * math.sin(angle)))
    return points


class Canvas:
    """A square picture under way. Shapes land in the order they are asked for."""

    def __init__(self, backdrop: Linear, side: int = SIDE) -> None:
        self._pixels = side * OVERSAMPLE
        self._unit = self._pixels / 400
        self._matrix: Matrix = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
        self._angle = 0.0
        self._clip: tuple[Image.Image, Box] | None = None
        tile, _ = _gradient(backdrop, self._pixels // GRAIN, self._pixels // GRAIN, 0.0)
        self._image = tile.resize((self._pixels, self._pixels), Image.Resampling.NEAREST)
        self._pen = ImageDraw.Draw(self._image, "RGBA")

    # Where shapes go

    @contextmanager
    def at(
        self,
        dx: float = 0.0,
        dy: float = 0.0,
        *,
        turn: float = 0.0,
        scale: float = 1.0,
        about: Point = (200.0, 200.0),
        flip: bool = False,
    ) -> Iterator[None]:
        """Move, turn (degrees, clockwise), scale and mirror what is drawn inside the block.

        Turning, scaling and mirroring keep the point `about` where it is.
        """
        before, angle = self._matrix, self._angle
        cos, sin = math.cos(math.radians(turn)) * scale, math.sin(math.radians(turn)) * scale
        mirror = -1.0 if flip else 1.0
        a, b, d, e = cos * mirror, -sin, sin * mirror, cos
        px, py = about
        inner: Matrix = (a, b, px - a * px - b * py + dx, d, e, py - d * px - e * py + dy)
        self._matrix = _product(before, inner)
        self._angle += turn
        try:
            yield
        finally:
            self._matrix, self._angle = before, angle

    @contextmanager
    def inside(self, shape: str | list[Point]) -> Iterator[None]:
        """Cut what is drawn inside the block to a shape (one path or its points)."""
        before = self._clip
        [outline] = _outlines(shape)
        placed = self._place(outline)
        box = self._box(placed, 0) or (0, 0, 1, 1)
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        ImageDraw.Draw(mask).polygon([(x - box[0], y - box[1]) for x, y in placed], fill=255)
        self._clip = (self._clipped(mask, box), box)
        try:
            yield
        finally:
            self._clip = before

    def _place(self, points: list[Point] | tuple[Point, ...]) -> list[Point]:
        a, b, c, d, e, f = self._matrix
        unit = self._unit
        return [((a * x + b * y + c) * unit, (d * x + e * y + f) * unit) for x, y in points]

    def _scale(self) -> float:
        a, _, _, d, _, _ = self._matrix
        return math.hypot(a, d) * self._unit

    # Shapes

    def shape(self, shape: str | list[Point], paint: Paint) -> None:
        """Fill a path (SVG text; each subpath apart) or a list of points."""
        for line in _outlines(shape):
            placed = self._place(line)
            if isinstance(paint, str) and self._clip is None:
                self._pen.polygon(placed, fill=rgba(paint))
            else:
                self._paint(placed, paint)

    def rect(self, x: float, y: float, w: float, h: float, paint: Paint, r: float = 0.0) -> None:
        self.shape(round_rect_points(x, y, w, h, r), paint)

    def ellipse(self, cx: float, cy: float, rx: float, ry: float, paint: Paint) -> None:
        self.shape(ellipse_points(cx, cy, rx, ry), paint)

    def circle(self, cx: float, cy: float, r: float, paint: Paint) -> None:
        self.ellipse(cx, cy, r, r, paint)

    def ring(self, cx: float, cy: float, rx: float, ry: float, colour: str, width: float) -> None:
        self.line(ellipse_points(cx, cy, rx, ry), colour, width, round_ends=False)

    def line(
        self, shape: str | list[Point], colour: str, width: float, *, round_ends: bool = True
    ) -> None:
        """Stroke a path; a see-through colour is laid once even where the stroke meets itself."""
        thick = max(1, round(width * self._scale()))
        for line in _outlines(shape):
            placed = self._place(line)
            if rgba(colour)[3] == 255 and self._clip is None:
                _stroke(self._pen, placed, thick, rgba(colour), round_ends)
                continue
            box = self._box(placed, thick)
            if box is None:
                continue
            mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
            moved = [(x - box[0], y - box[1]) for x, y in placed]
            _stroke(ImageDraw.Draw(mask), moved, thick, 255, round_ends)
            self._lay(box, mask, colour)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        colour: str,
        size: float,
        *,
        bold: bool = False,
        anchor: str = "mm",
    ) -> None:
        """Text in the face Pillow carries, turned with the block it stands in."""
        pixels = size * self._scale()
        face = _face(round(pixels))
        weight = max(1, round(pixels / 30)) if bold else 0
        left, top, right, bottom = face.getbbox(text, anchor=anchor, stroke_width=weight)
        pad = 2
        mask = Image.new("L", (int(right - left) + 2 * pad, int(bottom - top) + 2 * pad))
        ImageDraw.Draw(mask).text(
            (pad - left, pad - top), text, fill=255, font=face, anchor=anchor, stroke_width=weight
        )
        middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
        turn = math.radians(self._angle)
        if self._angle:
            mask = mask.rotate(-self._angle, Image.Resampling.BILINEAR, expand=True)
        [(ax, ay)] = self._place([(x, y)])
        cx = ax + middle_x * math.cos(turn) - middle_y * math.sin(turn)
        cy = ay + middle_x * math.sin(turn) + middle_y * math.cos(turn)
        corner = (round(cx - mask.width / 2), round(cy - mask.height / 2))
        self._lay((*corner, corner[0] + mask.width, corner[1] + mask.height), mask, colour)

    # Light

    def floor_shadow(
        self, cx: float, cy: float, rx: float, ry: float, strength: float = 0.3
    ) -> None:
        """A soft dark ellipse under a thing that stands."""
        self.cast(ellipse_points(cx, cy, rx, ry), blur=ry * 0.45, strength=strength)

    def cast(
        self,
        shape: str | list[Point],
        dx: float = 0.0,
        dy: float = 0.0,
        *,
        blur: float = 6.0,
        strength: float = 0.3,
        colour: str = "#1b1420",
    ) -> None:
        """A blurred copy of a shape, moved by (dx, dy) units whatever way the block is turned."""
        coarse = 8
        for line in _outlines(shape):
            shift_x, shift_y = dx * self._unit, dy * self._unit
            placed = [(x + shift_x, y + shift_y) for x, y in self._place(line)]
            box = self._box(placed, round(blur * self._unit * 2.4) + coarse)
            if box is None:
                continue
            size = (box[2] - box[0], box[3] - box[1])
            small = Image.new("L", (size[0] // coarse + 1, size[1] // coarse + 1))
            ImageDraw.Draw(small).polygon(
                [((x - box[0]) / coarse, (y - box[1]) / coarse) for x, y in placed],
                fill=round(255 * strength),
            )
            small = small.filter(ImageFilter.GaussianBlur(blur * self._unit / coarse))
            middle = (size[0] // GRAIN + 1, size[1] // GRAIN + 1)
            soft = small.resize(middle, Image.Resampling.BILINEAR)
            self._lay(box, soft.resize(size, Image.Resampling.NEAREST), colour)

    def glow(self, cx: float, cy: float, rx: float, ry: float, colour: str) -> None:
        """A soft light that fades to nothing at the edge of the ellipse."""
        stops = ((0.0, colour), (0.35, fade(colour, rgba(colour)[3] / 255 * 0.55)))
        self.ellipse(cx, cy, rx, ry, Radial((*stops, (1.0, fade(colour, 0.0))), 0.5, 0.5, 0.5))

    # Results

    def jpeg(self) -> bytes:
        buffer = io.BytesIO()
        self._image.reduce(OVERSAMPLE).save(buffer, "JPEG", quality=JPEG_QUALITY)
        return buffer.getvalue()

    # Pixels

    def _box(self, placed: list[Point], pad: int) -> Box | None:
        """The pixels a shape may touch, cut to what may be drawn on; None when there are none."""
        xs, ys = [x for x, _ in placed], [y for _, y in placed]
        left, top = max(0, math.floor(min(xs)) - pad), max(0, math.floor(min(ys)) - pad)
        right = min(self._pixels, math.ceil(max(xs)) + pad + 1)
        bottom = min(self._pixels, math.ceil(max(ys)) + pad + 1)
        if self._clip is not None:
            _, limits = self._clip
            left, top = max(left, limits[0]), max(top, limits[1])
            right, bottom = min(right, limits[2]), min(bottom, limits[3])
        return (left, top, right, bottom) if right > left and bottom > top else None

    def _paint(self, placed: list[Point], paint: Paint) -> None:
        box = self._box(placed, 0)
        if box is None:
            return
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        ImageDraw.Draw(mask).polygon([(x - box[0], y - box[1]) for x, y in placed], fill=255)
        self._lay(box, mask, paint)

    def _clipped(self, mask: Image.Image, box: Box) -> Image.Image:
        if self._clip is None:
            return mask
        cut, (left, top, _, _) = self._clip
        part = cut.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))
        return ImageChops.multiply(mask, part)

    def _lay(self, box: Box, mask: Image.Image, paint: Paint) -> None:
        mask = self._clipped(mask, box)
        if isinstance(paint, str):
            red, green, blue, alpha = rgba(paint)
            if alpha < 255:
                mask = mask.point([value * alpha // 255 for value in range(256)])
            self._image.paste((red, green, blue), box, mask)
            return
        size = (box[2] - box[0], box[3] - box[1])
        tile, opacity = _gradient(paint, size[0] // GRAIN + 1, size[1] // GRAIN + 1, self._angle)
        if opacity is not None:
            mask = ImageChops.multiply(mask, opacity.resize(size, Image.Resampling.NEAREST))
        self._image.paste(tile.resize(size, Image.Resampling.NEAREST), box, mask)


def _product(m: Matrix, n: Matrix) -> Matrix:
    a, b, c, d, e, f = m
    g, h, i, j, k, o = n
    return (
        a * g + b * j,
        a * h + b * k,
        a * i + b * o + c,
        d * g + e * j,
        d * h + e * k,
        d * i + e * o + f,
    )


def _outlines(shape: str | list[Point]) -> tuple[tuple[Point, ...], ...]:
    return path_points(shape) if isinstance(shape, str) else (tuple(shape),)


def _stroke(
    pen: ImageDraw.ImageDraw, points: list[Point], width: int, fill: Rgba | int, round_ends: bool
) -> None:
    pen.line(points, fill=fill, width=width, joint="curve")
    if round_ends and width > 2:
        for x, y in (points[0], points[-1]):
            r = width / 2
            pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)


@lru_cache(maxsize=64)
def _face(pixels: int) -> ImageFont.FreeTypeFont:
    face = ImageFont.load_default(max(4, pixels))
    if not isinstance(face, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType, so pictures cannot carry text.")
    return face


def _gradient(
    paint: Linear | Radial, width: int, height: int, turned: float
) -> tuple[Image.Image, Image.Image | None]:
    """Colours for a box of pixels, and their opacity where any stop is see-through."""
    u, v = _GRID
    if isinstance(paint, Linear):
        angle = math.radians(paint.angle + turned)
        reach_x, reach_y = width * math.cos(angle), height * math.sin(angle)
        reach = abs(reach_x) + abs(reach_y)
        place = ((u - 0.5) * reach_x + (v - 0.5) * reach_y) / reach + 0.5
    else:
        place = np.hypot(u - paint.cx, v - paint.cy) / paint.radius
    # The ramp is spread over all 256 levels before it is enlarged, and coloured after: enlarging
    # colours that differ by a few levels would show the coarse grid.
    ramp = Image.fromarray(np.clip(place * 255, 0, 255).round().astype(np.uint8))
    ramp = ramp.resize((width, height), Image.Resampling.BILINEAR)
    channels = [ramp.point(table) for table in _tables(paint.stops)]
    return Image.merge("RGB", channels[:3]), channels[3] if len(channels) == 4 else None


_GRID = ((np.mgrid[0:48, 0:48].astype(np.float32) + 0.5) / 48)[::-1]


@lru_cache(maxsize=512)
def _tables(stops: tuple[tuple[float, str], ...]) -> tuple[list[int], ...]:
    """For each of red, green, blue (and opacity, if any is below full), the level at each place."""
    offsets = [offset for offset, _ in stops]
    colours = [rgba(colour) for _, colour in stops]
    places = np.linspace(0.0, 1.0, 256)
    return tuple(
        np.interp(places, offsets, [colour[i] for colour in colours]).round().astype(int).tolist()
        for i in range(4 if any(colour[3] < 255 for colour in colours) else 3)
    )
