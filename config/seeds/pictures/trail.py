"""Trail running kit."""

from __future__ import annotations

from config.seeds.canvas import Linear, Point, Radial, ellipse_points, linear
from config.seeds.pictures.materials import (
    BLACK,
    CHARCOAL,
    CHROME,
    CHROME_DARK,
    Look,
)


def shoe(look: Look) -> None:
    """A trail shoe from the side, toe to the right (or to the left)."""
    c = look.canvas
    accent = look.tone(0.78, 0.16, look.random.choice((70, 140, -90)))
    c.floor_shadow(204, 318, 160, 14)
    with c.at(flip=look.seed % 2 == 1):
        lugs = [(64 + i * 21.5, 306 - (3 if i in (0, 13) else 0)) for i in range(14)]
        for x, y in lugs:
            c.shape(f"M{x} {y - 6} h15 l-3 16 h-9 Z", "#232226")
        c.shape(
            "M62 286 Q60 308 84 309 H326 Q356 308 362 280 L350 276 Q330 292 300 292 H80 Z",
            "#2f2e33",
        )
        c.shape(
            "M62 248 Q54 292 74 300 H322 Q360 300 366 262 Q360 250 344 250 L240 258 Z",
            linear("#fdfbf6", "#d9d3c7"),
        )
        c.shape("M70 276 Q180 292 364 268 Q360 282 352 290 Q200 304 72 292 Z", "#00000014")
        c.shape(
            "M84 132 Q74 180 66 256 Q180 270 352 256 Q360 232 328 222 Q282 208 246 172 L222 132 "
            "Q208 116 190 126 Q166 164 126 156 Q112 130 102 126 Q88 122 84 132 Z",
            look.body(0.6, 0.14),
        )
        with c.inside(
            "M84 132 Q74 180 66 256 Q180 270 352 256 Q360 232 328 222 Q282 208 246 172 L222 132 "
            "Q208 116 190 126 Q166 164 126 156 Q112 130 102 126 Q88 122 84 132 Z"
        ):
            c.shape("M300 190 Q282 238 306 280 H380 V200 Z", look.tone(0.38, 0.09))
            c.shape("M60 200 Q112 214 126 270 H50 Z", look.tone(0.4, 0.1))
            c.shape("M118 158 Q164 196 156 272 H188 Q190 190 214 150 Z", accent)
            c.shape("M206 152 Q188 220 214 272 H234 Q212 222 226 176 Z", look.tone(0.42, 0.1))
            for i in range(6):
                for k in range(4):
                    c.circle(244 + i * 9 + k * 4, 250 - i * 3 - k * 10, 1.8, "#00000030")
        c.shape(
            "M98 134 Q112 150 126 156 Q166 164 190 126 Q172 172 126 168 Q104 160 98 134 Z",
            "#1f1e22",
        )
        c.shape(
            "M190 126 Q196 104 216 106 Q230 110 232 128 L240 158 L214 160 Z", look.tone(0.34, 0.07)
        )
        for i in range(4):
            x, y = 206 + i * 15, 146 + i * 17
            c.line([(x, y), (x + 28, y - 9)], "#fbf8f1", 6)
            c.line([(x + 28, y - 9), (x + 18, y + 12)], "#e5dfd2", 3)
        c.shape("M86 128 Q72 118 78 106 Q92 106 100 126 Z", accent)
        c.shape("M90 140 Q82 180 80 220 Q100 190 104 150 Z", "#ffffff38")


def vest(look: Look) -> None:
    """A running vest from the front with two soft flasks."""
    c = look.canvas
    outline = (
        "M150 66 Q112 78 104 128 Q112 176 96 214 Q92 280 104 318 Q150 334 186 322 V176 "
        "Q172 134 176 72 Q160 58 150 66 Z"
    )
    c.cast("M100 80 H300 V330 H100 Z", 8, 14, blur=14, strength=0.34)
    c.shape("M148 70 Q200 104 252 70 L290 130 V310 H110 V130 Z", linear("#2f2e33", "#1d1c20"))
    c.shape("M160 66 Q200 92 240 66 Q236 54 200 56 Q164 54 160 66 Z", look.tone(0.4, 0.09))
    for flip in (False, True):
        with c.at(flip=flip):
            c.shape(outline, look.body(0.62, 0.14))
            c.shape("M176 72 Q172 134 186 176 V322 L178 325 V180 Q164 136 168 66 Z", "#00000030")
            c.rect(122, 146, 48, 40, linear("#cfe6f2cc", "#8fb9cfcc"), 16)
            c.rect(136, 126, 20, 24, look.tone(0.5, 0.12, 150), 6)
            c.rect(141, 114, 10, 16, "#f4f1ea", 4)
            c.shape("M112 182 Q146 192 178 180 L178 262 Q146 272 106 262 Z", "#2c2b30")
            with c.inside("M112 182 Q146 192 178 180 L178 262 Q146 272 106 262 Z"):
                for i in range(12):
                    c.line([(96.0 + i * 10, 172.0), (66.0 + i * 10, 280.0)], "#55545a", 1.2)
                    c.line([(76.0 + i * 10, 172.0), (116.0 + i * 10, 280.0)], "#55545a", 1.2)
            c.shape("M112 182 Q146 192 178 180 V188 Q146 200 111 190 Z", look.tone(0.82, 0.14, 70))
            c.line("M112 284 Q146 294 178 286", "#1d1c20", 4)
            c.rect(164, 284, 14, 7, CHROME, 3)
            c.line("M118 100 Q128 84 148 82", "#ffffff66", 4)
    for y in (206, 244):
        c.rect(176, y, 48, 8, "#1d1c20", 3)
        c.rect(190, y - 4, 20, 16, look.tone(0.82, 0.14, 70), 4)


def watch(look: Look) -> None:
    """A sports watch lying on its strap."""
    c = look.canvas
    with c.at(turn=look.random.choice((-16, -10, 9, 15))):
        strap = "M152 20 H248 L258 130 H142 Z M142 268 H258 L246 392 Q200 402 154 392 Z"
        c.cast(strap, 8, 12, blur=9, strength=0.32)
        c.cast(ellipse_points(200, 200, 112, 112), 8, 14, blur=10, strength=0.36)
        shiny = Linear(look.tube(0.5, 0.12).stops, 0)
        c.shape(strap, shiny)
        for i in range(5):
            c.rect(190, 300 + i * 17, 20, 7, "#00000066", 3)
        for y in (36, 62, 88):
            c.rect(160, y, 80, 5, "#00000030", 2)
        for x, y in ((306, 178), (306, 222), (78, 160), (78, 200), (78, 240)):
            c.rect(x, y - 9, 16, 18, CHROME_DARK, 4)
        c.circle(200, 200, 112, BLACK)
        c.circle(200, 200, 104, CHROME if look.seed % 2 else CHARCOAL)
        for i in range(60):
            with c.at(turn=i * 6, about=(200, 200)):
                long = i % 5 == 0
                c.rect(199, 100, 2, 10 if long else 5, "#1d1c20" if look.seed % 2 else "#d8d4cc")
        c.circle(200, 200, 88, "#0d1416")
        share = look.random.uniform(150, 300)
        c.line(ellipse_points(200, 200, 78, 78, -90, 270), "#243033", 8)
        c.line(ellipse_points(200, 200, 78, 78, -90, -90 + share), look.tone(0.78, 0.16), 8)
        c.text(200, 182, look.random.choice(("10:42", "06:15", "17:08")), "#f4f7f3", 46, bold=True)
        trace: list[Point] = [
            (140 + i * 8, 238 - (26 if i in (5, 11) else 8 if i in (6, 12) else 0) + 3 * (i % 2))
            for i in range(16)
        ]
        c.line(trace, "#ff7a6b", 3)
        c.text(200, 150, look.random.choice(("12.4 km", "800 m up", "5:12 /km")), "#9fb8b2", 15)
        c.shape("M132 150 Q150 120 190 116 Q156 138 146 178 Z", "#ffffff24")


def bottle(look: Look) -> None:
    """A soft flask (even seed) or a steel one (odd seed)."""
    c = look.canvas
    if look.seed % 2 == 0:
        c.floor_shadow(200, 320, 76, 13)
        c.rect(182, 36, 36, 42, linear("#fdfbf6", "#cfc9bd", angle=0), 12)
        c.rect(188, 22, 24, 22, look.tone(0.7, 0.15), 9)
        c.rect(160, 74, 80, 34, look.tube(0.5, 0.14), 8)
        for i in range(9):
            c.rect(164 + i * 8.6, 76, 2, 30, "#00000033", 1)
        c.shape(
            "M164 108 H236 Q266 130 264 190 Q256 230 266 270 Q268 306 "
            "246 320 H154 Q132 306 134 270 "
            "Q144 230 136 190 Q134 130 164 108 Z",
            Linear(((0, "#8fb4c6dd"), (0.3, "#e8f5fadd"), (0.7, "#b5d3e0dd"), (1, "#7ba2b6dd")), 0),
        )
        c.shape(
            "M140 214 Q200 224 260 214 Q258 240 266 270 Q268 306 246 320 "
            "H154 Q132 306 134 270 Q142 240 140 214 Z",
            look.tone(0.7, 0.12, 0, 0.55),
        )
        c.text(206, 178, "500 ml", look.tone(0.36, 0.09), 17, bold=True)
        for i in range(5):
            c.rect(228, 220 + i * 17, 14, 2.4, "#ffffffcc", 1)
        c.shape("M158 124 Q146 150 150 200 Q156 150 172 122 Z", "#ffffff99")
        return
    c.floor_shadow(200, 320, 84, 14)
    c.line(ellipse_points(200, 66, 30, 30, 180, 360), "#2b2a2e", 11)
    c.rect(160, 64, 80, 44, linear("#4b4a50", "#232226", angle=0), 10)
    for i in range(8):
        c.rect(166 + i * 9.4, 68, 3, 36, "#00000044", 1)
    c.rect(166, 106, 68, 14, CHROME_DARK)
    c.shape(
        "M166 118 H234 Q266 130 266 168 V304 Q266 320 250 320 H150 "
        "Q134 320 134 304 V168 Q134 130 166 118 Z",
        look.tube(0.56, 0.13),
    )
    c.rect(134, 296, 132, 24, linear("#d8d4cc", "#8f8b84", angle=0), 10)
    c.shape("M152 150 Q156 136 170 132 V290 H152 Z", "#ffffff3c")
    c.shape("M176 232 L198 196 L212 216 L222 204 L240 232 Z", "#ffffffdd")
    c.shape("M198 196 L190 209 L198 206 L204 211 L207 209 Z", look.tone(0.5, 0.12))


def headlamp(look: Look) -> None:
    """A head torch with its strap, lit."""
    c = look.canvas
    c.floor_shadow(200, 318, 136, 15)
    c.line(ellipse_points(200, 206, 132, 84, 180, 360), look.tone(0.4, 0.09), 30)
    c.line(ellipse_points(200, 206, 132, 84, 188, 352), "#00000040", 30, round_ends=False)
    c.rect(170, 104, 60, 36, BLACK, 9)
    c.circle(200, 122, 5, "#7ce08a")
    c.line(ellipse_points(200, 206, 132, 84, 0, 180), look.tone(0.58, 0.14), 36)
    for side in (0, 1):
        low, high = ((100, 176), (4, 80))[side]
        c.line(ellipse_points(200, 206, 134, 86, low, high), look.tone(0.84, 0.13, 60), 7)
    c.line(ellipse_points(200, 193, 132, 84, 14, 166), "#ffffff38", 4)
    c.rect(122, 232, 156, 88, BLACK, 26)
    c.rect(128, 238, 144, 74, CHARCOAL, 22)
    c.rect(182, 224, 36, 13, look.tone(0.66, 0.17), 6)
    c.circle(174, 276, 33, CHROME_DARK)
    c.circle(
        174, 276, 29, Radial(((0, "#ffffff"), (0.4, "#fff6cf"), (1, "#e0b85a")), 0.5, 0.5, 0.55)
    )
    c.circle(236, 276, 23, CHROME_DARK)
    c.circle(
        236, 276, 19, Radial(((0, "#ffffff"), (0.5, "#fff1c0"), (1, "#b98f3c")), 0.5, 0.5, 0.55)
    )
    c.glow(174, 276, 92, 92, "#fff7d8b0")
    c.glow(236, 276, 58, 58, "#fff7d890")


def poles(look: Look) -> None:
    """Two trekking poles crossed."""
    c = look.canvas
    spread = look.random.uniform(17, 22)
    c.floor_shadow(200, 352, 128, 9, 0.22)
    for turn in (-spread, spread):
        with c.at(0, 8, turn=turn, about=(200, 210)):
            c.cast("M194 30 H206 V350 H194 Z", 9, 8, blur=5, strength=0.28)
            c.line("M206 66 Q250 90 228 128 Q214 132 206 92", "#2b2a2e", 6)
            c.rect(188, 22, 26, 96, linear("#d8ab76", "#b07f4a", "#87592c", angle=0), 11)
            c.rect(184, 18, 32, 26, BLACK, 11)
            for i in range(6):
                c.circle(194 + (i * 7) % 15, 54 + i * 10, 1.6, "#6b431d88")
            c.rect(194.5, 116, 13, 96, look.tube(0.56, 0.14))
            c.rect(190, 206, 22, 22, BLACK, 5)
            c.rect(210, 208, 9, 16, look.tone(0.74, 0.16, 60), 3)
            c.rect(196, 226, 10, 96, linear("#f3f1ec", "#b9b5ad", "#7b776f", angle=0))
            for i in range(5):
                c.rect(196, 238 + i * 10, 10, 1.4, "#2b2a2e88")
            c.ellipse(201, 322, 24, 8, "#232226")
            c.ellipse(201, 319, 24, 8, look.tone(0.5, 0.12))
            c.shape("M197 326 H205 L202.5 352 H199.5 Z", CHROME_DARK)
