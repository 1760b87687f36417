"""Draws curves of precision over recall as a picture (SVG), one line a named run.

Gives text; writes nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from monitor.lab.figures import CurvePoint

_SIDE, _EDGE, _LEGEND = 400, 50, 22
_COLOURS = ("#1f5fa8", "#b3541e", "#3d7d3d", "#7a4b94", "#8a8a8a")


def picture(title: str, curves: Mapping[str, Sequence[CurvePoint]]) -> str:
    """A square from 0 to 1 on both sides. A run with a single point is that point."""
    height = _SIDE + 2 * _EDGE + _LEGEND * len(curves)
    box = f'viewBox="0 0 {_SIDE + 2 * _EDGE} {height}" font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-label={quoteattr(title)}>',
        f'<rect width="{_SIDE + 2 * _EDGE}" height="{height}" fill="white"/>',
        f'<text x="{_EDGE}" y="{_EDGE // 2}" font-size="14">{escape(title)}</text>',
        *_axes(),
    ]
    for place, (name, points) in enumerate(curves.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        parts += _line(points, colour)
        y = _SIDE + 2 * _EDGE + _LEGEND * place
        parts.append(f'<rect x="{_EDGE}" y="{y}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{_EDGE + 20}" y="{y + 11}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _axes() -> list[str]:
    parts = []
    for tenth in range(0, 11, 2):
        share = tenth / 10
        x, y = _x(share), _y(share)
        parts += [
            f'<line x1="{x}" y1="{_y(0)}" x2="{x}" y2="{_y(1)}" stroke="#ddd"/>',
            f'<line x1="{_x(0)}" y1="{y}" x2="{_x(1)}" y2="{y}" stroke="#ddd"/>',
            f'<text x="{x}" y="{_y(0) + 16}" text-anchor="middle">{share:.1f}</text>',
            f'<text x="{_x(0) - 6}" y="{y + 4}" text-anchor="end">{share:.1f}</text>',
        ]
    parts.append(f'<text x="{_x(0.5)}" y="{_y(0) + 34}" text-anchor="middle">recall</text>')
    middle = _y(0.5)
    parts.append(f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">precision</text>')
    return parts


def _line(points: Sequence[CurvePoint], colour: str) -> list[str]:
    places = [(_x(point.recall), _y(point.precision)) for point in points]
    dots = [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places]
    joined = " ".join(f"{x},{y}" for x, y in places)
    return [f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.5"/>', *dots]


def _x(share: float) -> float:
    return round(_EDGE + share * _SIDE, 1)


def _y(share: float) -> float:
    return round(_EDGE + (1 - share) * _SIDE, 1)
