"""House plants and what keeps them."""

from __future__ import annotations

import math

from config.seeds.canvas import Linear, Point, linear, shade
from config.seeds.pictures.materials import (
    BRASS,
    CHROME,
    CHROME_DARK,
    PAPER,
    TERRACOTTA,
    Look,
)


def _vessel(look: Look, x: float, w: float, top: float, glaze: bool) -> None:
    """A pot standing on y = 318, `w` units wide at the rim, which is at `top`."""
    c = look.canvas
    left, right, inset = x - w / 2, x + w / 2, w * 0.13
    paint = look.tube(0.66, 0.1) if glaze else TERRACOTTA
    c.shape(
        f"M{left + 6:.1f} {top + 10} H{right - 6:.1f} L{right - inset:.1f} 304 "
        f"Q{right - inset - 4:.1f} 318 {right - inset - 16:.1f} 318 H{left + inset + 16:.1f} "
        f"Q{left + inset + 4:.1f} 318 {left + inset:.1f} 304 Z",
        paint,
    )
    if glaze:
        for i in range(3):
            y = top + 46 + i * 18
            c.rect(left + 8 + i * 3, y, w - 16 - i * 6, 5, look.tone(0.9, 0.05, 30, 0.75), 2)
    else:
        c.ellipse(x - w * 0.18, 286, w * 0.14, 12, "#ffffff1f")
    c.rect(left, top, w, 26, paint, 6)
    c.rect(left, top + 24, w, 5, "#00000030")
    c.rect(left + 6, top + 3, w - 12, 4, "#ffffff40", 2)


def pot(look: Look) -> None:
    """An empty pot on a saucer, a small one beside it."""
    c = look.canvas
    glaze = look.seed % 2 == 0
    c.floor_shadow(206, 322, 146, 15)
    with c.at(112, 0, scale=0.56, about=(200, 318)):
        _vessel(look, 200, 156, 168, not glaze)
        c.ellipse(200, 170, 70, 12, "#3a241a")
    c.rect(70, 304, 188, 18, look.tube(0.6, 0.09) if glaze else TERRACOTTA, 8)
    _vessel(look, 164, 186, 118, glaze)
    c.ellipse(164, 121, 86, 13, "#2f1d15")
    c.ellipse(164, 126, 78, 9, "#4a2f20")


Leaf = tuple[float, float, float, float]


def _heart(x: float, y: float, size: float, turn: float) -> list[Point]:
    """A heart-shaped leaf that hangs from (x, y), its tip `turn` degrees clockwise from up."""
    points: list[Point] = []
    for i in range(41):
        t = math.tau * i / 40
        hx = 16 * math.sin(t) ** 3 / 17
        hy = (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 17
        points.append((hx * size * 0.8, (hy - 0.35) * size * 0.95))
    return _turned(points, x, y, turn)


def _turned(points: list[Point], x: float, y: float, turn: float) -> list[Point]:
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return [(x + px * cos - py * sin, y + px * sin + py * cos) for px, py in points]


def _monstera_leaf(x: float, y: float, size: float, turn: float) -> list[Point]:
    """A broad heart with cuts from its edge towards the midrib, `size` units from stalk to tip."""
    points: list[Point] = []
    for i in range(121):
        t = math.tau * i / 120
        hx = 16 * math.sin(t) ** 3 / 17
        hy = (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 17
        reach = 1.0
        if 14 <= min(i, 120 - i) <= 52 and min(i, 120 - i) % 9 in (4, 5):
            reach = 0.34 + 0.002 * min(i, 120 - i)
        points.append((hx * size * 0.78 * reach, (-0.62 + hy + (1 - reach) * 0.16) * size * 0.78))
    return _turned([(px, py + size * 0.2) for px, py in points], x, y, turn)


def _stem(look: Look, x: float, y: float, colour: str, width: float = 6.0) -> None:
    look.canvas.line(f"M200 200 Q{(200 + x) / 2:.1f} {y + 30:.1f} {x:.1f} {y:.1f}", colour, width)


def _vein(look: Look, x: float, y: float, size: float, turn: float, colour: str) -> None:
    tip = _turned([(0.0, -size)], x, y, turn)
    look.canvas.line([(x, y), *tip], colour, 2.6)


def _monstera(look: Look) -> None:
    green = look.random.uniform(140, 152)
    leaves: tuple[Leaf, ...] = (
        (118, 132, 78, -62),
        (288, 124, 80, 58),
        (158, 112, 74, -22),
        (250, 96, 78, 22),
        (200, 152, 84, 4),
        (262, 178, 62, 78),
        (136, 182, 60, -84),
    )
    for x, y, _, _ in leaves:
        _stem(look, x, y, shade(0.48, 0.1, green))
    for i, (x, y, size, turn) in enumerate(leaves):
        turn += look.random.uniform(-8, 8)
        light = 0.43 + 0.045 * (i % 4)
        outline = _monstera_leaf(x, y, size, turn)
        look.canvas.cast(outline, 3, 6, blur=4, strength=0.25)
        look.canvas.shape(
            outline, linear(shade(light + 0.1, 0.12, green), shade(light - 0.04, 0.1, green))
        )
        _vein(look, x, y, size * 1.05, turn, shade(light + 0.2, 0.11, green - 15))


def _snake(look: Look) -> None:
    c = look.canvas
    for x, lean, tall, width in (
        (152, -15, 138, 34),
        (250, 16, 128, 34),
        (176, -7, 186, 38),
        (228, 8, 172, 38),
        (202, 1, 150, 42),
    ):
        height = tall + look.random.uniform(-10, 10)
        top = 206 - height
        half = width / 2
        waist = top + height * 0.45
        blade = (
            f"M{x - half * 0.7:.1f} 214 Q{x - half * 1.5:.1f} {waist:.1f} {x} {top:.1f} "
            f"Q{x + half * 1.5:.1f} {waist:.1f} {x + half * 0.7:.1f} 214 Z"
        )
        inner = (
            f"M{x - half * 0.45:.1f} 214 Q{x - half:.1f} {waist:.1f} {x} {top + 16:.1f} "
            f"Q{x + half:.1f} {waist:.1f} {x + half * 0.45:.1f} 214 Z"
        )
        with c.at(turn=lean, about=(x, 214)):
            c.cast(blade, 4, 3, blur=4, strength=0.22)
            c.shape(blade, linear(shade(0.84, 0.13, 108), shade(0.7, 0.12, 112)))
            c.shape(inner, linear(shade(0.5, 0.09, 148), shade(0.36, 0.07, 152)))
            with c.inside(inner):
                y: float = top + 24
                while y < 210:
                    c.line(
                        [(x - 24, y + 4), (x - 6, y - 3), (x + 6, y + 4), (x + 24, y - 2)],
                        shade(0.62, 0.09, 142, 0.8),
                        3.4,
                    )
                    y += look.random.uniform(11, 16)


def _pilea(look: Look) -> None:
    c = look.canvas
    green = look.random.uniform(136, 146)
    spots = [
        (-92, 150, 34),
        (-64, 100, 34),
        (-22, 70, 36),
        (34, 62, 36),
        (78, 96, 35),
        (102, 144, 34),
        (-40, 140, 30),
        (48, 138, 31),
        (4, 112, 35),
        (-72, 190, 26),
        (80, 186, 27),
        (6, 168, 30),
    ]
    for dx, y, _ in spots:
        _stem(look, 200 + dx, y, shade(0.6, 0.1, green - 20), 4)
    for i, (dx, y, r) in enumerate(spots):
        x = 200 + dx + look.random.uniform(-4, 4)
        light = 0.55 + 0.05 * (i % 3)
        c.ellipse(x + 3, y + 6, r, r * 0.9, "#0000002a")
        c.ellipse(
            x,
            y,
            r,
            r * 0.9,
            linear(shade(light + 0.1, 0.13, green), shade(light - 0.08, 0.11, green)),
        )
        c.circle(x + dx * 0.04, y + 3, 3.6, shade(0.86, 0.08, green - 10))
        c.ellipse(x - r * 0.3, y - r * 0.36, r * 0.34, r * 0.16, "#ffffff3c")


def _cactus(look: Look) -> None:
    c = look.canvas

    def green(light: float) -> str:
        return shade(light, 0.1, 150)

    skin = Linear(((0, green(0.42)), (0.32, green(0.66)), (0.65, green(0.54)), (1, green(0.36))), 0)
    for flip, y in ((False, 122), (True, 150)):
        with c.at(flip=flip):
            c.rect(230, y + 20, 56, 30, skin, 15)
            c.rect(258, y - 30, 34, 80, skin, 17)
            for k in range(4):
                c.line([(275.0, y - 20 + k * 16), (275.0, y - 16 + k * 16)], "#fdf6dc", 2)
    c.rect(160, 40, 80, 176, skin, 40)
    for rib in (178, 200, 222):
        for k in range(10):
            y = 62 + k * 15 + (rib % 3) * 3
            c.line([(rib - 3.0, y - 2.0), (rib + 3.0, y + 2.0)], "#fdf6dc", 1.8)
            c.line([(rib + 3.0, y - 2.0), (rib - 3.0, y + 2.0)], "#fdf6dc", 1.8)
    for k in range(6):
        with c.at(turn=k * 60 + look.seed * 9, about=(200, 40)):
            c.ellipse(200, 26, 8, 15, look.tone(0.74, 0.16, -20))
    c.circle(200, 40, 7, "#f6cf5f")


def _pothos(look: Look) -> None:
    c = look.canvas
    green = look.random.uniform(132, 142)
    vines = (
        [(150, 190), (96, 206), (74, 256), (84, 306)],
        [(250, 190), (306, 200), (330, 246), (318, 300)],
        [(190, 190), (150, 120), (118, 100)],
        [(210, 190), (252, 120), (290, 112)],
        [(200, 190), (204, 110), (196, 76)],
    )
    for vine in vines:
        points: list[Point] = [(float(x), float(y)) for x, y in vine]
        c.line(points, shade(0.55, 0.11, green), 5)
    size = 0
    for vine in vines:
        for x, y in vine[1:]:
            for side in (-1, 1):
                size += 1
                turn = (
                    side * 62 + (x - 200) * 0.35 + (180 if y > 200 else 0) * (1 if x > 200 else -1)
                )
                scale = 36 + (size * 7) % 12
                outline = _heart(x, y, scale, turn)
                light = 0.56 + 0.05 * (size % 3)
                c.cast(outline, 2, 5, blur=3, strength=0.2)
                c.shape(
                    outline,
                    linear(shade(light + 0.1, 0.15, green), shade(light - 0.05, 0.12, green)),
                )
                _vein(look, x, y, scale * 1.1, turn, shade(0.84, 0.11, green - 15, 0.9))


def _blade(x: float, top: float, width: float, base: float = 214.0, tip: float = 0.45) -> str:
    """An upright leaf from (x, base) to (x, top), widest at `tip` of its height."""
    bulge = top + (base - top) * tip
    half = width / 2
    return (
        f"M{x - half * 0.3:.1f} {base} Q{x - half * 1.6:.1f} {bulge:.1f} {x:.1f} {top:.1f} "
        f"Q{x + half * 1.6:.1f} {bulge:.1f} {x + half * 0.3:.1f} {base} Z"
    )


def _aspidistra(look: Look) -> None:
    c = look.canvas
    for i, (x, lean, height, width) in enumerate(
        (
            (178, -34, 150, 46),
            (222, 36, 146, 46),
            (186, -19, 176, 52),
            (216, 21, 170, 52),
            (194, -5, 184, 54),
            (206, 9, 138, 48),
        )
    ):
        blade = _blade(x, 214 - height + look.random.uniform(-8, 8), width, tip=0.3)
        light = 0.4 + 0.05 * (i % 3)
        with c.at(turn=lean, about=(x, 214)):
            c.cast(blade, 4, 4, blur=4, strength=0.25)
            c.shape(blade, linear(shade(light + 0.1, 0.1, 146), shade(light - 0.06, 0.08, 150)))
            c.line([(x, 208.0), (x, 232.0 - height)], shade(light + 0.2, 0.1, 138, 0.8), 2)


def _spider(look: Look) -> None:
    c = look.canvas
    for i in range(15):
        angle = -172 + i * 11.7 + look.random.uniform(-3, 3)
        reach = 128 + 24 * (i % 3)
        mx = 200 + reach * 0.62 * math.cos(math.radians(angle))
        my = 200 + reach * 0.98 * math.sin(math.radians(angle)) - 22
        ex = 200 + reach * 1.08 * math.cos(math.radians(angle))
        ey = my + 58 * abs(math.cos(math.radians(angle))) + 6
        light = 0.5 + 0.05 * (i % 3)
        for width, colour in ((13.0, shade(light, 0.13, 136)), (4.4, shade(0.93, 0.06, 110))):
            c.line(f"M200 212 Q{mx:.1f} {my:.1f} {ex:.1f} {ey:.1f}", colour, width)
    for x, y in ((92, 258), (312, 246)):
        c.line(f"M200 208 Q{(200 + x) / 2} 120 {x} {y}", shade(0.78, 0.09, 105), 2.6)
        for k in range(7):
            a = math.radians(-170 + k * 27)
            tip = (x + 26 * math.cos(a), y + 20 * math.sin(a) + 8)
            c.line([(float(x), float(y)), tip], shade(0.6, 0.13, 136), 4.4)


def _begonia(look: Look) -> None:
    c = look.canvas
    leaves: tuple[Leaf, ...] = (
        (120, 118, 88, -70),
        (280, 112, 88, 66),
        (160, 84, 84, -30),
        (242, 78, 84, 32),
        (196, 120, 92, -4),
        (138, 176, 72, -98),
        (266, 172, 72, 96),
    )
    for x, y, _, _ in leaves:
        _stem(look, x, y, shade(0.46, 0.12, 25), 5)
    for i, (x, y, size, turn) in enumerate(leaves):
        turn += look.random.uniform(-7, 7)
        half = [(0.0, 0.0), (-0.2, -0.16), (-0.34, -0.4), (-0.28, -0.74), (0.0, -1.1)]
        rest = [(0.2, -0.72), (0.26, -0.36), (0.3, -0.02), (0.16, 0.1)]
        curve = [(px * size, py * size) for px, py in _smooth([*half, *rest])]
        outline = _turned(curve, x, y, turn)
        light = 0.36 + 0.04 * (i % 3)
        c.cast(outline, 3, 6, blur=4, strength=0.26)
        c.shape(outline, linear(shade(light + 0.1, 0.07, 150), shade(light - 0.05, 0.06, 160)))
        c.line([*_turned([(0, 0)], x, y, turn), *_turned([(0, -size)], x, y, turn)], "#9c3b4188", 2)
        for k in range(13):
            px = (-0.2 + 0.1 * (k % 4) + 0.05 * (k % 2)) * size
            py = (-0.16 - 0.062 * k) * size
            if abs(px) < 0.24 * size * (1.2 + py / size * 0.9):
                c.circle(*_turned([(px, py)], x, y, turn)[0], 3.4, "#f4f5f0")


def _smooth(points: list[Point], steps: int = 6) -> list[Point]:
    """A closed curve through the middles of a polygon's sides."""
    curve: list[Point] = []
    count = len(points)
    for i, (bx, by) in enumerate(points):
        ax, ay = points[i - 1]
        dx, dy = points[(i + 1) % count]
        sx, sy, ex, ey = (ax + bx) / 2, (ay + by) / 2, (bx + dx) / 2, (by + dy) / 2
        for step in range(steps):
            t = step / steps
            u = 1 - t
            curve.append(
                (u * u * sx + 2 * u * t * bx + t * t * ex, u * u * sy + 2 * u * t * by + t * t * ey)
            )
    return curve


def _hoya(look: Look) -> None:
    c = look.canvas
    c.ring(200, 122, 92, 96, "#4b3a2a", 5)
    green = look.random.uniform(138, 150)
    for i in range(26):
        angle = math.radians(-242 + i * 12.2)
        x, y = 200 + 92 * math.cos(angle), 122 + 96 * math.sin(angle)
        out = 1 if i % 2 else -1
        with c.at(turn=math.degrees(angle) + 90 + out * 38, about=(x, y)):
            light = 0.46 + 0.045 * (i % 4)
            c.ellipse(x + out * 20 + 2, y + 5, 22, 12, "#00000024")
            c.ellipse(
                x + out * 20,
                y,
                22,
                12,
                linear(shade(light + 0.12, 0.11, green), shade(light - 0.05, 0.1, green)),
            )
            c.line([(x + out * 4, y), (x + out * 38, y)], shade(light + 0.2, 0.09, green), 1.6)
    for x, y in ((132, 176), (262, 66)):
        for k in range(14):
            a = k * 2.4
            r = 3.4 * math.sqrt(k) * 1.5
            px, py = x + r * math.cos(a), y + r * math.sin(a)
            c.circle(px, py, 6.4, shade(0.88, 0.06, 5))
            c.circle(px, py, 2.4, shade(0.56, 0.16, 10))


def _barrel(look: Look) -> None:
    c = look.canvas
    skin = Linear(
        ((0, shade(0.4, 0.09, 142)), (0.34, shade(0.64, 0.12, 138)), (1, shade(0.34, 0.08, 148))), 0
    )
    c.ellipse(200, 150, 82, 78, skin)
    for i in range(-4, 5):
        x = i / 4.4
        curve = [
            (
                200 + 82 * math.sin(x * 1.5) * math.cos(math.radians(p)),
                150 + 78 * math.sin(math.radians(p)),
            )
            for p in range(-84, 66, 5)
        ]
        c.line(curve, shade(0.36, 0.08, 146, 0.7), 2.4)
        for k, (px, py) in enumerate(curve[1::3]):
            for spine in (-1, 0, 1):
                end = (px + spine * 9 + x * 6, py - 9 + abs(spine) * 7 + (k % 2) * 3)
                c.line([(px, py), end], shade(0.88, 0.13, 92), 1.7)
            c.circle(px, py, 2.2, "#fdf6dc")
    c.ellipse(200, 77, 22, 8, shade(0.9, 0.1, 95))
    for k in range(3):
        x = 182 + k * 18
        for i in range(5):
            with c.at(turn=i * 72 + k * 20, about=(x, 74.0)):
                c.ellipse(x, 68, 4, 7, look.tone(0.78, 0.16, 10))


KINDS = {
    "monstera": _monstera,
    "snake": _snake,
    "pilea": _pilea,
    "cactus": _cactus,
    "pothos": _pothos,
    "begonia": _begonia,
    "hoya": _hoya,
    "barrel": _barrel,
    "spider": _spider,
    "aspidistra": _aspidistra,
}


def plant(look: Look) -> None:
    """A plant in a pot: the one asked for, else the seed chooses."""
    c = look.canvas
    kind = look.variety or tuple(KINDS)[look.seed % len(KINDS)]
    paint = KINDS[kind]
    glaze = (look.seed + len(kind)) % 2 == 0
    c.floor_shadow(200, 320, 92, 14)
    if kind in ("pothos", "spider"):
        _vessel(look, 200, 146, 188, glaze)
        paint(look)
        return
    c.ellipse(200, 210, 66, 14, "#3a241a")
    paint(look)
    _vessel(look, 200, 150, 206, glaze)


def seeds(look: Look) -> None:
    """A seed packet and some of what is in it."""
    c = look.canvas
    with c.at(0, -6, turn=look.random.choice((-9, -6, 6, 10))):
        packet = "M112 52 H288 V316 H112 Z"
        c.cast(packet, 8, 12, blur=8, strength=0.36)
        c.shape(packet, PAPER)
        c.rect(112, 52, 176, 24, look.tone(0.5, 0.1))
        for i in range(22):
            c.rect(114 + i * 8, 52, 3, 8, look.tone(0.42, 0.1))
        c.rect(122, 86, 156, 172, linear(look.tone(0.9, 0.06), look.tone(0.78, 0.1)), 4)
        for x, y, s in ((168, 160, 0.9), (232, 150, 0.75), (200, 124, 1.0)):
            c.line([(x, y), (200.0, 256.0)], "#4f7d46", 5)
            for k in range(8):
                with c.at(turn=k * 45, about=(x, y)):
                    c.ellipse(x, y - 21 * s, 9 * s, 17 * s, look.tone(0.7, 0.17, 40 + 6 * (k % 2)))
            c.circle(x, y, 11 * s, "#f2b441")
            c.circle(x, y, 6 * s, "#a9661f")
        c.shape("M200 250 Q150 246 144 212 Q186 212 200 250 Z", "#5d9152")
        c.shape("M200 250 Q250 246 258 208 Q214 212 200 250 Z", "#6fa561")
        c.text(
            200,
            276,
            "SEEDS",
            "#39322a",
            21,
            bold=True,
        )
        c.rect(150, 294, 100, 5, "#b9b09c", 2)
        c.rect(166, 303, 68, 4, "#cfc6b2", 2)
        c.shape("M112 52 H170 L112 210 Z", "#ffffff26")
    for i in range(11):
        x, y = 86 + (i * 53) % 236, 336 + (i * 29) % 34
        with c.at(turn=i * 47, about=(x, y)):
            c.ellipse(x + 1.5, y + 3, 7, 4, "#00000033")
            c.ellipse(x, y, 7, 4, "#6b4a2d")
            c.ellipse(x - 2, y - 1.4, 2.4, 1, "#d9b98f")


def can(look: Look) -> None:
    """A watering can, spout to the right (or to the left)."""
    c = look.canvas
    c.floor_shadow(190, 320, 146, 15)
    copper = look.seed % 3 == 2
    skin = (
        Linear(((0, "#8c4a28"), (0.3, "#f0b088"), (0.6, "#c87746"), (1, "#7a3c1d")), 0)
        if copper
        else look.tube(0.6, 0.11)
    )
    edge = "#7a3c1d" if copper else look.tone(0.4, 0.1)
    with c.at(flip=look.seed % 2 == 1):
        c.line("M92 190 Q30 200 46 262 Q58 292 98 286", edge, 13)
        c.line("M92 188 Q36 198 49 256", "#ffffff44", 3)
        c.line("M108 150 Q110 74 174 74 Q236 76 238 150", edge, 13)
        c.line("M112 130 Q118 78 174 70", "#ffffff44", 3)
        c.shape("M228 270 Q276 250 318 128 L338 136 Q310 262 230 306 Z", skin)
        with c.at(turn=20, about=(330, 128)):
            c.shape("M312 136 L300 112 H362 L350 136 Z", skin)
            c.ellipse(331, 112, 31, 9, BRASS)
            for i in range(5):
                c.circle(311 + i * 10, 111 + (i % 2) * 3, 1.7, "#5a3f12")
        c.shape("M92 150 H254 L262 308 Q262 320 248 320 H98 Q84 320 84 308 Z", skin)
        c.ellipse(173, 151, 81, 15, edge)
        c.ellipse(173, 154, 70, 10, "#00000055")
        c.shape("M92 150 Q173 184 254 150 L254.600 162 Q173 196 91.400 162 Z", "#ffffff2c")
        c.rect(86, 286, 175, 8, "#00000022")
        c.shape("M112 182 Q124 188 132 188 L128 284 H108 Z", "#ffffff38")


def shears(look: Look) -> None:
    """Pruning shears, open, lying on the bench."""
    c = look.canvas
    grip = look.body(0.58, 0.16)
    with c.at(-4, 6, turn=look.random.choice((-42, -34, 30, 38)), scale=1.06):
        blade = "M186 206 Q150 150 176 64 Q182 50 190 62 Q222 120 224 196 Z"
        hook = "M214 214 Q252 170 248 96 Q246 84 238 92 Q230 148 196 186 Z"
        left = "M178 196 Q146 240 140 300 Q138 352 156 362 Q176 366 180 340 Q176 274 220 226 Z"
        right = "M222 196 Q262 240 266 300 Q266 352 248 362 Q228 366 226 340 Q230 274 188 226 Z"
        for piece in (blade, hook, left, right):
            c.cast(piece, 6, 10, blur=6, strength=0.3)
        c.shape(hook, CHROME_DARK)
        c.shape(left, grip)
        c.line("M166 248 Q152 290 152 340", "#ffffff55", 5)
        c.shape(blade, CHROME)
        c.shape("M186 206 Q150 150 176 64 Q180 54 184 58 Q166 140 204 202 Z", "#ffffff66")
        c.shape(right, grip)
        c.line("M238 250 Q252 290 252 340", "#ffffff55", 5)
        c.line("M196 262 L204 270 L196 278 L204 286 L196 294 L204 302", "#55545a", 4)
        c.circle(202, 208, 15, CHROME)
        c.circle(202, 208, 8, CHROME_DARK)
        c.rect(196, 206.5, 12, 3, "#3a393e")
