"""The picture of the lifecycle as SVG, drawn from its data: states, and a numbered line for each edge."""

from collections.abc import Iterator
from html import escape

from sparkctl.lifecycle.machine import EDGES, STATES, Edge
from sparkctl.model.lifecycle import LifecycleState as State
from sparkctl.model.lifecycle import Phase, Risk
from sparkctl.report.lanes import Box, Lanes, Point, badge_places, corners

PITCH = 16
"""Pixels between two lanes of the grid."""

BOX_WIDTH, BOX_HEIGHT = 9, 3
GAP_X, GAP_Y = 7, 6
MARGIN = 4

PLACES: dict[State, tuple[int, int]] = {
    State.UNRECORDED: (0, 0), State.EXPECTED: (1, 0), State.RECEIVED: (2, 0), State.ACCEPTED: (3, 0),
    State.PROVISIONING: (4, 0), State.CANCELLED: (1, 1), State.QUARANTINED: (2, 1), State.IN_SERVICE: (4, 1),
    State.LOST: (0, 2), State.INCIDENT: (3, 2), State.MAINTENANCE: (4, 2), State.RETURNED: (1, 3),
    State.SANITISED: (2, 3), State.RETIRING: (3, 3), State.ERASE_FAILED: (4, 3),
    State.DISPOSED: (2, 4), State.DESTROYED: (3, 4),
}  # fmt: skip
"""The column and the row of each state."""

ANYWHERE = (0, 3)
"""The place of the sign from which those edges start that lead away from many states."""

MANY = 5
"""An edge from more states than this starts at that sign."""

_COLOURS: dict[Phase, tuple[str, str]] = {
    Phase.PROCUREMENT: ("#1d5fa8", "#7db8f5"),
    Phase.PROVISIONING: ("#6a3fb5", "#bd9cf5"),
    Phase.MONITORING: ("#1b7340", "#6fd398"),
    Phase.MAINTENANCE: ("#8a5a00", "#e8b450"),
    Phase.INCIDENT: ("#b3261e", "#f58f86"),
    Phase.RETIREMENT: ("#4a5560", "#b4c0cb"),
}
_STYLE = """
  svg { background: #ffffff; color: #1b1f24; --box: #f6f8fa; }
  text { font: 600 17px system-ui, sans-serif; fill: currentColor; text-anchor: middle; dominant-baseline: central; }
  .number { font-size: 12.5px; font-weight: 700; }
  .key { font-weight: 400; text-anchor: start; }
  .box, .mark { fill: var(--box); stroke-width: 2.5; }
  .inner { fill: none; stroke-width: 1.2; }
  .line { fill: none; stroke-width: 2; }
  .two { stroke-dasharray: 7 4; }
"""


def edge_numbers() -> dict[int, Edge]:
    """The edges by the numbers that the picture gives them."""
    return dict(enumerate(EDGES, 1))


def lifecycle_picture() -> str:
    """The picture, legible on light and dark ground; raises NoWay when it does not fit."""
    boxes = {state: _box(*place) for state, place in PLACES.items()}
    anywhere = _box(*ANYWHERE)
    columns, rows = max(x for x, _ in PLACES.values()) + 1, max(y for _, y in PLACES.values()) + 1
    width = 2 * MARGIN + columns * BOX_WIDTH + (columns - 1) * GAP_X
    height = 2 * MARGIN + rows * BOX_HEIGHT + (rows - 1) * GAP_Y
    ends = {
        number: (anywhere if len(edge.sources) > MANY else boxes[edge.sources[0]], boxes[edge.to])
        for number, edge in edge_numbers().items()
    }
    lanes = Lanes(width, height, [*boxes.values(), anywhere])
    nearest = sorted(ends, key=lambda number: (_distance(*ends[number]), number))
    paths = {number: lanes.route(*ends[number]) for number in nearest}
    ordered = [paths[number] for number in ends]
    badges = dict(zip(ends, badge_places(ordered), strict=True))
    size = f'viewBox="0 0 {width * PITCH} {(height + 1) * PITCH}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title">',
        '<title id="title">States of a machine and the moves between them; the table says what each number is</title>',
        f"<style>{_STYLE}{_dark()}</style>",
        *_arrows(),
        *(_line(number, paths[number]) for number in ends),
        *(part for state, box in boxes.items() for part in _state(state, box)),
        *_any_state(anywhere),
        *(_badge(number, badges[number]) for number in ends),
        *_key(height),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(column: int, row: int) -> Box:
    left, top = MARGIN + column * (BOX_WIDTH + GAP_X), MARGIN + row * (BOX_HEIGHT + GAP_Y)
    return Box(left, top, left + BOX_WIDTH, top + BOX_HEIGHT)


def _distance(one: Box, other: Box) -> float:
    return abs(one.centre[0] - other.centre[0]) + abs(one.centre[1] - other.centre[1])


def _dark() -> str:
    light = "".join(f"  .{phase.value} {{ stroke: {colour}; }}\n" for phase, (colour, _) in _COLOURS.items())
    heads = "".join(f"  .head-{phase.value} {{ fill: {colour}; }}\n" for phase, (colour, _) in _COLOURS.items())
    dark = "".join(
        f" .{phase.value} {{ stroke: {colour}; }} .head-{phase.value} {{ fill: {colour}; }}\n"
        for phase, (_, colour) in _COLOURS.items()
    )
    ground = " svg { background: #0d1117; color: #e6edf3; --box: #161b22; }\n"
    return f"{light}{heads}  @media (prefers-color-scheme: dark) {{\n{ground}{dark}  }}\n"


def _arrows() -> Iterator[str]:
    for phase in Phase:
        yield (
            f'<marker id="to-{phase.value}" viewBox="0 0 10 10" refX="9.5" refY="5" orient="auto"'
            ' markerWidth="6.5" markerHeight="6.5">'
            f'<path class="head-{phase.value}" d="M0 0L10 5L0 10z"/></marker>'
        )


def _line(number: int, path: list[Point]) -> str:
    edge = edge_numbers()[number]
    words = f"{', '.join(state.value for state in edge.sources)} to {edge.to.value}"
    points = " ".join(f"{x * PITCH},{y * PITCH}" for x, y in corners(path))
    two = " two" if edge.risk is Risk.TWO_PERSONS else ""
    return (
        f'<polyline class="line {edge.phase.value}{two}" data-edge="{number}" points="{points}"'
        f' marker-end="url(#to-{edge.phase.value})"><title>{number}: {escape(words)}</title></polyline>'
    )


def _state(state: State, box: Box) -> Iterator[str]:
    about = STATES[state]
    x, y, width, height = _rectangle(box)
    at = f'x="{x}" y="{y}" width="{width}" height="{height}"'
    yield f'<g data-state="{state.value}"><title>{escape(about.words)}</title>'
    yield f'<rect class="box {about.phase.value}" {at} rx="9"/>'
    if about.ends:
        inside = f'x="{x + 5}" y="{y + 5}" width="{width - 10}" height="{height - 10}"'
        yield f'<rect class="inner {about.phase.value}" {inside} rx="5"/>'
    yield f'<text x="{x + width // 2}" y="{y + height // 2}">{state.value.replace("_", " ")}</text></g>'


def _any_state(box: Box) -> Iterator[str]:
    x, y, width, height = _rectangle(box)
    yield f'<rect class="mark {Phase.INCIDENT.value} two" x="{x}" y="{y}" width="{width}" height="{height}" rx="24"/>'
    yield f'<text x="{x + width // 2}" y="{y + height // 2}">nearly any</text>'


def _badge(number: int, at: Point) -> str:
    phase = edge_numbers()[number].phase.value
    x, y = at[0] * PITCH, at[1] * PITCH
    circle = f'<circle class="mark {phase}" cx="{x}" cy="{y}" r="11"/>'
    return f'<g data-badge="{number}">{circle}<text class="number" x="{x}" y="{y + 0.5}">{number}</text></g>'


def _rectangle(box: Box) -> tuple[int, int, int, int]:
    width, height = (box.right - box.left) * PITCH, (box.bottom - box.top) * PITCH
    return box.left * PITCH, box.top * PITCH, width, height


def _key(height: int) -> Iterator[str]:
    y = (height - 1) * PITCH
    for place, phase in enumerate(Phase):
        x = MARGIN * PITCH + place * 150
        yield f'<rect class="box {phase.value}" x="{x}" y="{y - 8}" width="22" height="16" rx="4"/>'
        yield f'<text class="key" x="{x + 30}" y="{y}">{phase.value}</text>'
    x = MARGIN * PITCH + len(Phase) * 150
    yield f'<path class="line {Phase.RETIREMENT.value} two" d="M{x} {y}h34"/>'
    yield f'<text class="key" x="{x + 42}" y="{y}">two persons</text>'
    yield f'<rect class="box {Phase.RETIREMENT.value}" x="{x + 160}" y="{y - 10}" width="34" height="20" rx="5"/>'
    yield f'<rect class="inner {Phase.RETIREMENT.value}" x="{x + 164}" y="{y - 6}" width="26" height="12" rx="3"/>'
    yield f'<text class="key" x="{x + 202}" y="{y}">ends a life</text>'
