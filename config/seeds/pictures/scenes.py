"""Photographs members put in their posts, drawn."""

from __future__ import annotations

import math

from config.seeds.canvas import Canvas, Linear, Point, ellipse_points, linear, shade
from config.seeds.pictures.materials import (
    BLACK,
    BRASS,
    CHROME,
    CHROME_DARK,
    PAPER,
    TERRACOTTA,
    WOOD,
    Look,
)

SKIES = (
    ("#f7c98b", "#e98d6a", "#7a4a55"),
    ("#cfe3ea", "#9fc0cf", "#6f8797"),
    ("#3a4a7c", "#7a5f8f", "#e39a7b"),
    ("#f3e3c3", "#d7c39a", "#8f8266"),
)


def street(look: Look) -> None:
    """A street running to the light, two people in it."""
    c = look.canvas
    sky = SKIES[look.seed % len(SKIES)]
    c.rect(0, 0, 400, 400, linear(*sky))
    sun = 170 + look.random.uniform(-10, 40)
    c.glow(200, sun, 130, 130, "#fff1c9aa")
    c.circle(200, sun, 34, "#fff1c9ee")
    c.shape(
        "M120 272 V214 H146 V200 H164 V226 H190 V206 H214 V232 H240 V196 H262 V272 Z",
        shade(0.45, 0.05, 30, 0.6),
    )
    walls = (
        ("#4b3a3c", "#63494a", "#3f3226", "#574346")
        if look.seed % 2
        else ("#39404a", "#4d5863", "#2f363f", "#444e59")
    )
    c.shape("M0 400 V138 L74 116 V400 Z", walls[0])
    c.shape("M74 400 V104 L138 140 V400 Z", walls[1])
    c.shape("M400 400 V86 L308 132 V400 Z", walls[2])
    c.shape("M308 400 V162 L258 184 V400 Z", walls[3])
    for i in range(16):
        glow = shade(0.87, 0.1, 80, 0.35 + 0.6 * look.random.random())
        c.rect(10 + (i % 2) * 32, 164 + (i // 2) * 30, 16, 19, glow)
        c.rect(326 + (i % 2) * 36, 152 + (i // 2) * 31, 17, 20, glow)
        if i < 12:
            c.rect(88 + (i % 2) * 24, 164 + (i // 2) * 32, 11, 18, glow)
    c.shape("M104 400 L178 268 H222 L296 400 Z", "#6f5c55")
    c.shape("M192 268 H206 L222 400 H176 Z", "#e9d3ae66")
    c.shape(
        "M60 400 L140 300 L178 268 L104 400 Z M340 400 L262 300 L222 268 L296 400 Z", "#00000044"
    )
    for x, y, s in ((232.0, 338.0, 1.0), (166.0, 320.0, 0.72)):
        with c.at(x, y, scale=s, about=(0, 0)):
            c.shape("M-12 46 Q0 60 40 62 L14 46 Z", "#00000040")
            c.shape("M-10 8 Q-10 -10 0 -10 Q10 -10 10 8 L13 48 H-13 Z", "#221a1e")
            c.circle(0, -20, 9, "#221a1e")
    for x in (128, 276):
        c.line([(x, 330.0), (x, 214.0)], "#221a1e", 3)
        c.circle(x, 210, 6, "#ffe7ad")


def contact_sheet(look: Look) -> None:
    """Four strips of negatives as positives on a dark ground."""
    c = look.canvas
    c.rect(0, 0, 400, 400, "#141317")
    grey = look.seed % 2 == 0
    picked = look.random.randrange(20)
    for row in range(4):
        y = 10 + row * 97
        c.rect(-4, y, 408, 90, "#232126")
        for i in range(26):
            c.rect(3 + i * 15.6, y + 4, 8, 6, "#e9e4d6", 1.5)
            c.rect(3 + i * 15.6, y + 80, 8, 6, "#e9e4d6", 1.5)
        for column in range(5):
            x = 4 + column * 79
            number = row * 5 + column
            hue = look.random.uniform(0, 360)
            chroma = 0.0 if grey else 0.06
            with c.inside(f"M{x} {y + 14} h74 v62 h-74 Z"):
                c.rect(x, y + 14, 74, 62, linear(shade(0.9, chroma, hue), shade(0.66, chroma, hue)))
                c.circle(x + look.random.uniform(14, 60), y + 30, 8, shade(0.96, chroma * 0.5, 90))
                crest = look.random.uniform(34, 54)
                c.shape(
                    f"M{x} {y + crest:.0f} q18 {look.random.uniform(-20, -4):.0f} "
                    "37 0 t37 -4 v60 h-74 Z",
                    shade(0.42, chroma, hue + 40),
                )
                c.shape(
                    f"M{x} {y + crest + 14:.0f} q20 {look.random.uniform(-14, 2):.0f} 40 0 "
                    "t34 -2 v60 h-74 Z",
                    shade(0.26, chroma, hue + 30),
                )
                if number % 3 == 0:
                    px = x + look.random.uniform(16, 58)
                    c.shape(f"M{px - 5:.1f} {y + 78} v-20 q5 -9 10 0 v20 Z", "#141317")
                    c.circle(px, y + 50, 4, "#141317")
            if number == picked:
                c.line(f"M{x - 2} {y + 12} h79 v67 h-80 v-69", "#e0432f", 3.4)


def trail(look: Look) -> None:
    """A path up through hills, mist between them."""
    c = look.canvas
    sky = (SKIES[1], SKIES[0], SKIES[3], SKIES[2])[look.seed % 4]
    c.rect(0, 0, 400, 400, linear(sky[0], sky[1]))
    c.circle(look.random.uniform(80, 320), 96, 32, "#fff6dccc")
    hue = look.random.choice((150.0, 120.0, 60.0))
    for i in range(5):
        y = 130.0 + i * 44
        lightness = 0.74 - i * 0.1
        peaks: list[Point] = [(-10.0, 420.0)]
        phase = look.random.uniform(0, 6)
        for step in range(23):
            x = -10.0 + step * 19
            peaks.append(
                (
                    x,
                    y
                    - (34 - i * 4) * math.sin(x / (52 + i * 14) + phase)
                    - 8 * math.sin(x / 17 + phase),
                )
            )
        peaks.append((410.0, 420.0))
        c.shape(
            peaks,
            linear(shade(lightness, 0.045, hue + 40 - i * 10), shade(lightness + 0.1, 0.035, hue)),
        )
    c.shape(
        "M0 330 Q120 296 220 318 T400 306 V400 H0 Z",
        linear(shade(0.48, 0.09, hue), shade(0.32, 0.07, hue)),
    )
    c.shape(
        "M150 400 Q176 360 236 348 Q284 338 246 322 Q216 312 232 300 "
        "Q238 312 264 320 Q318 340 262 358 Q230 370 232 400 Z",
        "#d9bd92",
    )
    c.shape(
        "M206 400 Q214 374 250 360 Q300 344 258 322 Q318 340 262 358 Q230 370 232 400 Z",
        "#00000022",
    )
    for _ in range(9):
        x = look.random.choice((look.random.uniform(8, 120), look.random.uniform(300, 392)))
        y = look.random.uniform(318, 380)
        s = 0.5 + (y - 318) / 70
        tree = f"M{x:.1f} {y - 58 * s:.1f} L{x + 15 * s:.1f} {y:.1f} H{x - 15 * s:.1f} Z"
        c.rect(x - 2 * s, y - 2, 4 * s, 9 * s, "#3b2a20")
        c.shape(tree, linear(shade(0.42, 0.07, 155), shade(0.26, 0.05, 160)))
    with c.at(216, 352, scale=0.8, about=(0, 0)):
        c.line("M0 -14 L-8 8 L-14 22 M-2 4 L8 12 L4 26", "#221a1e", 5)
        c.line("M0 -30 L-2 -6", "#d8553a", 10)
        c.line("M0 -28 L10 -18 L16 -24 M-2 -26 L-12 -16", "#221a1e", 4)
        c.circle(3, -41, 7, "#221a1e")


def workbench(look: Look) -> None:
    """A bench from above: a mat, tools, something in parts."""
    c = look.canvas
    c.rect(0, 0, 400, 400, linear("#a9764a", "#87572f", angle=20))
    for i in range(6):
        c.rect(0, i * 68, 400, 1.8, "#5a371b88")
        c.line(
            f"M0 {30 + i * 68} Q120 {18 + i * 68} 220 {32 + i * 68} T400 {26 + i * 68}",
            "#5a371b30",
            2,
        )
    hue = (155.0, 250.0, 20.0)[look.seed % 3]
    with c.at(turn=look.random.uniform(-5, 5)):
        c.cast("M70 66 H350 V310 H70 Z", 4, 8, blur=6, strength=0.4)
        c.rect(70, 66, 280, 244, linear(shade(0.5, 0.07, hue), shade(0.4, 0.06, hue)), 8)
        for i in range(1, 14):
            c.rect(70 + i * 20, 66, 0.7, 244, "#ffffff30")
            if i < 12:
                c.rect(70, 66 + i * 20, 280, 0.7, "#ffffff30")
    c.cast(ellipse_points(196, 184, 66, 66), 5, 9, blur=6, strength=0.4)
    c.circle(196, 184, 66, CHROME)
    c.circle(196, 184, 58, "#232226")
    for i in range(7):
        with c.at(turn=i * 360 / 7 + look.seed * 11, about=(196, 184)):
            c.shape("M196 184 L176 132 Q196 124 216 132 Z", "#55545a" if i % 2 else "#6a696f")
    c.circle(196, 184, 20, shade(0.7, 0.09, hue + 90))
    c.circle(196, 184, 12, "#0d1416")
    for i in range(14):
        a = look.random.uniform(0, math.tau)
        r = look.random.uniform(86, 118)
        x, y = 200 + r * math.cos(a), 186 + r * 0.86 * math.sin(a)
        c.circle(x + 1.4, y + 2.4, 4.6, "#00000055")
        c.circle(x, y, 4.6, BRASS if i % 3 else CHROME)
        c.rect(x - 3.4, y - 0.7, 6.8, 1.4, "#3a2f14")
    for x, turn, grip in ((92, 14, hue + 180), (128, 9, hue + 120), (334, -12, 30.0)):
        with c.at(turn=turn, about=(x, 330)):
            c.cast(f"M{x - 9} 250 h18 v130 h-18 Z", 4, 7, blur=4, strength=0.4)
            c.rect(x - 3, 232, 6, 74, CHROME_DARK, 1)
            c.rect(
                x - 10,
                298,
                20,
                92,
                Linear(
                    (
                        (0, shade(0.44, 0.14, grip)),
                        (0.35, shade(0.7, 0.14, grip)),
                        (1, shade(0.36, 0.12, grip)),
                    ),
                    0,
                ),
                8,
            )
    with c.at(turn=look.random.uniform(-14, 4), about=(250, 350)):
        c.cast("M196 322 H306 V392 H196 Z", 4, 6, blur=5, strength=0.35)
        c.rect(196, 322, 110, 74, PAPER, 3)
        for i in range(4):
            c.line(
                [(208.0, 338 + i * 13.0), (290.0 - (i * 31) % 40, 338 + i * 13.0)], "#3b4a86bb", 2.2
            )
    c.circle(362, 44, 40, "#00000044")
    c.circle(358, 38, 38, linear("#fdfbf6", "#d3cbbd"))
    c.circle(358, 38, 30, "#3a2114")
    c.circle(358, 38, 27, linear("#5a3420", "#2f1a0e"))


def _little_pot(c: Canvas, x: float, y: float, hue: float | None) -> None:
    paint = (
        TERRACOTTA
        if hue is None
        else linear(shade(0.78, 0.09, hue), shade(0.52, 0.1, hue), angle=0)
    )
    c.shape(f"M{x - 22} {y - 42} h44 l-6 42 h-32 Z", paint)
    c.rect(x - 25, y - 48, 50, 12, paint, 3)
    c.rect(x - 25, y - 37, 50, 3, "#00000030")


def shelf(look: Look) -> None:
    """Two shelves of plants, books and boxes by a window."""
    c = look.canvas
    c.rect(
        0, 0, 400, 400, linear(shade(0.94, 0.03, look.hue), shade(0.84, 0.05, look.hue), angle=60)
    )
    c.shape("M40 0 H130 L330 400 H240 Z", "#ffffff40")
    c.shape("M160 0 H196 L396 400 H360 Z", "#ffffff33")
    rng = look.random
    for y in (196.0, 372.0):
        c.rect(0, y + 12, 400, 16, "#00000018")
        x = 22.0
        while x < 372:
            kind = rng.choice(("books", "trail", "upright", "books", "tin"))
            if kind == "books":
                for _ in range(rng.randrange(3, 6)):
                    w, h = rng.uniform(11, 19), rng.uniform(68, 104)
                    if x + w > 386:
                        break
                    spine = shade(rng.uniform(0.42, 0.72), 0.1, rng.uniform(0, 360))
                    c.rect(x, y - h, w, h, spine, 2)
                    c.rect(x, y - h, 3, h, "#ffffff33", 1)
                    c.rect(x, y - h + 14, w, 4, "#fbf6e8aa")
                    x += w + 1
                x += 14
            elif kind == "tin":
                w = 46
                c.rect(
                    x,
                    y - 58,
                    w,
                    58,
                    linear(shade(0.66, 0.11, look.hue + 180), shade(0.44, 0.1, look.hue + 180)),
                    4,
                )
                c.rect(x - 2, y - 64, w + 4, 12, CHROME_DARK, 3)
                c.rect(x + 8, y - 40, w - 16, 22, PAPER, 2)
                x += w + 18
            else:
                px = x + 32
                pot = None if rng.random() < 0.5 else rng.uniform(0, 360)
                green = rng.uniform(130, 155)
                for k in range(9):
                    a = math.radians(-160 + k * 17.5 + rng.uniform(-6, 6))
                    reach = rng.uniform(42, 76)
                    tip = (px + reach * 0.8 * math.cos(a), y - 46 + reach * math.sin(a))
                    leaf = shade(rng.uniform(0.44, 0.62), 0.12, green)
                    if kind == "upright":
                        c.line([(px, y - 44), tip], leaf, 8)
                    else:
                        c.line([(px, y - 44), tip], shade(0.5, 0.1, green), 2.4)
                        c.circle(tip[0], tip[1], 11, leaf)
                        c.ellipse(tip[0] - 3, tip[1] - 4, 4, 2, "#ffffff40")
                _little_pot(c, px, y, pot)
                if kind == "trail":
                    for k in range(5):
                        c.circle(
                            px - 26 - (k % 2) * 7, y - 34 + k * 15, 8, shade(0.56, 0.12, green)
                        )
                x += 76
        c.rect(-4, y, 408, 14, WOOD)
        c.rect(-4, y, 408, 2.5, "#ffffff55")
    c.rect(60, 210, 12, 36, BLACK)
    c.rect(330, 210, 12, 36, BLACK)
