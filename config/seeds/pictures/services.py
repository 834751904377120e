"""Tools and goods of people who mend, sew and teach."""

from __future__ import annotations

import math

from config.seeds.canvas import Paint, Point, ellipse_points, linear, shade
from config.seeds.pictures.materials import (
    BLACK,
    BRASS,
    CHARCOAL,
    CHROME,
    CHROME_DARK,
    PAPER,
    Look,
    knob,
)


def toolbox(look: Look) -> None:
    """A steel toolbox with two latches, a spanner leaning on it."""
    c = look.canvas
    c.floor_shadow(200, 320, 172, 15)
    c.line("M138 136 V104 Q138 88 154 88 H246 Q262 88 262 104 V136", "#2b2a2e", 14)
    c.line("M140 128 V104 Q140 92 154 90 H240", "#77767c", 3)
    c.shape(
        "M52 190 L84 134 Q88 128 96 128 H304 Q312 128 316 134 L348 190 Z", look.body(0.64, 0.17)
    )
    c.shape("M84 134 Q88 128 96 128 H304 Q312 128 316 134 L318 138 H82 Z", "#ffffff55")
    c.rect(44, 188, 312, 132, look.body(0.54, 0.17), 8)
    c.rect(44, 186, 312, 12, look.tone(0.4, 0.14), 3)
    c.rect(44, 198, 312, 3, "#ffffff40")
    c.rect(70, 232, 260, 66, "#00000014", 8)
    for x in (96, 274):
        c.rect(x, 176, 30, 46, CHROME, 5)
        c.rect(x + 7, 188, 16, 26, CHROME_DARK, 3)
    c.rect(160, 240, 80, 34, BRASS, 4)
    c.text(200, 257, look.random.choice(("No. 7", "No. 3", "TOOLS")), "#4a3510", 17, bold=True)
    c.rect(54, 204, 10, 108, "#ffffff30", 5)
    with c.at(-10, 0, turn=-20, about=(338, 316)):
        c.cast("M330 150 H346 V318 H330 Z", 5, 3, blur=5, strength=0.3)
        c.rect(330, 166, 16, 130, CHROME, 5)
        c.shape("M320 130 Q312 154 326 170 H350 Q364 154 356 130 L347 134 V152 H329 V134 Z", CHROME)
        c.circle(338, 302, 17, CHROME)
        c.circle(338, 302, 9, look.tone(0.8, 0.06))


def bike(look: Look) -> None:
    """A bicycle from the side."""
    c = look.canvas
    c.floor_shadow(200, 320, 176, 10)
    frame = look.tone(0.56, 0.15)
    light = look.tone(0.74, 0.12)
    rear, front, r = (108.0, 248.0), (294.0, 248.0), 68.0
    for x, y in (rear, front):
        c.ring(x, y, r, r, "#29282c", 8)
        c.ring(x, y, r - 6, r - 6, "#cfcac0", 2.6)
        for i in range(20):
            a = math.radians(i * 18 + look.seed * 5)
            c.line([(x, y), (x + (r - 7) * math.cos(a), y + (r - 7) * math.sin(a))], "#8f8b84", 0.9)
        c.circle(x, y, 7, CHROME_DARK)
    bb, seat, top, low = (184.0, 252.0), (160.0, 150.0), (258.0, 142.0), (264.0, 166.0)
    chain: list[Point] = [
        (108.0, 240.0),
        (184.0, 236.0),
        (184.0, 268.0),
        (108.0, 256.0),
        (108.0, 240.0),
    ]
    c.line(chain, "#3a393e", 2.4)
    for colour, width, lift in ((frame, 9.0, 0.0), (light, 2.4, -1.6)):
        tubes: tuple[tuple[Point, Point], ...] = (
            (seat, bb),
            (bb, low),
            (seat, top),
            (seat, rear),
            (rear, bb),
            (top, low),
        )
        for (x1, y1), (x2, y2) in tubes:
            c.line([(x1, y1 + lift), (x2, y2 + lift)], colour, width)
        c.line(f"M264 166 Q276 206 294 {248 + lift}", colour, width * 0.8)
    c.line("M160 150 L155 124", "#b9b5ad", 6)
    c.shape(
        "M122 116 Q140 108 184 118 Q190 122 182 126 Q150 124 142 132 Q120 132 122 116 Z", "#3b2a20"
    )
    c.line("M258 142 L254 120", "#b9b5ad", 6)
    if look.seed % 2:
        c.line("M254 120 H284 Q304 122 300 144 Q296 158 280 154", "#2b2a2e", 7)
    else:
        c.line("M254 120 Q268 112 262 104 Q252 98 230 106", "#8b877f", 6)
        c.line("M246 100 L228 107", "#3b2a20", 9)
    c.circle(184, 252, 19, "#3a393e")
    c.circle(184, 252, 13, CHROME_DARK)
    crank = math.radians(look.random.uniform(10, 60))
    for sign in (1, -1):
        x, y = 184 + sign * 36 * math.cos(crank), 252 + sign * 36 * math.sin(crank)
        c.line([(184.0, 252.0), (x, y)], "#c9c5bd", 6)
        c.rect(x - 13, y - 4, 26, 8, "#232226", 3)


def sewing(look: Look) -> None:
    """A sewing machine with a piece of cloth under the needle."""
    c = look.canvas
    c.floor_shadow(206, 322, 168, 14)
    body: Paint = BLACK if look.seed % 2 == 0 else look.body(0.66, 0.09)
    gold = "#d9b04f" if look.seed % 2 == 0 else "#fbf8f1"
    c.circle(346, 172, 34, CHROME_DARK)
    c.circle(346, 172, 26, CHARCOAL)
    c.circle(346, 172, 9, CHROME)
    c.rect(234, 72, 22, 44, look.tone(0.62, 0.16, 40), 3)
    c.rect(230, 68, 30, 6, "#efe7d6", 2)
    c.rect(230, 112, 30, 6, "#efe7d6", 2)
    c.rect(243, 58, 4, 14, CHROME)
    c.shape(
        "M62 146 Q62 118 92 118 H300 Q338 118 338 152 V290 H252 V214 Q252 190 228 190 H120 V236 "
        "H68 Q60 236 60 226 Z",
        body,
    )
    c.rect(36, 286, 330, 34, body, 9)
    c.rect(36, 286, 330, 4, "#ffffff50", 3)
    c.shape("M74 128 Q180 118 320 130 Q328 134 330 142 Q200 130 72 142 Z", "#ffffff3c")
    c.line("M134 160 Q156 146 178 160 T222 160 T258 160", gold, 3)
    c.line("M134 168 Q156 182 178 168 T222 168 T258 168", gold, 2)
    for x in (156, 200, 244):
        c.circle(x, 164, 3.2, gold)
    c.line("M284 240 V274", gold, 2)
    c.line("M306 240 V274", gold, 2)
    knob(c, 295, 212, 19, look.random.uniform(-60, 60))
    knob(c, 82, 166, 10, 30)
    c.line("M245 90 Q180 84 100 116 Q86 140 94 232", look.tone(0.7, 0.15, 40), 1.6)
    cloth = "M26 282 Q60 266 100 274 T184 272 Q210 276 226 288 H26 Z"
    c.shape(cloth, look.body(0.74, 0.11, 40))
    c.line("M34 282 Q64 272 100 279", "#ffffffbb", 2)
    c.rect(86, 234, 16, 18, CHROME_DARK, 2)
    c.rect(92.5, 250, 3, 26, CHROME)
    c.shape("M82 270 H108 L114 276 H80 Z", CHROME)


def book(look: Look) -> None:
    """A pile of books, one leaning on them."""
    c = look.canvas
    c.floor_shadow(200, 320, 160, 14)
    y = 318.0
    shifts = (0, 150, 60, -80)
    count = 4 if look.seed % 2 else 3
    for i in range(count):
        height = (44, 36, 40, 30)[i]
        width = (220, 204, 210, 186)[i]
        x = 54 + look.random.uniform(0, 16)
        y -= height
        c.rect(x, y, width, height, look.body(0.5 + 0.05 * (i % 2), 0.12, shifts[i]), 5)
        c.rect(x + width - 12, y + 4, 15, height - 8, linear("#fbf6e8", "#d9cfba"), 2)
        for k in range(4):
            c.rect(x + width - 12, y + 8 + k * (height - 12) / 4, 15, 0.8, "#b3a88f")
        c.rect(x, y, width, 4, "#ffffff44", 3)
        for band in (22, 30, width - 48):
            c.rect(x + band, y, 4, height, "#e0c07a")
        c.text(
            x + width / 2,
            y + height / 2,
            ("FIRST STEPS", "Tides & Trades", "MENDING", "Grammar")[i],
            "#fbf6e8",
            height * 0.42,
            bold=True,
        )
    with c.at(-8, 0, turn=-13, about=(268, 318)):
        c.rect(268, 150, 86, 168, look.body(0.56, 0.14, 200), 5)
        c.rect(268, 150, 10, 168, "#00000030", 4)
        c.rect(354, 153, 6, 162, PAPER)
        c.rect(286, 172, 58, 44, "#fbf6e8", 3)
        c.rect(294, 184, 42, 4, "#3b4a86", 2)
        c.rect(294, 194, 30, 4, "#3b4a86", 2)
        c.line(ellipse_points(315, 262, 22, 22), shade(0.86, 0.11, 80), 4)
        c.line("M315 246 V280 M305 256 H325 M300 270 Q315 288 330 270", shade(0.86, 0.11, 80), 4)
        c.shape("M280 152 H320 L280 250 Z", "#ffffff1f")
