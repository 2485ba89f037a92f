"""Draw the demo shop's product pictures: flat SVG, 400 by 400, made of a few shapes each.

Usage: python -m scripts.draw_demo_pictures [FOLDER]   (default: shops/demo/pictures)

The pictures are our own work, so a shop pack carries no licence but ours.  Edit a drawing below
and run this again.
"""

# The drawings are tables of coordinates: one shape after the other reads better than one a line,
# and each function is called what it draws.
# ruff: noqa: D103, E501

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

Shapes = str

OAK, OAK_DARK, OAK_LIGHT = "#c79a63", "#a67c48", "#dcb680"
INK, STEEL, STEEL_LIGHT, STEEL_DARK = "#2f3542", "#aab4c0", "#d5dce4", "#7c8896"
WHITE, CREAM, SAND = "#ffffff", "#f6efe3", "#e3d3b8"
BLUE, BLUE_DARK, BLUE_LIGHT = "#3f6fae", "#2c5288", "#8fb3dd"
GREEN, GREEN_DARK, GREEN_LIGHT = "#5f8f6b", "#436b4e", "#a3c7a8"
RED, RED_DARK, YELLOW, YELLOW_DARK = "#c8503f", "#9b382b", "#f2b84b", "#d2932a"
TERRACOTTA, TERRACOTTA_DARK, PINK, GOLD = "#cf7a56", "#a95c3c", "#e7a5a5", "#c9a04c"

BACKGROUNDS = {
    "light": ("#fdf3dc", "#f6dfae"),
    "home": ("#eef1ea", "#d5dfcf"),
    "soft": ("#fbeeea", "#efd3ca"),
    "kitchen": ("#eaf2f4", "#c9dee4"),
    "tech": ("#edeff8", "#d0d6ec"),
    "out": ("#e9f4ee", "#c4e0cf"),
    "deco": ("#f6f0f8", "#dfd2e6"),
}


def rect(x: float, y: float, w: float, h: float, fill: str, r: float = 0, more: str = "") -> Shapes:
    """Return a rectangle with rounded corners."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{r:g}" fill="{fill}" {more}/>'
    )


def oval(x: float, y: float, rx: float, ry: float, fill: str, more: str = "") -> Shapes:
    """Return an ellipse around its centre."""
    return f'<ellipse cx="{x:g}" cy="{y:g}" rx="{rx:g}" ry="{ry:g}" fill="{fill}" {more}/>'


def path(d: str, fill: str = "none", stroke: str = "", width: float = 0) -> Shapes:
    """Return a path, filled, or stroked with round ends."""
    line = (
        f'stroke="{stroke}" stroke-width="{width:g}" stroke-linecap="round" stroke-linejoin="round"'
        if stroke
        else ""
    )
    return f'<path d="{d}" fill="{fill}" {line}/>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float) -> Shapes:
    """Return a straight line with round ends."""
    return path(f"M{x1:g} {y1:g}L{x2:g} {y2:g}", stroke=stroke, width=width)


def shadow(y: float = 338, rx: float = 110, x: float = 200) -> Shapes:
    """Return the shadow a thing throws on the floor."""
    return oval(x, y, rx, rx * 0.09 + 3, "#000000", 'opacity="0.13"')


def glow(x: float, y: float, r: float) -> Shapes:
    """Return lamplight."""
    return oval(x, y, r, r, "#ffe9a8", 'opacity="0.55"') + oval(
        x, y, r * 0.62, r * 0.62, "#fff3c9", 'opacity="0.7"'
    )


def oslo() -> Shapes:
    return (
        glow(200, 150, 120) + shadow(332, 70)
        + path("M200 190L200 300", stroke=INK, width=9)
        + oval(200, 318, 62, 16, INK) + rect(138, 306, 124, 12, INK, 6)
        + path("M150 90L250 90L282 196L118 196Z", CREAM) + path("M150 90L200 90L200 196L118 196Z", WHITE)
        + line(118, 196, 282, 196, SAND, 5)
    )  # fmt: skip


def milano() -> Shapes:
    return (
        glow(270, 118, 88) + shadow(350, 62, 140)
        + path("M140 344C140 190 130 70 262 74", stroke=INK, width=8)
        + oval(140, 346, 58, 11, INK)
        + path("M226 120Q230 66 270 66Q310 66 314 120Z", GOLD) + path("M270 66Q310 66 314 120L270 120Z", "#b28a3a")
        + oval(270, 121, 44, 8, "#fff6d6")
    )  # fmt: skip


def luna() -> Shapes:
    ribs = "".join(
        path(f"M200 92Q{200 + dx:g} 190 200 288", stroke=SAND, width=3) for dx in (-190, -120, -45, 45, 120, 190)
    )  # fmt: skip
    return (
        line(200, 0, 200, 92, INK, 4) + glow(200, 190, 140) + oval(200, 190, 104, 98, WHITE) + ribs
        + rect(182, 84, 36, 14, OAK, 5) + oval(200, 288, 24, 6, OAK)
    )  # fmt: skip


def nemo() -> Shapes:
    return (
        glow(195, 210, 135) + shadow(312, 110)
        + path("M88 230C88 150 160 128 220 140C272 150 292 196 292 240C292 296 240 308 186 308C128 308 88 288 88 230Z", "#f4f7fb")
        + path("M94 252C120 300 220 306 286 262C276 300 236 308 186 308C134 308 100 294 94 252Z", "#d4e1ef")
        + path("M284 214C320 206 322 176 350 168C352 200 336 222 322 230C338 240 344 258 340 280C318 270 300 252 288 250Z", "#f4f7fb")
        + oval(140, 226, 8, 10, INK) + path("M112 262Q132 280 158 268", stroke=INK, width=5)
        + path("M186 134C182 112 168 108 160 112M192 134C196 112 210 108 218 112", stroke=BLUE_LIGHT, width=6)
    )  # fmt: skip


def bruno() -> Shapes:
    return (
        shadow(336, 128) + line(122, 290, 112, 332, OAK_DARK, 10) + line(278, 290, 288, 332, OAK_DARK, 10)
        + rect(112, 92, 176, 180, GREEN, 58) + rect(126, 108, 148, 130, GREEN_LIGHT, 44, 'opacity="0.35"')
        + rect(76, 186, 62, 112, GREEN_DARK, 30) + rect(262, 186, 62, 112, GREEN_DARK, 30)
        + rect(112, 226, 176, 74, GREEN, 24) + rect(126, 220, 148, 40, "#74a37f", 20)
    )  # fmt: skip


def nora() -> Shapes:
    legs = "".join(line(a, 236, b, 334, OAK_DARK, 11) for a, b in ((142, 128), (258, 272)))
    return (
        shadow(338, 92) + line(158, 240, 156, 318, OAK_DARK, 9) + line(242, 240, 244, 318, OAK_DARK, 9) + legs
        + line(140, 230, 148, 84, OAK, 12) + line(260, 230, 252, 84, OAK, 12)
        + rect(138, 76, 124, 46, OAK_LIGHT, 20) + rect(142, 146, 116, 20, OAK_LIGHT, 10)
        + path("M126 222H274L284 248H116Z", OAK) + rect(116, 244, 168, 12, OAK_DARK, 6)
    )  # fmt: skip


def verona() -> Shapes:
    return (
        shadow(330, 160)
        + path("M84 204L66 328H86L106 208ZM316 204L334 328H314L294 208Z", OAK_DARK)
        + path("M126 204L120 300H136L146 206ZM274 204L280 300H264L254 206Z", "#8f6a3c")
        + path("M78 158H322L372 192H28Z", OAK_LIGHT) + rect(28, 192, 344, 20, OAK, 6)
        + path("M112 168H300M96 180H316", stroke=OAK, width=2)
        + path("M180 122H222L216 168H186Z", TERRACOTTA) + path("M200 122C176 96 178 76 190 66C204 84 206 100 200 122C206 92 224 84 238 86C236 106 220 118 200 122Z", GREEN)
    )  # fmt: skip


def tokyo() -> Shapes:
    boards = "".join(rect(110, y, 180, 9, OAK, 2) for y in (58, 120, 182, 244, 306))
    books = ""
    for x, y, w, h, fill in (
        (122, 76, 14, 44, BLUE), (138, 70, 12, 50, RED), (152, 80, 16, 40, YELLOW), (232, 82, 40, 38, TERRACOTTA),
        (124, 150, 52, 32, CREAM), (214, 136, 13, 46, GREEN), (229, 142, 15, 40, INK), (246, 134, 12, 48, PINK), (260, 140, 14, 42, BLUE_LIGHT),
        (126, 202, 14, 42, INK), (142, 208, 12, 36, GOLD), (156, 198, 16, 46, GREEN_DARK), (224, 222, 52, 22, SAND),
        (128, 272, 60, 34, BLUE_LIGHT), (220, 262, 14, 44, RED_DARK), (236, 268, 16, 38, CREAM),
    ):  # fmt: skip
        books += rect(x, y, w, h, fill, 2)
    sides = rect(102, 50, 10, 290, INK, 3) + rect(288, 50, 10, 290, INK, 3)
    return (
        shadow(342, 110)
        + rect(110, 58, 180, 250, "#ffffff", 0, 'opacity="0.35"')
        + books
        + boards
        + sides
    )


def malmo() -> Shapes:
    return (
        shadow(334, 146) + line(86, 200, 70, 330, INK, 9) + line(314, 200, 330, 330, INK, 9)
        + rect(58, 180, 284, 16, OAK, 5) + rect(72, 196, 256, 40, WHITE, 4) + rect(84, 204, 110, 24, CREAM, 4) + rect(128, 214, 22, 5, OAK_DARK, 2)
        + rect(206, 204, 110, 24, CREAM, 4) + rect(250, 214, 22, 5, OAK_DARK, 2)
        + rect(150, 104, 108, 68, INK, 6) + rect(157, 111, 94, 52, BLUE_LIGHT, 3) + path("M138 180L150 172H258L270 180Z", STEEL)
        + path("M296 180V136L282 116", stroke=INK, width=5) + path("M264 126L286 104L300 122Z", YELLOW)
    )  # fmt: skip


def alma() -> Shapes:
    return (
        shadow(326, 150) + rect(58, 116, 284, 90, OAK, 16) + rect(58, 186, 284, 120, CREAM, 14)
        + rect(78, 142, 112, 62, WHITE, 24) + rect(210, 142, 112, 62, WHITE, 24)
        + path("M50 208Q200 186 350 208V306Q350 318 338 318H62Q50 318 50 306Z", BLUE)
        + path("M50 208Q200 186 350 208V232Q200 210 50 232Z", BLUE_LIGHT)
        + path("M110 244Q126 280 116 318M214 230Q206 276 222 318M300 240Q288 280 298 318", stroke=BLUE_DARK, width=3)
        + rect(64, 316, 14, 18, OAK_DARK, 3) + rect(322, 316, 14, 18, OAK_DARK, 3)
    )  # fmt: skip


def aurora() -> Shapes:
    fringe = "".join(line(x, 292, x - 3, 316, CREAM, 4) for x in range(96, 306, 14))
    checks = "".join(
        rect(x, 132, 16, 160, "#ffffff", 0, 'opacity="0.28"') for x in (118, 168, 218, 268)
    )
    rows = "".join(rect(88, y, 224, 16, "#ffffff", 0, 'opacity="0.28"') for y in (160, 206, 252))
    return (
        shadow(320, 130)
        + rect(88, 112, 224, 180, STEEL_DARK, 18)
        + checks
        + rows
        + rect(88, 104, 224, 44, STEEL, 20)
        + fringe
    )


def bella() -> Shapes:
    return (
        shadow(322, 118)
        + path("M96 112Q200 92 304 112Q326 214 304 316Q200 300 96 316Q74 214 96 112Z", YELLOW)
        + path("M304 112Q326 214 304 316Q200 300 96 316Q240 300 272 214Q290 160 304 112Z", YELLOW_DARK)
        + path("M130 150Q200 170 270 150M124 214Q200 232 276 214M130 276Q200 262 270 276", stroke=CREAM, width=6)
        + oval(200, 214, 9, 9, CREAM)
    )  # fmt: skip


def sahara() -> Shapes:
    rows = ""
    for y in (160, 208, 256):
        rows += path(
            f"M200 {y - 22}L226 {y}L200 {y + 22}L174 {y}Z", stroke=TERRACOTTA_DARK, width=5
        )
        rows += path(
            f"M132 {y - 18}L154 {y}L132 {y + 18}L110 {y}ZM268 {y - 18}L290 {y}L268 {y + 18}L246 {y}Z",
            stroke=OAK_DARK,
            width=4,
        )
    fringe = "".join(
        line(x, 302, x, 320, SAND, 4) + line(x, 100, x, 82, SAND, 4) for x in range(86, 320, 12)
    )
    return (
        fringe
        + rect(76, 98, 248, 206, CREAM, 6)
        + rect(88, 110, 224, 182, "none", 4, f'stroke="{SAND}" stroke-width="5"')
        + rows
    )


def marina() -> Shapes:
    stack = ""
    for y, fill, edge in (
        (262, BLUE, BLUE_DARK),
        (212, WHITE, STEEL_LIGHT),
        (162, BLUE_LIGHT, BLUE),
        (118, WHITE, STEEL_LIGHT),
    ):
        inset = 0 if y > 170 else 16
        stack += rect(92 + inset, y, 216 - 2 * inset, 50 if y > 170 else 44, fill, 20)
        stack += path(f"M{110 + inset} {y + 26}H{290 - inset}", stroke=edge, width=4)
    return shadow(322, 122) + stack


def siena() -> Shapes:
    return (
        line(200, 40, 200, 62, STEEL_DARK, 6) + path("M150 86Q200 40 250 86", stroke=OAK_DARK, width=8)
        + path("M150 84L92 118L66 250L106 262L122 190L112 340H288L278 190L294 262L334 250L308 118L250 84L200 150Z", WHITE)
        + path("M200 150L250 84Q238 180 206 236V340H196V236Q162 180 150 84Z", STEEL_LIGHT)
        + rect(118, 220, 164, 20, STEEL, 6) + path("M206 238L224 300M200 238L190 296", stroke=STEEL, width=10)
        + rect(128, 268, 46, 42, "none", 6, f'stroke="{STEEL_LIGHT}" stroke-width="5"') + rect(226, 268, 46, 42, "none", 6, f'stroke="{STEEL_LIGHT}" stroke-width="5"')
    )  # fmt: skip


def torino() -> Shapes:
    return (
        shadow(334, 112) + rect(116, 82, 168, 246, RED, 18) + rect(116, 82, 168, 60, RED_DARK, 18) + rect(96, 312, 208, 22, INK, 8)
        + rect(140, 158, 120, 154, INK, 8) + oval(150, 112, 13, 13, CREAM) + oval(200, 112, 18, 18, STEEL_LIGHT) + path("M200 112L208 102", stroke=INK, width=4)
        + oval(250, 112, 13, 13, CREAM) + rect(166, 150, 68, 26, STEEL, 6) + path("M188 176V194M212 176V194", stroke=STEEL, width=8)
        + path("M234 162H286", stroke=INK, width=12) + path("M172 236H228V262Q228 288 200 288Q172 288 172 262Z", WHITE) + path("M228 244Q246 246 240 262Q236 270 226 270", stroke=WHITE, width=6)
        + path("M276 150V210Q276 222 268 230", stroke=STEEL_LIGHT, width=6)
    )  # fmt: skip


def vesta() -> Shapes:
    return (
        shadow(334, 104) + path("M274 138Q334 150 326 220Q320 268 280 282", stroke=INK, width=18)
        + path("M138 118H262L288 306Q288 316 278 316H122Q112 316 112 306Z", STEEL) + path("M138 118H176L164 316H122Q112 316 112 306Z", STEEL_LIGHT)
        + path("M140 140L98 132L118 178Z", STEEL) + oval(200, 118, 62, 13, STEEL_DARK) + rect(188, 88, 24, 20, INK, 8)
        + rect(104, 312, 192, 20, INK, 8) + oval(200, 250, 20, 20, INK) + path("M200 250L210 240", stroke=YELLOW, width=5)
    )  # fmt: skip


def samba() -> Shapes:
    return (
        shadow(322, 126) + path("M142 150Q142 88 182 88Q196 88 200 98Q206 88 222 88Q260 88 258 150Z", OAK_LIGHT) + path("M152 150Q152 100 182 100Q196 102 200 110Q206 100 222 100Q250 102 248 150Z", "#efd6a8")
        + rect(80, 144, 240, 166, RED, 34) + rect(80, 144, 240, 40, "#d9695a", 20) + rect(118, 154, 164, 12, INK, 6)
        + rect(300, 196, 28, 14, INK, 6) + line(312, 176, 312, 258, RED_DARK, 6) + oval(126, 262, 17, 17, CREAM) + path("M126 262L134 252", stroke=INK, width=4)
        + rect(100, 306, 32, 16, INK, 6) + rect(268, 306, 32, 16, INK, 6) + rect(170, 254, 90, 16, RED_DARK, 8)
    )  # fmt: skip


def carlo() -> Shapes:
    return (
        shadow(318, 132) + rect(44, 196, 50, 24, RED_DARK, 12) + rect(306, 196, 50, 24, RED_DARK, 12)
        + path("M78 182H322V262Q322 312 272 312H128Q78 312 78 262Z", RED) + path("M78 182H126V312Q78 308 78 262Z", "#d96a5a")
        + path("M78 180Q90 126 200 122Q310 126 322 180Z", RED_DARK) + rect(70, 174, 260, 16, RED, 8) + oval(200, 112, 24, 13, STEEL_DARK) + rect(192, 112, 16, 14, STEEL_DARK)
    )  # fmt: skip


def rico() -> Shapes:
    return (
        shadow(306, 120, 160) + path("M236 206L356 122", stroke=INK, width=22) + path("M300 164L352 126", stroke=OAK, width=13)
        + oval(154, 236, 118, 66, INK) + oval(154, 226, 118, 64, STEEL_DARK) + oval(154, 224, 100, 52, "#3b4250") + path("M96 206Q140 180 200 190", stroke="#5d6677", width=6)
        + oval(150, 226, 40, 22, WHITE) + oval(156, 224, 15, 10, YELLOW)
    )  # fmt: skip


def toledo() -> Shapes:
    return (
        rect(60, 262, 280, 64, OAK_LIGHT, 12) + path("M70 284H330M70 304H330", stroke=OAK, width=3)
        + path("M148 214L336 96Q352 88 344 110Q312 178 196 240Z", STEEL_LIGHT) + path("M160 222L344 104Q330 150 196 240Z", STEEL)
        + path("M60 284L158 216Q172 208 186 226Q192 236 182 244L84 306Q66 314 58 302Q54 292 60 284Z", "#5b3d28")
        + oval(96, 278, 5, 5, STEEL_LIGHT) + oval(126, 258, 5, 5, STEEL_LIGHT) + oval(156, 238, 5, 5, STEEL_LIGHT)
    )  # fmt: skip


def mug(x: float, y: float, fill: str, dark: str) -> Shapes:
    return (
        path(f"M{x + 86:g} {y + 24:g}q36 -4 36 26q0 30 -40 30", stroke=dark, width=13)
        + path(f"M{x:g} {y:g}h92v74q0 30 -30 30h-32q-30 0 -30 -30Z", fill)
        + rect(x, y + 52, 92, 14, dark, 0, 'opacity="0.6"')
        + oval(x + 46, y, 46, 10, dark)
    )


def lola() -> Shapes:
    return (
        shadow(332, 140) + mug(86, 122, WHITE, STEEL_LIGHT) + mug(204, 122, BLUE_LIGHT, BLUE)
        + mug(64, 224, GREEN_LIGHT, GREEN) + mug(196, 224, SAND, OAK)
    )  # fmt: skip


def panda() -> Shapes:
    return (
        shadow(316, 136) + oval(116, 132, 30, 28, INK) + oval(284, 132, 30, 28, INK) + rect(72, 128, 256, 180, GREEN_LIGHT, 48)
        + rect(72, 206, 256, 102, GREEN, 48) + rect(72, 196, 256, 34, GREEN) + rect(176, 188, 48, 44, CREAM, 12)
        + oval(136, 178, 26, 22, INK, 'transform="rotate(-18 136 178)"') + oval(264, 178, 26, 22, INK, 'transform="rotate(18 264 178)"')
        + oval(140, 176, 7, 7, WHITE) + oval(260, 176, 7, 7, WHITE) + path("M150 262Q200 296 250 262", stroke=CREAM, width=8)
    )  # fmt: skip


def tango() -> Shapes:
    dots = "".join(
        oval(x, y, 4, 4, "#1d222c") for x in range(122, 284, 18) for y in range(186, 262, 18)
    )
    return (
        shadow(300, 142) + rect(62, 152, 276, 140, INK, 68) + dots + oval(92, 222, 30, 62, RED) + oval(308, 222, 30, 62, RED)
        + oval(92, 222, 16, 40, RED_DARK) + oval(308, 222, 16, 40, RED_DARK)
        + path("M150 152Q200 96 250 152", stroke=RED, width=9) + path("M160 120q-16 -22 0 -44M240 120q16 -22 0 -44", stroke=BLUE_LIGHT, width=6)
    )  # fmt: skip


def sonata() -> Shapes:
    return (
        shadow(330, 116) + path("M96 226C84 92 150 66 200 66C250 66 316 92 304 226", stroke=INK, width=20)
        + path("M116 190C112 106 158 86 200 86C242 86 288 106 284 190", stroke=STEEL_DARK, width=6)
        + rect(66, 204, 58, 112, INK, 28) + rect(276, 204, 58, 112, INK, 28) + rect(110, 212, 30, 96, STEEL_DARK, 15) + rect(260, 212, 30, 96, STEEL_DARK, 15)
        + oval(88, 260, 8, 8, BLUE_LIGHT)
    )  # fmt: skip


def volta() -> Shapes:
    return (
        shadow(332, 90) + path("M200 88C200 40 290 40 290 96V210", stroke=STEEL_DARK, width=8) + rect(278, 204, 24, 40, WHITE, 5)
        + rect(120, 88, 142, 240, INK, 24) + rect(120, 88, 46, 240, "#454d5c", 24) + path("M198 158L168 214H194L184 262L220 200H194Z", YELLOW)
        + "".join(oval(168 + 18 * i, 300, 5, 5, GREEN_LIGHT if i < 3 else STEEL_DARK) for i in range(4)) + rect(176, 80, 34, 12, STEEL, 4)
    )  # fmt: skip


def tempo() -> Shapes:
    return (
        shadow(296, 146) + rect(54, 148, 292, 140, OAK, 26) + rect(66, 160, 268, 116, OAK_LIGHT, 18) + rect(82, 172, 150, 92, INK, 12)
        + f'<text x="157" y="234" font-family="monospace" font-size="46" font-weight="700" text-anchor="middle" fill="{GREEN_LIGHT}">7:30</text>'
        + oval(284, 218, 36, 36, STEEL_LIGHT) + oval(284, 218, 26, 26, WHITE) + path("M284 218L296 202", stroke=INK, width=5)
        + rect(110, 136, 56, 14, INK, 7) + path("M310 148L334 84", stroke=STEEL_DARK, width=5)
    )  # fmt: skip


def nimbus() -> Shapes:
    return (
        shadow(318, 110, 170) + rect(58, 106, 220, 196, WHITE, 22) + rect(74, 122, 188, 164, INK, 14)
        + oval(132, 172, 24, 24, YELLOW) + path("M128 208a22 22 0 0 1 4 -44a30 30 0 0 1 56 6a20 20 0 0 1 2 38Z", WHITE)
        + f'<text x="232" y="166" font-family="sans-serif" font-size="27" font-weight="700" text-anchor="middle" fill="{BLUE_LIGHT}">21°</text>'
        + "".join(rect(92 + 40 * i, 262 - h, 22, h, GREEN_LIGHT, 4) for i, h in enumerate((16, 26, 34, 22)))
        + rect(302, 198, 54, 104, WHITE, 20) + "".join(line(314, y, 344, y, STEEL, 5) for y in (226, 246, 266))
        + path("M318 178q11 -12 22 0M310 164q19 -20 38 0", stroke=BLUE, width=5)
    )  # fmt: skip


def domino() -> Shapes:
    return (
        shadow(324, 92) + rect(112, 104, 176, 176, WHITE, 46) + oval(200, 192, 62, 62, STEEL_LIGHT) + oval(200, 192, 50, 50, CREAM)
        + oval(178, 192, 9, 9, INK) + oval(222, 192, 9, 9, INK) + rect(195, 152, 10, 18, STEEL_DARK, 4) + rect(168, 278, 20, 42, STEEL, 6) + rect(212, 278, 20, 42, STEEL, 6)
        + oval(262, 130, 7, 7, GREEN) + path("M318 116q22 -6 22 -34M318 134q40 -6 40 -52", stroke=BLUE, width=6)
    )  # fmt: skip


def turbo() -> Shapes:
    return (
        oval(200, 262, 152, 62, "#000000", 'opacity="0.12"') + oval(200, 242, 146, 70, STEEL_DARK) + oval(200, 222, 146, 72, INK) + oval(200, 216, 128, 60, "#454d5c")
        + oval(200, 208, 42, 20, INK) + oval(200, 204, 42, 20, STEEL) + oval(200, 250, 12, 7, BLUE_LIGHT)
        + path("M78 262L40 288M84 270L58 306M322 262L360 288M316 270L342 306", stroke=STEEL_DARK, width=5)
        + "".join(oval(x, y, 3, 3, OAK_DARK) for x, y in ((36, 316), (62, 330), (352, 322), (330, 336)))
    )  # fmt: skip


def nevada() -> Shapes:
    return (
        oval(200, 306, 168, 20, GREEN, 'opacity="0.5"') + path("M200 96L346 304H54Z", GREEN) + path("M200 96L346 304H250Z", GREEN_DARK)
        + path("M200 150L250 304H150Z", INK) + path("M200 150L150 304H176Z", "#f2b84b") + path("M200 150L250 304H228Z", YELLOW_DARK)
        + line(200, 96, 200, 78, INK, 5) + path("M200 78L226 86L200 94Z", RED) + path("M54 304L30 322M346 304L370 322", stroke=STEEL_DARK, width=4)
        + oval(318, 84, 26, 26, YELLOW, 'opacity="0.8"')
    )  # fmt: skip


def havana() -> Shapes:
    ropes = "".join(line(40, 110, x, 196, SAND, 3) for x in (70, 84, 98)) + "".join(
        line(360, 110, x, 196, SAND, 3) for x in (330, 316, 302)
    )
    return (
        shadow(326, 120) + line(40, 72, 40, 336, "#7a5a3a", 16) + line(360, 72, 360, 336, "#7a5a3a", 16) + ropes
        + path("M66 192Q200 330 334 192Q306 322 200 322Q94 322 66 192Z", BLUE_LIGHT) + path("M66 192Q200 330 334 192Q200 286 66 192Z", BLUE)
        + path("M96 224Q200 316 304 224", stroke=CREAM, width=7) + path("M116 262Q200 320 284 262", stroke=YELLOW, width=7)
        + oval(40, 62, 56, 30, GREEN, 'opacity="0.9"') + oval(360, 62, 56, 30, GREEN, 'opacity="0.9"')
    )  # fmt: skip


def capri() -> Shapes:
    slats = "".join(rect(134, y, 132, 15, GREEN, 6) for y in (92, 116, 140, 164))
    return (
        shadow(340, 104) + path("M124 88L146 226L112 336M276 88L254 226L288 336", stroke=STEEL_DARK, width=10)
        + path("M286 232L126 336M114 232L274 336", stroke=STEEL, width=9) + slats + path("M122 218H278L294 246H106Z", GREEN) + rect(106, 242, 188, 10, GREEN_DARK, 5)
        + path("M104 196H150M250 196H296", stroke=STEEL_DARK, width=10)
    )  # fmt: skip


def sierra() -> Shapes:
    return (
        shadow(340, 100) + path("M160 96Q160 56 200 56Q240 56 240 96", stroke=INK, width=12) + rect(112, 88, 176, 248, GREEN_DARK, 60) + rect(124, 96, 152, 98, GREEN, 48)
        + rect(92, 220, 40, 88, GREEN_DARK, 18) + rect(268, 220, 40, 88, GREEN_DARK, 18) + rect(132, 216, 136, 108, GREEN, 28) + line(146, 244, 254, 244, CREAM, 5)
        + rect(168, 168, 18, 72, "#b9733a", 5) + rect(214, 168, 18, 72, "#b9733a", 5) + rect(164, 206, 26, 14, GOLD, 4) + rect(210, 206, 26, 14, GOLD, 4) + oval(200, 282, 12, 12, YELLOW)
    )  # fmt: skip


def fresco() -> Shapes:
    return (
        shadow(346, 66) + rect(160, 56, 80, 46, INK, 12) + path("M180 56Q180 34 200 34Q220 34 220 56", stroke=INK, width=9) + rect(166, 98, 68, 14, STEEL, 3)
        + path("M166 112H234Q258 126 258 160V322Q258 344 236 344H164Q142 344 142 322V160Q142 126 166 112Z", GREEN)
        + path("M166 112H184Q168 130 168 164V344H164Q142 344 142 322V160Q142 126 166 112Z", GREEN_LIGHT) + path("M200 200q26 34 0 62q-26 -28 0 -62Z", WHITE)
    )  # fmt: skip


def delta() -> Shapes:
    return (
        shadow(344, 104) + path("M156 92Q200 36 244 92L236 122H164Z", YELLOW_DARK) + path("M172 96Q200 66 228 96L222 122H178Z", INK)
        + path("M160 100L98 134L66 276L112 290L124 232V338H276V232L288 290L334 276L302 134L240 100L200 126Z", YELLOW)
        + path("M200 126L240 100L302 134L334 276L288 290L276 232V338H200Z", YELLOW_DARK) + line(200, 128, 200, 336, INK, 4)
        + path("M146 258H182M218 258H254", stroke=INK, width=6) + "".join(path(f"M{x} {y}q8 12 0 20q-8 -8 0 -20Z", BLUE) for x, y in ((60, 80), (334, 96), (90, 40), (304, 44)))
    )  # fmt: skip


def solaris() -> Shapes:
    return (
        glow(200, 216, 128) + shadow(338, 80) + path("M150 96Q200 20 250 96", stroke=INK, width=8) + path("M128 124L160 92H240L272 124Z", INK) + rect(160, 84, 80, 12, BLUE, 4)
        + rect(134, 124, 132, 188, "#fff1bd", 6) + rect(134, 124, 132, 188, "none", 6, f'stroke="{INK}" stroke-width="9"') + path("M200 124V312M134 218H266", stroke=INK, width=5)
        + oval(200, 236, 20, 30, YELLOW) + oval(200, 244, 10, 16, WHITE) + rect(118, 308, 164, 22, INK, 6)
    )  # fmt: skip


def flora() -> Shapes:
    stems = (
        "M200 190C196 130 176 96 150 78M200 190C204 130 218 92 248 66M200 190C200 130 200 90 198 52"
    )
    flowers = ""
    for x, y, fill in ((150, 74, PINK), (250, 62, YELLOW), (198, 46, TERRACOTTA)):
        for k in range(6):
            a = k * math.pi / 3
            flowers += oval(x + 15 * math.cos(a), y + 15 * math.sin(a), 11, 11, fill)
        flowers += oval(x, y, 9, 9, CREAM)
    return (
        shadow(342, 82) + path(stems, stroke=GREEN_DARK, width=5) + path("M196 140q-34 -6 -44 22q32 6 44 -22ZM204 130q36 -2 42 26q-34 2 -42 -26Z", GREEN) + flowers
        + path("M176 180H224L220 204C280 224 284 330 236 340H164C116 330 120 224 180 204Z", BLUE) + path("M176 180H192L190 208C150 232 150 320 176 340H164C116 330 120 224 180 204Z", BLUE_LIGHT)
        + oval(200, 181, 24, 6, BLUE_DARK)
    )  # fmt: skip


def venus() -> Shapes:
    return (
        oval(206, 206, 132, 132, "#000000", 'opacity="0.12"') + oval(200, 198, 132, 132, GOLD) + oval(200, 198, 121, 121, "#dfeaf2")
        + path("M120 250L262 98M150 290L300 130", stroke=WHITE, width=14) + path("M112 214L214 104", stroke=WHITE, width=6) + oval(200, 58, 8, 8, "#a98338")
    )  # fmt: skip


def bahia() -> Shapes:
    return (
        glow(200, 124, 84) + shadow(336, 96) + path("M200 76Q230 118 200 148Q170 118 200 76Z", YELLOW) + path("M200 104Q214 126 200 144Q186 126 200 104Z", WHITE) + line(200, 146, 200, 172, INK, 5)
        + path("M112 172H288V306Q288 332 262 332H138Q112 332 112 306Z", "#ffffff") + path("M112 196H288V306Q288 332 262 332H138Q112 332 112 306Z", TERRACOTTA)
        + path("M112 172H136V330Q112 330 112 306Z", "#ffffff") + oval(200, 172, 88, 13, CREAM) + rect(150, 226, 100, 62, CREAM, 6) + path("M166 248H234M178 266H222", stroke=TERRACOTTA_DARK, width=5)
    )  # fmt: skip


DRAWINGS: dict[str, tuple[str, Callable[[], Shapes]]] = {
    "oslo": ("light", oslo), "milano": ("light", milano), "luna": ("light", luna), "nemo": ("light", nemo),
    "bruno": ("home", bruno), "nora": ("home", nora), "verona": ("home", verona), "tokyo": ("home", tokyo), "malmo": ("home", malmo),
    "alma": ("soft", alma), "aurora": ("soft", aurora), "bella": ("soft", bella), "sahara": ("soft", sahara), "marina": ("soft", marina), "siena": ("soft", siena),
    "torino": ("kitchen", torino), "vesta": ("kitchen", vesta), "samba": ("kitchen", samba), "carlo": ("kitchen", carlo), "rico": ("kitchen", rico), "toledo": ("kitchen", toledo), "lola": ("kitchen", lola), "panda": ("kitchen", panda),
    "tango": ("tech", tango), "sonata": ("tech", sonata), "volta": ("tech", volta), "tempo": ("tech", tempo), "nimbus": ("tech", nimbus), "domino": ("tech", domino), "turbo": ("tech", turbo),
    "nevada": ("out", nevada), "havana": ("out", havana), "capri": ("out", capri), "sierra": ("out", sierra), "fresco": ("out", fresco), "delta": ("out", delta), "solaris": ("out", solaris),
    "flora": ("deco", flora), "venus": ("deco", venus), "bahia": ("deco", bahia),
}  # fmt: skip


def picture(product_id: str) -> str:
    """Return the SVG of a product."""
    background, draw = DRAWINGS[product_id]
    light, dark = BACKGROUNDS[background]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400">\n'
        f'<defs><radialGradient id="b" cx="0.5" cy="0.42" r="0.75"><stop offset="0" stop-color="{light}"/>'
        f'<stop offset="1" stop-color="{dark}"/></radialGradient></defs>\n'
        f'<rect width="400" height="400" fill="url(#b)"/>\n{draw()}\n</svg>\n'
    )


def main(folder: Path) -> None:
    """Write all pictures into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for product_id in DRAWINGS:
        (folder / f"{product_id}.svg").write_text(picture(product_id), encoding="utf-8")
    print(f"{len(DRAWINGS)} pictures in {folder}")


if __name__ == "__main__":
    root = Path(__file__).parents[1]
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else root / "shops" / "demo" / "pictures")
