"""Vintage hi-fi."""

from __future__ import annotations

import math

from config.seeds.canvas import Paint, Radial, ellipse_points, linear
from config.seeds.pictures.materials import (
    BLACK,
    BRASS,
    CHARCOAL,
    CHROME,
    CHROME_DARK,
    PAPER,
    WOOD,
    Look,
    knob,
)


def headphones(look: Look) -> None:
    """Over-ear headphones standing on their cups."""
    c = look.canvas
    c.floor_shadow(200, 320, 138, 15)
    c.line(ellipse_points(200, 196, 122, 146, 178, 362), "#1d1c20", 26)
    c.line(ellipse_points(200, 196, 122, 146, 180, 360), "#3f3e43", 18)
    c.line(ellipse_points(200, 197, 126, 150, 205, 268), "#ffffff44", 4)
    c.line(ellipse_points(200, 202, 104, 126, 205, 335), look.tone(0.5, 0.1), 14)
    for flip in (False, True):
        with c.at(flip=flip), c.at(turn=5, about=(90, 250)):
            c.rect(78, 158, 14, 70, CHROME, 5)
            c.rect(104, 188, 46, 128, linear("#3a393e", "#1c1b1f", angle=0), 22)
            c.rect(110, 198, 34, 108, "#ffffff10", 16)
            c.shape(
                "M112 186 Q62 186 58 252 Q62 318 112 318 Z",
                look.body(0.5, 0.11) if look.seed % 3 else WOOD,
            )
            c.shape("M104 196 Q72 200 68 252 Q70 282 80 298 Q66 250 104 196 Z", "#ffffff40")
            c.line("M112 188 V316", "#00000066", 3)
            c.circle(86, 252, 9, CHROME_DARK)
    c.line("M70 312 Q60 352 120 346 T214 352", "#232226", 5)


def turntable(look: Look) -> None:
    """A turntable seen from in front and above, a record on it."""
    c = look.canvas
    c.floor_shadow(200, 322, 186, 15)
    wood = look.seed % 2 == 0
    c.shape("M64 150 H336 L380 276 H20 Z", linear("#c08a58", "#9a6437") if wood else CHARCOAL)
    c.shape("M64 150 H336 L337 153 H63 Z", "#ffffff66")
    c.rect(20, 275, 360, 34, linear("#8a5530", "#5f3719") if wood else BLACK, 4)
    c.rect(20, 275, 360, 2.5, "#ffffff44")
    for x in (44, 316):
        c.rect(x, 307, 40, 13, BLACK, 5)
    c.ellipse(168, 217, 130, 56, "#00000055")
    c.ellipse(168, 213, 130, 56, CHROME)
    c.ellipse(168, 208, 130, 56, CHROME_DARK)
    c.ellipse(168, 206, 126, 53, "#17161a")
    for i in range(9):
        f = 1 - i * 0.065
        c.ring(168, 206, 122 * f, 51 * f, "#34333a" if i % 2 else "#26252a", 1.2)
    for start in (200, 20):
        fan = [(168.0, 206.0), *ellipse_points(168, 206, 124, 52, start, start + 26)]
        c.shape(fan, "#ffffff1f")
    c.ellipse(168, 206, 44, 18.5, look.tone(0.64, 0.15))
    c.ellipse(168, 206, 31, 13, look.tone(0.78, 0.1))
    c.ellipse(168, 205, 4, 2.4, CHROME)
    c.ellipse(322, 188, 29, 13, "#00000044")
    c.ellipse(322, 184, 28, 13, CHROME)
    c.ellipse(322, 178, 17, 9, CHARCOAL)
    reach = look.random.uniform(-12, 16)
    end = (226 + reach, 236.0)
    c.line([(325.0, 182.0), (312.0, 214.0), (end[0] + 5, end[1] + 5)], "#00000033", 6)
    c.line([(326.0, 158.0), (322.0, 176.0), (308.0, 208.0), end], "#8f8b84", 7)
    c.line([(325.0, 157.0), (321.0, 175.0), (307.0, 206.0), (end[0], end[1] - 1)], "#f3f0ea", 3)
    c.ellipse(328, 155, 11, 8, BLACK)
    with c.at(turn=-66, about=end):
        c.rect(end[0] - 6, end[1] - 4, 12, 24, "#232226", 3)
    c.rect(344, 238, 9, 30, "#00000055", 4)
    c.rect(343, 250, 11, 8, CHROME, 2)
    knob(c, 62, 260, 9, 40)
    c.circle(88, 262, 4, look.tone(0.72, 0.17))


def speaker(look: Look) -> None:
    """A pair of bookshelf speakers."""
    c = look.canvas
    c.floor_shadow(200, 320, 158, 15)
    side: Paint = WOOD if look.seed % 3 else linear("#4a3a33", "#2c211d")
    for x, y, s in ((206.0, 96.0, 0.94), (60.0, 82.0, 1.0)):
        with c.at(x, y + (1 - s) * 236, scale=s, about=(0, 0)):
            c.rect(0, 0, 138, 236, side, 7)
            c.rect(0, 0, 138, 5, "#ffffff40", 4)
            c.rect(9, 9, 120, 218, BLACK, 4)
            c.circle(69, 52, 30, "#4b4a50")
            c.circle(69, 52, 26, "#1b1a1e")
            c.circle(69, 52, 12, Radial(((0, "#fff3da"), (0.5, "#c9a15a"), (1, "#7a5a26"))))
            c.circle(69, 146, 54, CHROME_DARK)
            c.circle(69, 146, 50, "#19181b")
            c.circle(
                69,
                146,
                44,
                Radial(((0, "#57565b"), (0.6, "#2c2b30"), (1, "#17161a")), 0.5, 0.5, 0.6),
            )
            c.ring(69, 146, 38, 38, "#00000066", 5)
            c.circle(69, 146, 17, Radial(((0, look.tone(0.82, 0.1)), (1, look.tone(0.45, 0.11)))))
            for dx, dy in ((-50, -50), (50, -50), (-50, 50), (50, 50)):
                c.circle(69 + dx * 0.72 * 1.02, 146 + dy * 0.72 * 1.02, 2.4, "#d8d4cc")
            c.rect(46, 212, 46, 8, BRASS, 2)
            c.shape("M12 12 H60 L12 150 Z", "#ffffff12")


def amp(look: Look) -> None:
    """An integrated amplifier with two lit meters."""
    c = look.canvas
    c.floor_shadow(200, 314, 186, 14)
    silver = look.seed % 2 == 0
    c.rect(24, 128, 352, 172, WOOD, 10)
    c.rect(24, 128, 352, 6, "#ffffff40", 6)
    c.rect(36, 142, 328, 146, CHROME if silver else BLACK, 4)
    for i in range(20):
        c.rect(36, 146 + i * 7, 328, 0.8, "#ffffff20")
    ink = "#37353a" if silver else "#cfcac0"
    for i, x in enumerate((60, 152)):
        c.rect(x - 3, 155, 84, 56, "#1d1c20", 5)
        c.rect(
            x,
            158,
            78,
            50,
            Radial(((0, "#fff3cf"), (0.6, "#f2bd63"), (1, "#b06a21")), 0.5, 0.9, 0.9),
            3,
        )
        swing = math.radians(-130 + 26 * i + 34 * look.random.random())
        c.line(ellipse_points(x + 39, 212, 34, 34, 225, 315), "#5a3510", 1.6, round_ends=False)
        c.line(
            [(x + 39.0, 206.0), (x + 39 + 44 * math.cos(swing), 210 + 44 * math.sin(swing))],
            "#31190a",
            2,
        )
        c.shape(f"M{x} 158 h46 l-30 50 h-16 Z", "#ffffff2c")
    knob(c, 306, 186, 36, look.random.uniform(-120, 20))
    c.text(306, 236, "VOLUME", ink, 8)
    for i in range(4):
        knob(c, 70 + i * 46, 250, 13, look.random.choice((-40, 0, 0, 35)))
    for i in range(4):
        c.rect(248 + i * 26, 250, 14, 24, "#1d1c20", 3)
        c.rect(250 + i * 26, 252 + 9 * look.random.randrange(2), 10, 11, CHROME, 2)
    c.circle(352, 152, 4, look.tone(0.75, 0.18))
    for x in (56, 304):
        c.rect(x, 299, 40, 14, BLACK, 5)


def cassette(look: Look) -> None:
    """A compact cassette."""
    c = look.canvas
    with c.at(0, -6, turn=look.random.choice((-12, -8, 7, 11))):
        outline = (
            "M52 108 H348 Q362 108 362 122 V290 Q362 304 348 304 H52 Q38 304 38 290 V122 "
            "Q38 108 52 108 Z"
        )
        c.cast(outline, 6, 14, blur=9, strength=0.42)
        c.shape(outline, linear("#4b4a50", "#2b2a2e"))
        c.rect(38, 108, 324, 4, "#ffffff40", 4)
        c.rect(58, 124, 284, 140, PAPER, 8)
        stripes = (0.7, 0.6, 0.5)
        for i, lightness in enumerate(stripes):
            c.rect(58, 208 + i * 18, 284, 18.5, look.tone(lightness, 0.14, i * -22))
        c.text(72, 146, "A", "#2b2a2e", 24, bold=True)
        for i in range(2):
            c.rect(104, 142 + i * 16, 222, 1.6, "#b9b09c")
        c.text(
            112,
            135,
            look.random.choice(("late tapes, vol. 3", "for the drive", "side project", "C90 mix")),
            "#3b4a86",
            15,
            anchor="lm",
        )
        c.rect(112, 176, 176, 58, "#1f1e22", 29)
        for x, wound in ((142, 26.0), (258, 15.0)):
            c.circle(x, 205, wound, "#6b4a35")
            c.circle(x, 205, 20, "#f1ede4")
            c.circle(x, 205, 11, "#1f1e22")
            for k in range(6):
                with c.at(turn=k * 60 + look.random.uniform(0, 30), about=(x, 205)):
                    c.rect(x - 2, 192, 4, 7, "#f1ede4", 1)
        c.rect(172, 188, 56, 34, linear("#6f8794", "#2c3a44"), 4)
        c.shape("M176 190 h20 l-14 30 h-6 Z", "#ffffff40")
        c.shape("M104 304 L116 266 H284 L296 304 Z", linear("#57565b", "#333237"))
        for x in (140, 200, 260):
            c.circle(x, 288, 5, "#17161a")
        for x, y in ((50, 120), (350, 120), (50, 292), (350, 292)):
            c.circle(x, y, 5, CHROME_DARK)


def cartridge(look: Look) -> None:
    """A phono cartridge in its headshell, the stylus on the record."""
    c = look.canvas
    c.ellipse(200, 334, 230, 54, "#121114")
    for i in range(8):
        f = 1 - i * 0.09
        c.ring(200, 334, 226 * f, 51 * f, "#2e2d33", 1.4)
    c.shape([(200.0, 334.0), *ellipse_points(200, 334, 226, 51, 200, 222)], "#ffffff26")
    c.ellipse(150, 304, 54, 7, "#00000088")
    with c.at(0, 8, turn=look.random.choice((5, 7, 9)), about=(140, 290)):
        c.rect(286, 112, 92, 22, CHROME, 8)
        c.rect(318, 106, 16, 34, CHROME_DARK, 4)
        c.line("M72 128 Q40 132 38 168", "#b9b5ad", 8)
        c.line("M72 126 Q42 130 39 160", "#f6f4f0", 3)
        c.rect(66, 110, 232, 28, linear("#f3f1ec", "#a8a49c") if look.seed % 2 else CHARCOAL, 8)
        for i in range(3):
            c.ellipse(108 + i * 26, 117, 8, 3, "#17161a88")
        for i, wire in enumerate(("#d8423a", "#f4f1ea", "#3f9a5a", "#3c62c4")):
            c.line(f"M246 {168 + i * 9} Q{280 + i * 3} {160 + i * 7} 290 {136 - i * 2}", wire, 4)
            c.rect(232, 165 + i * 9, 16, 5, BRASS, 2)
        c.rect(96, 138, 140, 74, look.body(0.5, 0.13), 6)
        c.rect(96, 138, 140, 5, "#00000055")
        c.rect(104, 150, 120, 6, "#ffffff33", 3)
        c.circle(206, 186, 8, "#ffffffcc")
        c.rect(112, 181, 76, 10, "#ffffffcc", 5)
        c.shape("M104 212 H226 L214 232 H128 Z", look.tone(0.36, 0.1))
        c.shape("M96 196 H150 V232 H104 Q92 232 92 220 Z", look.tone(0.84, 0.1, 40))
        c.shape("M96 196 H110 L98 228 Q92 228 92 220 Z", "#ffffff66")
        c.line("M138 230 L104 284", "#c9c5bd", 5)
        c.line("M104 282 L102 296", "#f2e6ff", 4)
