"""Fountain pens, ink and paper."""

from __future__ import annotations

from config.seeds.canvas import Canvas, Linear, linear
from config.seeds.pictures.materials import CHROME, PAPER, Look, stitches

GOLD = linear("#fff0bd", "#e3bd5c", "#a97f2b")


def _nib(c: Canvas, x: float, y: float, length: float, metal: Linear) -> None:
    """A nib lying on its back, pointing right from (x, y), its base `length` / 2 wide."""
    half = length * 0.24
    c.shape(
        f"M{x} {y - half * 0.8:.1f} Q{x + length * 0.3:.1f} {y - half * 1.3:.1f} "
        f"{x + length * 0.5:.1f} {y - half * 0.75:.1f} L{x + length:.1f} {y - 1.4:.1f} "
        f"V{y + 1.4:.1f} L{x + length * 0.5:.1f} {y + half * 0.75:.1f} "
        f"Q{x + length * 0.3:.1f} {y + half * 1.3:.1f} {x} {y + half * 0.8:.1f} Z",
        metal,
    )
    c.line([(x + length * 0.34, y), (x + length, y)], "#4a3510", 1.3)
    c.circle(x + length * 0.33, y, 2.6, "#3a2a0c")


def pen(look: Look) -> None:
    """A fountain pen uncapped, its cap beside it."""
    c = look.canvas
    metal = GOLD if look.seed % 3 else CHROME
    stripe = Linear(
        (
            (0.0, look.tone(0.36, 0.1)),
            (0.22, look.tone(0.74, 0.1)),
            (0.42, look.tone(0.52, 0.14)),
            (1.0, look.tone(0.24, 0.07)),
        ),
        90.0,
    )
    black = Linear(((0, "#2b2a2e"), (0.25, "#8b8a90"), (0.45, "#3a393e"), (1, "#121114")), 90.0)
    turn = look.random.choice((-36, -31, -26))
    with c.at(-2, -26, turn=turn):
        barrel = "M34 186 Q34 176 48 174 L196 170 H222 V222 H196 L48 216 Q34 214 34 204 Z"
        c.cast("M36 176 H340 V214 H36 Z", 8, 18, blur=8, strength=0.36)
        c.shape("M222 176 L282 182 Q290 196 282 210 L222 216 Z", black)
        c.shape("M280 184 L312 192 L312 200 L280 208 Z", "#1d1c20")
        _nib(c, 280, 196, 84, metal)
        c.shape(barrel, stripe)
        c.rect(60, 173.6, 8, 43, metal)
        c.rect(214, 169, 9, 54, metal, 2)
        if look.seed % 2:
            for i in range(14):
                x = 78 + (i * 41) % 126
                c.ellipse(x, 182 + (i * 13) % 30, 7, 2.4, look.tone(0.8, 0.1, 10, 0.5))
    with c.at(10, 64, turn=turn + look.random.uniform(-3, 3)):
        c.cast("M96 176 H262 V224 H96 Z", 8, 16, blur=8, strength=0.36)
        c.rect(96, 172, 166, 52, stripe, 14)
        c.rect(228, 170, 8, 56, metal)
        c.rect(240, 170, 16, 56, metal)
        c.rect(100, 171, 9, 54, metal, 3)
        c.shape(
            "M104 188 Q104 182 112 182 L206 190 Q216 196 206 202 L112 204 Q104 204 104 198 Z",
            "#00000055",
        )
        c.shape(
            "M104 186 Q104 180 112 180 L206 188 Q216 193 206 198 L112 200 Q104 200 104 194 Z", metal
        )


def ink(look: Look) -> None:
    """A bottle of ink and a card with a swatch of it."""
    c = look.canvas
    with c.at(turn=look.random.choice((8, 12, -3)), about=(280, 200)):
        c.cast("M214 70 H344 V250 H214 Z", 6, 10, blur=8, strength=0.3)
        c.rect(214, 70, 130, 190, PAPER, 4)
        for i in range(5):
            c.line(
                [(228.0, 100 + i * 14.0), (330.0 - (i * 17) % 34, 98 + i * 14.0)],
                look.tone(0.44 + 0.03 * i, 0.14, 0, 0.85),
                13,
            )
        c.line("M230 196 q10 -20 18 0 t18 0 t18 0 t18 0 t18 -4", look.tone(0.38, 0.13), 3)
        c.line("M230 222 q8 -14 14 0 t16 0 t14 0 t20 -2", look.tone(0.38, 0.13), 3)
    c.floor_shadow(176, 320, 122, 15)
    glass = (
        "M82 184 Q82 166 104 162 L126 156 H222 L244 162 Q266 166 266 184 V300 Q266 320 246 320 "
        "H102 Q82 320 82 300 Z"
    )
    c.shape(glass, Linear(((0, "#dce9ecdd"), (0.5, "#f4fafadd"), (1, "#b9cdd2dd")), 20))
    c.shape(
        "M94 196 H254 V298 Q254 308 242 308 H106 Q94 308 94 298 Z",
        linear(look.tone(0.46, 0.15), look.tone(0.3, 0.12)),
    )
    c.ellipse(174, 196, 80, 8, look.tone(0.58, 0.14))
    c.rect(122, 214, 104, 70, PAPER, 5)
    c.rect(128, 220, 92, 58, look.tone(0.5, 0.12, 0, 0.25), 3)
    c.text(
        174,
        241,
        "INK",
        "#2b2724",
        22,
        bold=True,
    )
    c.text(174, 264, "50 ml", "#5a534b", 12)
    c.rect(134, 140, 80, 20, "#c9d9ddee", 4)
    c.rect(122, 92, 104, 54, linear("#57565b", "#2b2a2e", "#1c1b1f", angle=0), 9)
    for i in range(12):
        c.rect(127 + i * 8.2, 98, 2.4, 42, "#00000055", 1)
    c.ellipse(174, 95, 48, 7, "#6a696f")
    c.shape("M92 190 Q92 176 106 174 V300 Q92 300 92 290 Z", "#ffffff66")


def notebook(look: Look) -> None:
    """A notebook with an elastic band, another under it."""
    c = look.canvas
    tilt = look.random.choice((-10, -7, 8))
    with c.at(10, 4, turn=tilt + 16):
        c.cast("M100 66 H304 V338 H100 Z", 6, 12, blur=9, strength=0.34)
        c.rect(100, 66, 204, 272, look.body(0.74, 0.09, 50), 10)
    with c.at(-6, -4, turn=tilt):
        c.cast("M96 58 H306 V340 H96 Z", 7, 13, blur=9, strength=0.4)
        c.rect(104, 64, 206, 282, linear("#f7f1e3", "#d9cfba"), 6)
        for i in range(3):
            c.rect(106, 340 - i * 2.4, 202, 0.9, "#b3a88f")
        c.line("M146 330 Q142 352 152 366", look.tone(0.6, 0.17, 150), 7)
        c.rect(96, 56, 208, 282, look.body(0.48, 0.11), 10)
        c.rect(96, 56, 26, 282, "#00000030", 8)
        c.rect(121, 56, 1.8, 282, "#ffffff33")
        c.rect(270, 54, 12, 286, "#232226", 2)
        c.rect(272, 54, 2, 286, "#ffffff30")
        c.rect(146, 92, 98, 62, PAPER, 4)
        c.rect(156, 106, 78, 2, "#b9b09c")
        c.rect(156, 120, 78, 2, "#b9b09c")
        c.text(
            195,
            138,
            look.random.choice(("field notes", "2026", "ink log", "drafts")),
            "#3b4a86",
            15,
        )
        stitches(c, [(109, 70), (109, 326)], "#ffffff66", length=7)
        c.shape("M124 58 H250 L124 250 Z", "#ffffff14")


def nib(look: Look) -> None:
    """A nib from close by, with the line it just wrote."""
    c = look.canvas
    two_tone = look.seed % 2 == 0
    metal = Linear(((0, "#b78a33"), (0.3, "#ffeeb5"), (0.6, "#dfb656"), (1, "#8f6a22")), 0)
    steel = Linear(((0, "#86827b"), (0.3, "#fbfaf7"), (0.6, "#c9c5bd"), (1, "#77736c")), 0)
    c.line("M40 330 q26 -52 48 -6 t44 -4 t40 2 t34 8", look.tone(0.34, 0.13), 6)
    with c.at(14, -4, turn=look.random.choice((18, 23, 28)), about=(200, 330), scale=1.04):
        outline = (
            "M158 44 H242 L250 120 Q276 170 256 214 Q232 270 204 330 H196 Q168 270 144 214 "
            "Q124 170 150 120 Z"
        )
        c.cast(outline, 12, 10, blur=9, strength=0.4)
        c.shape("M164 20 H236 L240 60 H160 Z", linear("#4b4a50", "#121114", angle=0))
        for i in range(7):
            c.rect(168 + i * 10, 20, 3, 36, "#00000088")
        c.shape(outline, metal if look.seed % 3 else steel)
        if two_tone:
            c.shape(
                "M162 90 H238 Q258 150 240 196 Q222 244 202 300 H198 Q178 "
                "244 160 196 Q142 150 162 90 Z",
                steel if look.seed % 3 else metal,
            )
        c.line("M200 196 V330", "#2b2210", 2.4)
        c.circle(200, 192, 9, "#1d160a")
        c.line("M172 204 Q162 160 174 112", "#00000038", 2)
        c.line("M228 204 Q238 160 226 112", "#00000038", 2)
        c.text(200, 126, look.random.choice(("M", "B", "F", "1.1", "EF")), "#4a3510", 26, bold=True)
        c.text(200, 152, look.random.choice(("14K", "18K", "585")), "#4a3510", 12)
        c.shape("M154 130 Q136 168 152 208 L168 246 Q146 180 164 124 Z", "#ffffff77")
        c.circle(200, 331, 5, "#8b877f")
