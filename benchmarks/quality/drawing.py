"""Curves as SVG: a square of 0-1 by 0-1 with its points. Colours come from the page's style sheet."""

from __future__ import annotations

import math

from markupsafe import Markup

from .findings import Curve

SIDE, LEFT, TOP, BELOW = 260, 46, 12, 40
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_SMALLEST, _LARGEST = 3.0, 9.0


def place(x: float, y: float) -> tuple[float, float]:
    """Where (x, y) of the square lies in the picture."""
    return round(LEFT + x * SIDE, 1), round(TOP + (1 - y) * SIDE, 1)


def radius(weight: int, largest: int) -> float:
    """Of a dot: its area grows with the texts it stands for."""
    return round(max(_SMALLEST, _LARGEST * math.sqrt(weight / largest)), 1)


def curve_svg(curve: Curve) -> Markup:
    """The picture, with its words for who cannot see it."""
    parts = [_grid(curve)]
    if curve.diagonal:
        (x1, y1), (x2, y2) = place(0, 0), place(1, 1)
        parts.append(Markup('<line class="ideal" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(x1, y1, x2, y2))
    placed = [place(x, y) for x, y in curve.points]
    line = " ".join(f"{x},{y}" for x, y in placed)
    parts.append(Markup('<polyline class="line" points="{}"/>').format(line))
    largest = max(curve.weights, default=1)
    for (x, y), weight in zip(placed, curve.weights, strict=False):
        dot = Markup('<circle class="dot" cx="{}" cy="{}" r="{}"><title>{} texts</title></circle>')
        parts.append(dot.format(x, y, radius(weight, largest), weight))
    width, height = LEFT + SIDE + 14, TOP + SIDE + BELOW
    return Markup('<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">{3}</svg>').format(
        width, height, curve.title, Markup("").join(parts)
    )


def _grid(curve: Curve) -> Markup:
    parts = []
    for tick in TICKS:
        (left, y), (right, _) = place(0, tick), place(1, tick)
        parts.append(Markup('<line class="grid" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(left, y, right, y))
        parts.append(Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(left - 6, y + 4, f"{tick:g}"))
        x, bottom = place(tick, 0)
        parts.append(Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(x, bottom + 16, f"{tick:g}"))
    middle, bottom = place(0.5, 0)
    parts.append(Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(middle, bottom + 34, curve.x))
    words = Markup('<text x="12" y="{0}" text-anchor="middle" transform="rotate(-90 12 {0})">{1}</text>')
    parts.append(words.format(TOP + SIDE / 2, curve.y))
    return Markup("").join(parts)
