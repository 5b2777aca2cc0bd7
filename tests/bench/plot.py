"""Line charts as SVG, written by hand: panels side by side that share a logarithmic axis of fleet sizes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 440, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 20, 60, 74
_COLOURS = ("#0b6e4f", "#b3541e", "#4a5a8a", "#777777")


@dataclass(frozen=True)
class Series:
    """A named line through points (nodes, value)."""

    name: str
    points: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Panel:
    """One chart."""

    title: str
    series: Sequence[Series]


def draw(panels: Sequence[Panel], axis: str, caption: str) -> str:
    """The whole picture."""
    width = WIDTH * len(panels)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{width}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for number, panel in enumerate(panels):
        lines.append(f'<g transform="translate({number * WIDTH} 0)">')
        lines.extend(_panel(panel, axis))
        lines.append("</g>")
    lines += [_text(_LEFT, HEIGHT - 12, caption, anchor="start", fill="#666666", size=10), "</svg>", ""]
    return "\n".join(lines)


class _Scale:
    """From nodes and values to pixels; values start at 0."""

    def __init__(self, panel: Panel) -> None:
        points = [point for series in panel.series for point in series.points]
        self.nodes = sorted({nodes for nodes, _ in points})
        self.step = _nice(max(value for _, value in points) / 4)
        self.top = self.step * math.ceil(max(value for _, value in points) / self.step)

    def x(self, nodes: float) -> float:
        """The place of a fleet size, with some room on both sides."""
        low, high = math.log10(self.nodes[0] / 1.5), math.log10(self.nodes[-1] * 1.5)
        return _LEFT + (math.log10(nodes) - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """The place of a value."""
        return HEIGHT - _BOTTOM - value / self.top * (HEIGHT - _TOP - _BOTTOM)


def _panel(panel: Panel, axis: str) -> Iterator[str]:
    scale = _Scale(panel)
    yield _text(_LEFT, 22, panel.title, anchor="start", size=14)
    for number in range(round(scale.top / scale.step) + 1):
        value = number * scale.step
        y = scale.y(value)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#dddddd"/>'
        yield _text(_LEFT - 6, y + 4, f"{value:g}", anchor="end")
    for nodes in scale.nodes:
        yield _text(scale.x(nodes), HEIGHT - _BOTTOM + 18, f"{nodes:,}")
    yield _text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - _BOTTOM + 36, axis)
    for number, series in enumerate(panel.series):
        yield from _line(series, scale, _COLOURS[number % len(_COLOURS)], _LEFT + 150 * number)


def _line(series: Series, scale: _Scale, colour: str, legend_x: float) -> Iterator[str]:
    places = [(scale.x(nodes), scale.y(value), value) for nodes, value in series.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y, value in places:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
        yield _text(x, y - 7, f"{value:.3g}", fill=colour, size=11)
    yield f'<rect x="{legend_x}" y="32" width="10" height="10" fill="{colour}"/>'
    yield _text(legend_x + 16, 41, series.name, anchor="start")


def _text(x: float, y: float, words: str, *, anchor: str = "middle", fill: str = "#222222", size: int = 12) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" font-size="{size}"'
    return f"<text {place}>{escape(words)}</text>"


def _nice(step: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * 0.999)
