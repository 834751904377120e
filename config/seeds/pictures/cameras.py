"""Film cameras and what goes with them."""

from __future__ import annotations

from config.seeds.canvas import Canvas, linear, shade
from config.seeds.pictures.materials import (
    BLACK,
    BRASS,
    CHARCOAL,
    CHROME,
    CHROME_DARK,
    GLASS,
    Look,
    knob,
    lens,
    stitches,
)

LEATHERS = ("#2a2326", "#5a3420", "#24382f", "#26324a")


def _leatherette(c: Canvas, look: Look, x: float, y: float, w: float, h: float) -> None:
    colour = LEATHERS[(look.seed + int(look.hue)) % len(LEATHERS)]
    c.rect(x, y, w, h, colour)
    c.rect(x, y, w, h, linear("#ffffff1c", "#ffffff00", "#00000050"))
    for i in range(110):
        px, py = x + 4 + (i * 37) % (w - 8), y + 4 + (i * 53) % (h - 8)
        c.circle(px, py, 1.1, "#ffffff26")


def camera(look: Look) -> None:
    """A rangefinder from the front."""
    c = look.canvas
    top = CHROME if look.seed % 3 else CHARCOAL
    c.floor_shadow(200, 318, 158, 16)
    c.rect(84, 106, 44, 26, CHROME, 5)
    c.rect(89, 100, 34, 10, CHROME_DARK, 3)
    c.circle(304, 122, 18, CHROME)
    c.circle(304, 117, 10, "#8f8a82")
    c.rect(230, 113, 38, 18, "#77736c", 4)
    c.rect(52, 128, 296, 188, top, 26)
    _leatherette(c, look, 52, 178, 296, 110)
    c.rect(52, 176, 296, 3, "#ffffff55")
    c.rect(52, 287, 296, 2, "#00000040")
    c.rect(270, 138, 52, 30, "#1b2730", 6)
    c.rect(275, 142, 26, 12, "#7fb4ccbb", 2)
    c.rect(188, 142, 28, 22, "#20303a", 4)
    c.rect(192, 145, 12, 8, "#5b8ba2aa", 2)
    c.rect(80, 141, 32, 22, "#20303a", 4)
    c.circle(148, 152, 6.5, shade(0.58, 0.17, look.random.choice((30, 250, 145))))
    lens(c, 200, 232, 76)
    c.shape("M62 140 Q120 132 180 133 L180 137 Q120 137 62 146 Z", "#ffffff88")


def slr(look: Look) -> None:
    """A single-lens reflex with its prism hump."""
    c = look.canvas
    c.floor_shadow(200, 318, 158, 16)
    chrome = look.seed % 3 == 1
    top = CHROME if chrome else BLACK
    c.shape(
        "M58 168 Q58 148 76 148 L134 148 L156 106 Q162 94 176 94 L224 94 Q238 94 244 106 L266 148 "
        "L324 148 Q342 148 342 168 L342 296 Q342 316 322 316 L78 316 Q58 316 58 296 Z",
        top,
    )
    c.shape(
        "M140 148 L160 110 Q165 100 177 100 L223 100 Q235 100 240 110 L260 148 Z",
        linear("#dedad2", "#b5b0a8") if chrome else linear("#57565b", "#3d3c41"),
    )
    c.rect(174, 112, 52, 20, "#202024", 4)
    c.text(200, 122, "SONET", "#e8e6e1", 10, bold=True)
    _leatherette(c, look, 58, 196, 284, 88)
    c.rect(58, 194, 284, 2.5, "#ffffff2c")
    knob(c, 102, 140, 20, -40, CHROME if not chrome else CHARCOAL)
    knob(c, 300, 140, 19, 60, CHROME if not chrome else CHARCOAL)
    c.circle(270, 142, 7, CHROME)
    lens(c, 200, 234, 82, CHARCOAL)
    c.rect(66, 212, 8, 44, "#00000033", 4)


def tlr(look: Look) -> None:
    """A twin-lens reflex with the hood open."""
    c = look.canvas
    c.floor_shadow(200, 322, 104, 15)
    c.shape("M130 92 L142 46 L258 46 L270 92 Z", linear("#55545a", "#2c2b2f"))
    c.rect(140, 42, 120, 9, CHROME_DARK, 3)
    c.shape("M150 86 L158 58 L242 58 L250 86 Z", linear("#20303a", "#3f5f70"))
    c.rect(118, 88, 164, 234, BLACK, 16)
    _leatherette(c, look, 126, 98, 148, 214)
    for w in (0, 1):
        c.line(
            "M142 104 H258 Q268 104 268 114 V298 Q268 308 258 308 H142 Q132 308 132 298 V114 "
            "Q132 104 142 104",
            ("#8b877f", "#f0ede7")[w],
            (6.0, 2.2)[w],
        )
    lens(c, 200, 156, 45)
    lens(c, 200, 252, 52)
    c.rect(282, 190, 10, 32, CHROME_DARK, 3)
    knob(c, 300, 206, 22, 30 + 20 * (look.seed % 4))
    c.rect(106, 130, 14, 22, CHROME, 4)
    c.rect(178, 196, 44, 10, "#d8d4cc", 3)
    c.text(200, 201, "MIREL", "#27262a", 8, bold=True)


def lens_alone(look: Look) -> None:
    """A prime lens standing on its mount, glass towards us."""
    c = look.canvas
    c.floor_shadow(200, 322, 128, 17)
    with c.at(turn=look.random.choice((-14, -10, 8, 12))):
        c.rect(112, 298, 176, 22, CHROME_DARK, 6)
        c.rect(94, 128, 212, 172, linear("#57565b", "#2b2a2e", "#131216", angle=0), 20)
        c.rect(94, 170, 212, 44, "#3d3c40")
        for i in range(20):
            c.rect(98 + i * 10.4, 172, 5.2, 40, "#19181b", 2)
            c.rect(98 + i * 10.4, 172, 1.4, 40, "#6a696f", 1)
        for x, mark, colour in (
            (122, "1.2", "#f2b441"),
            (160, "2", "#f4f1ea"),
            (192, "5", "#f4f1ea"),
            (226, "10", "#f4f1ea"),
        ):
            c.text(x, 234, mark, colour, 14, bold=True)
        c.ring(268, 234, 6, 4, "#f4f1ea", 2)
        c.ring(278, 234, 6, 4, "#f4f1ea", 2)
        c.rect(94, 252, 212, 18, "#4b4a50")
        c.circle(120, 261, 5, look.tone(0.68, 0.16))
        c.rect(94, 276, 212, 5, look.pick("#b93b30", "#d9b04f", "#d8d4cc"))
        c.rect(112, 128, 10, 170, "#ffffff1e", 4)
        c.ellipse(200, 130, 106, 36, "#1c1b1f")
        c.ellipse(200, 128, 98, 31, CHARCOAL)
        c.ellipse(200, 129, 86, 26, GLASS)
        c.ellipse(172, 120, 30, 7, "#ffffff88")
        c.ellipse(236, 138, 14, 4, "#e6b6ff88")


def _roll(look: Look, x: float, turn: float, shift: float, label: str) -> None:
    c = look.canvas
    with c.at(turn=turn, about=(x + 40, 300)):
        c.shape(f"M{x + 76} 196 h26 v96 h-26 Z", linear("#5d4a3a", "#3c2f26", angle=0))
        for i in range(7):
            c.rect(x + 92, 200 + i * 13, 5, 7, "#cbb9a2", 1.5)
        c.rect(x + 27, 156, 26, 22, "#2b2a2e", 4)
        c.rect(x, 172, 80, 138, look.tube(0.56, 0.13, shift), 9)
        c.rect(x, 222, 80, 44, look.tone(0.32, 0.07, shift))
        c.rect(x - 2, 170, 84, 18, BLACK, 7)
        c.rect(x - 2, 294, 84, 18, BLACK, 7)
        c.text(x + 40, 244, label, "#ffffff", 25, bold=True)
        c.rect(x + 12, 190, 9, 102, "#ffffff30", 4)


def film(look: Look) -> None:
    """Three canisters, or two beside their carton."""
    c = look.canvas
    c.floor_shadow(200, 318, 150, 16)
    speeds = look.random.choice(
        (("400", "800", "160"), ("100", "400", "200"), ("125", "400", "50"))
    )
    if look.seed % 2:
        c.rect(66, 128, 108, 188, look.body(0.62, 0.13, 20), 5)
        c.shape("M66 132 L88 112 L192 112 L174 128 Z", look.tone(0.78, 0.09, 20))
        c.shape("M174 128 L192 112 L192 300 L174 316 Z", look.tone(0.42, 0.1, 20))
        c.circle(120, 196, 34, "#fff7e6")
        c.text(120, 197, speeds[0], "#2b2420", 26, bold=True)
        c.rect(78, 256, 84, 8, "#ffffffaa", 4)
        c.rect(78, 272, 58, 8, "#ffffff77", 4)
        _roll(look, 196, 0, 130, speeds[0])
        _roll(look, 284, 12, -40, speeds[1])
        return
    _roll(look, 66, -9, 110, speeds[0])
    _roll(look, 252, 9, 215, speeds[2])
    _roll(look, 156, 0, -15, speeds[1])


def meter(look: Look) -> None:
    """A hand-held light meter on its cord."""
    c = look.canvas
    c.floor_shadow(200, 322, 98, 14)
    with c.at(turn=look.random.choice((-6, -3, 4, 7)), about=(200, 318)):
        c.line("M124 108 Q70 84 92 40 Q100 22 116 34", "#7a4524", 8)
        c.rect(116, 88, 168, 232, BLACK, 28)
        c.rect(122, 94, 156, 220, linear("#57565b", "#2b2a2e"), 24)
        c.circle(200, 144, 46, "#19181b")
        c.circle(200, 144, 40, linear("#fffdf6", "#d9d2c2", angle=60))
        c.ellipse(186, 128, 14, 9, "#ffffffcc")
        c.rect(138, 204, 124, 58, "#14140f", 9)
        c.rect(142, 208, 116, 50, linear("#dbe8d2", "#b9cbb0"), 6)
        c.text(150, 223, look.random.choice(("1/125", "1/250", "1/60")), "#1f2a20", 19, anchor="lm")
        c.text(150, 246, look.random.choice(("f 5.6", "f 8", "f 2.8")), "#1f2a20", 17, anchor="lm")
        c.text(252, 246, "ISO 400", "#1f2a20", 11, anchor="rm")
        c.rect(144, 276, 46, 22, look.tone(0.62, 0.17), 11)
        c.rect(206, 276, 50, 22, "#6a696f", 11)
        c.rect(130, 104, 8, 190, "#ffffff18", 4)


def bag(look: Look) -> None:
    """A camera bag with a flap and a buckle."""
    c = look.canvas
    tan = look.seed % 2 == 0
    top, low, flap, dark, seam = (
        ("#bd7743", "#7f4421", "#ad652f", "#5f3318", "#ecc59a")
        if tan
        else ("#7c8a6b", "#4a573f", "#6b7a5a", "#3a2a1c", "#d8d3b4")
    )
    c.floor_shadow(200, 318, 142, 16)
    c.line("M112 170 Q112 64 200 64 Q288 64 288 170", dark, 14)
    c.line("M109 166 Q110 60 200 60 Q284 60 285 150", "#ffffff22", 3)
    c.rect(72, 148, 256, 170, linear(top, low), 24)
    for x in (58, 306):
        c.rect(x, 206, 38, 92, linear(top, low), 12)
        c.rect(x, 206, 38, 26, flap, 10)
    c.shape("M72 172 Q72 148 96 148 H304 Q328 148 328 172 V226 Q200 268 72 226 Z", "#00000030")
    c.shape("M72 172 Q72 148 96 148 H304 Q328 148 328 172 V220 Q200 262 72 220 Z", flap)
    c.shape("M80 160 Q140 152 320 160 Q320 172 318 176 Q180 166 82 178 Z", "#ffffff20")
    curve = [(84 + i * 8.0, 214 + 33 * (1 - ((i * 8 - 116) / 116) ** 2)) for i in range(30)]
    stitches(c, curve, seam, length=5)
    stitches(c, [(94, 302), (306, 302)], seam)
    c.rect(178, 210, 44, 62, dark, 8)
    c.rect(186, 232, 28, 22, BRASS, 4)
    c.rect(192, 238, 16, 10, dark, 2)
