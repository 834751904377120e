"""Pictures for the demo's listings and posts, drawn when it is seeded: no files, no network.

`draw` makes the still life of a listing, `draw_scene` the photograph of a post. Both answer a JPEG
of 900 x 900 pixels; the same arguments give the same bytes (with the same Pillow).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

from config.seeds.canvas import Canvas, linear, shade
from config.seeds.pictures import audio, cameras, plants, scenes, services, trail, writing
from config.seeds.pictures.materials import Look

_ARTS: dict[str, Callable[[Look], None]] = {
    "camera": cameras.camera,
    "tlr": cameras.tlr,
    "slr": cameras.slr,
    "lens": cameras.lens_alone,
    "film": cameras.film,
    "meter": cameras.meter,
    "bag": cameras.bag,
    "headphones": audio.headphones,
    "turntable": audio.turntable,
    "speaker": audio.speaker,
    "amp": audio.amp,
    "cassette": audio.cassette,
    "cartridge": audio.cartridge,
    "shoe": trail.shoe,
    "vest": trail.vest,
    "watch": trail.watch,
    "bottle": trail.bottle,
    "headlamp": trail.headlamp,
    "poles": trail.poles,
    "pot": plants.pot,
    "plant": plants.plant,
    "seeds": plants.seeds,
    "can": plants.can,
    "shears": plants.shears,
    "pen": writing.pen,
    "ink": writing.ink,
    "notebook": writing.notebook,
    "nib": writing.nib,
    "toolbox": services.toolbox,
    "bike": services.bike,
    "sewing": services.sewing,
    "book": services.book,
}
_WIDE = {"turntable", "amp", "toolbox", "sewing"}
_SCENES: dict[str, Callable[[Look], None]] = {
    "street": scenes.street,
    "contact-sheet": scenes.contact_sheet,
    "trail": scenes.trail,
    "workbench": scenes.workbench,
    "shelf": scenes.shelf,
}
ARTS = tuple(_ARTS)
PLANTS = tuple(plants.KINDS)
SCENES = tuple(_SCENES)


def draw(art: str, hue: int, seed: int = 0) -> bytes:
    """The picture of a listing: one of ARTS, led by a hue in degrees (0 red, 120 green).

    The hue tints the backdrop and colours things that come in colours. `seed` varies the light,
    the angle and the details; for a bottle an odd seed is a steel flask. A plant may be named, as
    in `plant:hoya` (one of PLANTS), else the seed chooses it. Raises KeyError for an unknown art.
    """
    name, _, variety = art.partition(":")
    paint = _ARTS[name]
    look = _look(f"{art}:{hue}:{seed}", hue, seed, variety)
    _backdrop(look)
    c = look.canvas
    with c.at(
        look.random.uniform(-5, 5),
        look.random.uniform(-4, 3),
        scale=look.random.uniform(0.96, 1.02) * (0.93 if name in _WIDE else 1.0),
        about=(200, 318),
    ):
        paint(look)
    return c.jpeg()


def draw_scene(kind: str, seed: int = 0) -> bytes:
    """A photograph for a post: one of SCENES. Raises KeyError for an unknown kind."""
    paint = _SCENES[kind]
    look = _look(f"{kind}:{seed}", seed * 67 % 360, seed)
    paint(look)
    return look.canvas.jpeg()


def _look(key: str, hue: float, seed: int, variety: str = "") -> Look:
    rng = random.Random(key)  # noqa: S311 - variety, not secrets
    # Stated in the everyday colour circle, painted in oklch, whose circle starts elsewhere.
    angle = _oklch_hue(hue)
    drift = rng.uniform(-8, 8)
    backdrop = linear(
        shade(0.925, 0.042, angle + drift),
        shade(0.85, 0.065, angle + drift),
        shade(0.74, 0.082, angle + drift + 6),
        angle=rng.choice((55.0, 70.0, 110.0, 125.0)),
    )
    return Look(Canvas(backdrop), rng, angle, seed, variety)


def _oklch_hue(hue: float) -> float:
    """The oklch angle of a hue of the everyday circle, between known points of both."""
    known = (
        (0, 29),
        (30, 58),
        (60, 88),
        (90, 118),
        (120, 143),
        (180, 195),
        (240, 264),
        (300, 328),
        (360, 389),
    )
    hue %= 360
    for (low, from_angle), (high, to_angle) in itertools.pairwise(known):
        if hue <= high:
            return from_angle + (to_angle - from_angle) * (hue - low) / (high - low)
    return 29.0


def _backdrop(look: Look) -> None:
    """Light on the wall behind a still life: a disc, a window's beams, or a table's edge."""
    c = look.canvas
    kind = look.random.randrange(3)
    if kind == 0:
        x = look.random.uniform(150, 250)
        c.circle(x, 178, 142, "#ffffff38")
        c.circle(x, 178, 104, "#ffffff26")
    elif kind == 1:
        x = look.random.uniform(-60, 30)
        c.shape(f"M{x:.1f} 0 h110 l190 400 h-110 Z", "#ffffff2b")
        c.shape(f"M{x + 140:.1f} 0 h46 l190 400 h-46 Z", "#ffffff22")
    else:
        c.glow(200, 150, 210, 190, "#ffffff80")
        y = look.random.uniform(262, 276)
        c.rect(-40, y, 480, 160, look.tone(0.66, 0.075, 4, 0.5))
        c.rect(-40, y, 480, 2.2, "#ffffff55")
